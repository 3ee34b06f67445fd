"""Judging a tree: every check in a fresh checkout, in a sandbox of its own where no agent process lives."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from activities.context import LoopContext, holdout_of, sandbox_plan
from activities.services import Services
from thirdshift.core.ports import Command, CommandResult, Mount
from thirdshift.core.scope import outside
from thirdshift.core.spec import Check
from thirdshift.core.text import redact, visible
from thirdshift.core.verdict import CheckOutcome, Verdict

HOLDOUT_GUEST = "/holdout"


async def judge(services: Services, context: LoopContext, tree: str) -> Verdict:
    """Run the loop's checks on a tree in the order written. Raises SetupFailed."""
    changed = await asyncio.to_thread(services.hub.changed_paths, context.job.base_tree, tree)
    outcomes: list[CheckOutcome] = []
    checks = list(context.checks)
    while checks:
        check = checks.pop(0)
        outcome = _outcome(check, await _run(services, context, check, tree), services.secrets)
        outcomes.append(outcome)
        if check.stop_on_fail and not outcome.passed:
            break
    return Verdict(
        tree=tree,
        checks=tuple(outcomes),
        not_run=tuple(check.id for check in checks),
        out_of_scope=tuple(visible(path) for path in outside(changed, context.spec.write)),
    )


async def _run(services: Services, context: LoopContext, check: Check, tree: str) -> CommandResult:
    async with _directory(services.scratch, "checkout-") as checkout:
        await asyncio.to_thread(services.hub.export, tree, checkout)
        plan = await sandbox_plan(services, context, checkout)
        command = Command(run=check.run, timeout_seconds=check.timeout_seconds)
        if not check.holdout:
            return await services.sandbox.run_once(plan, command)
        async with _directory(services.scratch, "holdout-") as holdout:
            doc = await asyncio.to_thread(holdout_of, services, context.job)
            await asyncio.to_thread(_lay_out, doc.holdout, holdout)
            held = plan.model_copy(
                update={
                    "mounts": (*plan.mounts, Mount(host=holdout, guest=HOLDOUT_GUEST)),
                    "env": {**plan.env, "HOLDOUT": HOLDOUT_GUEST},
                }
            )
            return await services.sandbox.run_once(held, command)


def _outcome(check: Check, result: CommandResult, secrets: frozenset[str]) -> CheckOutcome:
    return CheckOutcome(
        id=check.id,
        passed=result.passed,
        end=result.end,
        exit_code=result.exit_code,
        seconds=result.seconds,
        output=visible(redact(result.output, secrets)),
        holdout=check.holdout,
        covers=check.covers,
    )


def _lay_out(files: dict[str, str], directory: str) -> None:
    for name, content in files.items():
        # Names were checked at submission; PurePosixPath keeps a later mistake from leaving the directory.
        target = Path(directory).joinpath(*(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))


def _made(parent: str, prefix: str) -> str:
    Path(parent).mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=prefix, dir=parent)


@contextlib.asynccontextmanager
async def _directory(parent: str, prefix: str) -> AsyncIterator[str]:
    directory = await asyncio.to_thread(_made, parent, prefix)
    try:
        yield directory
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
