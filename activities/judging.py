"""Judging a tree: every check in a fresh checkout, in a sandbox of its own where no agent process lives.

Four things are looked at. The tree beside base: scope, protected files, files that would stand in for a runner. The
exit codes. The tests, where a report names them: what ran at base must still run. And for a tree that passes all of
that, whether its checks can fail at all: once more with a failing test among theirs.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from activities.checking import Canary, CheckRun, run_check
from activities.checkouts import Candidate, prepared
from activities.context import LoopContext
from activities.services import Services
from thirdshift.core.junit import State
from thirdshift.core.scope import outside
from thirdshift.core.spec import Check
from thirdshift.core.suites import Accounting, Ran, account, tally
from thirdshift.core.text import redact, visible
from thirdshift.core.tree_guard import Findings
from thirdshift.core.verdict import CheckOutcome, Verdict


async def judge(services: Services, context: LoopContext, tree: str, base: Verdict | None) -> Verdict:
    """Run the loop's checks on a tree in the order written.

    ``base`` is the verdict of the same checks on base; None where the tree is base itself, or there is nothing to
    compare with. Raises SetupFailed.
    """
    async with prepared(services, context, tree) as candidate:
        outcomes: list[CheckOutcome] = []
        tampering = list(candidate.findings.tampering)
        checks = list(context.checks)
        while checks:
            check = checks.pop(0)
            run = await run_check(services, context, candidate, check)
            accounting = _account(check, run, base)
            outcomes.append(_outcome(check, run, accounting, services.secrets, keep_names=base is None))
            tampering += accounting.tampering
            # On base every check runs: tests that nobody counted there could vanish later.
            if check.stop_on_fail and not outcomes[-1].passed and base is not None:
                break
        verdict = Verdict(
            tree=tree,
            checks=tuple(outcomes),
            not_run=tuple(check.id for check in checks),
            out_of_scope=tuple(visible(path) for path in outside(candidate.changed, context.spec.write)),
            tampering=tuple(tampering),
        )
        if base is None or not verdict.passed or not candidate.changed:
            return verdict
        unmoved = await _unmoved(services, context, candidate, verdict.checks)
        return verdict.model_copy(update={"tampering": unmoved})


def _account(check: Check, run: CheckRun, base: Verdict | None) -> Accounting:
    before = next((outcome for outcome in base.checks if outcome.id == check.id), None) if base else None
    passed = run.result.passed
    if check.report and passed and run.cases is None:
        return Accounting(problem=f"exit 0, but it wrote no JUnit XML that can be read to {check.report}")
    if before is None:
        return Accounting()
    now = Ran(passed, tally(run.cases, keep_names=False) if run.cases is not None else None)
    return account(check.id, Ran(before.passed, before.tests), now, run.cases or (), holdout=check.holdout)


def _outcome(
    check: Check, run: CheckRun, accounting: Accounting, known_secrets: frozenset[str], *, keep_names: bool
) -> CheckOutcome:
    result = run.result
    output = result.output
    if accounting.problem:
        output = f"{output.rstrip()}\n[no pass: {accounting.problem}]\n".lstrip()
    return CheckOutcome(
        id=check.id,
        passed=result.passed and not accounting.problem,
        end=result.end,
        exit_code=result.exit_code,
        seconds=result.seconds,
        output=visible(redact(output, known_secrets)),
        holdout=check.holdout,
        covers=check.covers,
        tests=tally(run.cases, keep_names=keep_names) if run.cases is not None else None,
    )


async def _unmoved(
    services: Services, context: LoopContext, candidate: Candidate, outcomes: Sequence[CheckOutcome]
) -> tuple[str, ...]:
    """Checks that pass although a failing test is among theirs: one sentence each.

    A check that picks its tests by name may never see the new one. So it counts only where base, given the same
    test in the same files, does notice it.
    """
    found: list[str] = []
    base = Candidate(tree=context.job.base_tree, changed=(), findings=Findings())
    for check, outcome in zip(context.checks, outcomes, strict=True):
        if outcome.tests is None or not outcome.tests.files:
            continue
        canary = Canary(token=f"t{secrets.token_hex(6)}", files=outcome.tests.files)
        run = await run_check(services, context, candidate, check, canary)
        if run.result.passed and _noticed(await run_check(services, context, base, check, canary), canary):
            what = "A check that you cannot see" if check.holdout else f"Check `{check.id}`"
            found.append(
                f"{what} passes even when a test that must fail is put among its tests: something in this tree "
                "decides the result instead of the tests."
            )
    return tuple(found)


def _noticed(run: CheckRun, canary: Canary) -> bool:
    if run.result.passed:
        return False
    failed = (case.name for case in run.cases or () if case.state is State.FAILED)
    return canary.token in run.result.output or any(canary.token in name for name in failed)


async def judge_base(services: Services, context: LoopContext) -> Verdict:
    """The loop's checks on base as it is: what ran there is what has to run later. Raises SetupFailed."""
    return await judge(services, context, context.job.base_tree, None)


async def known_base(services: Services, context: LoopContext) -> Verdict:
    """The verdict on base, from the ledger where it was made before, as the loop's attempt 0. Raises SetupFailed."""
    loop_id, tree = context.loop.loop_id, context.job.base_tree
    found = await asyncio.to_thread(services.ledger.find_verdict, loop_id, 0, tree)
    if found is None:
        found = await judge_base(services, context)
        await asyncio.to_thread(services.ledger.put_verdict, loop_id, 0, found, services.clock())
    return found
