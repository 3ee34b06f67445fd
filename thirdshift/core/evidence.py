"""What a verdict tells the next attempt, and what it must not tell.

Everything here comes from commands and comparisons, nothing from what an agent said of its own work. Of a held-out
check only the criteria that it covers are named: not its id, its command or its output.
"""

from __future__ import annotations

from thirdshift.core.ports import CommandEnd
from thirdshift.core.spec import Check, Spec
from thirdshift.core.spec_prompt import criterion_line
from thirdshift.core.text import fenced, head_and_tail, one_line, visible
from thirdshift.core.verdict import CheckOutcome, Verdict
from thirdshift.core.window import WIDEST

_OUTPUT_BYTES_EACH = 8_000
_OUTPUT_BYTES_LEAST = 600
_MOST_PATHS = 50


def evidence_text(spec: Spec, verdict: Verdict, output_bytes: int = WIDEST.evidence) -> str:
    """What failed, in the order: out of scope, tampering, visible checks, held-out criteria, not run, passing.

    ``output_bytes``: about as much of the failed checks' output is shown, all together.
    """
    parts = [
        _out_of_scope(spec, verdict),
        _tampering(verdict),
        *_failed_checks(spec, verdict, output_bytes),
        _held_out(spec, verdict),
        _not_run(spec, verdict),
        _passing(verdict),
    ]
    return "\n\n".join(part for part in parts if part)


def _out_of_scope(spec: Spec, verdict: Verdict) -> str:
    if not verdict.out_of_scope:
        return ""
    paths = [f"- {one_line(path, 300)}" for path in verdict.out_of_scope[:_MOST_PATHS]]
    if len(verdict.out_of_scope) > _MOST_PATHS:
        paths.append(f"- and {len(verdict.out_of_scope) - _MOST_PATHS} more")
    allowed = ", ".join(f"`{visible(glob)}`" for glob in spec.write)
    heading = f"Paths outside the scope were changed. Put them back as they were; only {allowed} may change:"
    return "\n".join((heading, *paths))


def _tampering(verdict: Verdict) -> str:
    if not verdict.tampering:
        return ""
    found = [f"- {one_line(sentence, 300)}" for sentence in verdict.tampering[:_MOST_PATHS]]
    return "\n".join(
        ("Protected files or tests were touched. Undo this; the tree is refused whatever else passes:", *found)
    )


def _failed_checks(spec: Spec, verdict: Verdict, output_bytes: int) -> list[str]:
    failed = [outcome for outcome in verdict.checks if not outcome.passed and not outcome.holdout]
    if not failed:
        return []
    least = min(_OUTPUT_BYTES_LEAST, output_bytes)
    each = max(least, min(_OUTPUT_BYTES_EACH, output_bytes // len(failed)))
    by_id = {check.id: check for check in spec.checks}
    return [_failed_check(outcome, by_id.get(outcome.id), each) for outcome in failed]


def _failed_check(outcome: CheckOutcome, check: Check | None, limit: int) -> str:
    covers = f" (shows {', '.join(outcome.covers)})" if outcome.covers else ""
    lines = [f"Check `{outcome.id}`{covers} failed: {_ending(outcome, check)}."]
    if check is not None:
        lines += ["Command:", fenced(check.run)]
    output = head_and_tail(outcome.output.encode("utf-8", "surrogatepass"), limit)
    lines += ["Output:", fenced(output)] if output.strip() else ["It printed nothing."]
    return "\n".join(lines)


def _ending(outcome: CheckOutcome, check: Check | None) -> str:
    limit = f" after {check.timeout_seconds:g} s" if check else ""
    said = {
        CommandEnd.EXITED: f"exit {outcome.exit_code}",
        CommandEnd.TIMED_OUT: f"it was still running{limit} and was stopped",
        CommandEnd.OUT_OF_MEMORY: "it ran out of memory",
        CommandEnd.OUT_OF_DISK: "it filled the disk that it may use",
        CommandEnd.KILLED: "it was killed",
    }
    return said[outcome.end]


def _held_out(spec: Spec, verdict: Verdict) -> str:
    failed = [outcome for outcome in verdict.checks if not outcome.passed and outcome.holdout]
    if not failed:
        return ""
    named = {name for outcome in failed for name in outcome.covers}
    criteria = [criterion_line(criterion) for criterion in spec.criteria if criterion.id in named]
    if not criteria:
        return "A check that you cannot see failed. It covers no criterion by itself: read the goal again."
    return "\n".join(("Not fulfilled, according to checks that you cannot see:", *criteria))


def _not_run(spec: Spec, verdict: Verdict) -> str:
    hidden = {check.id for check in spec.checks if check.holdout}
    ids = [name for name in verdict.not_run if name not in hidden]
    return f"Not run, because an earlier check failed: {', '.join(ids)}." if ids else ""


def _passing(verdict: Verdict) -> str:
    ids = [outcome.id for outcome in verdict.checks if outcome.passed and not outcome.holdout]
    return f"Passing, and to be kept so: {', '.join(ids)}." if ids else ""
