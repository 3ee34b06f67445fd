"""How a job comes to its end: the question before its delivery, and the results of what ends without one."""

from __future__ import annotations

from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

from thirdshift.core.history import StopReason
from thirdshift.core.progress import judged
from thirdshift.core.spec import GateKind
from thirdshift.signatures import JobInput, LoopResult
from workflows.gate import Question
from workflows.halting import reason_of


def merge_question(given: JobInput, result: LoopResult, done: int) -> Question:
    """What is asked of the tree that passed, at the merge gate; ``done`` packets are this run's."""
    memory, before = result.memory, given.packets_before
    passed = [a.verdict for a in judged(memory.history) if a.verdict and a.verdict.ok] if memory else []
    return Question(
        kind=GateKind.MERGE,
        tree=result.best.tree,
        reason=f"All {before + done} of {before + len(given.packets)} packets passed every check.",
        verdict=passed[-1].id if passed else None,
        may_rework=memory is not None,
    )


def nothing_more(given: JobInput, stop: StopReason, evidence: str, last: LoopResult | None) -> LoopResult:
    """The end of a job in which no further loop runs; its best tree is that of the last one."""
    best = last.best if last else given.resume_from or given.base
    return LoopResult(
        stop=stop, evidence=evidence, best=best, verified=last is not None, attempts=0, steps=0, cost_nano=0
    )


def broken(given: JobInput, failure: ActivityError | ChildWorkflowError, last: LoopResult | None) -> LoopResult:
    """A refusal that is an answer ends the job with its reason; anything else, as what it is."""
    if is_cancelled_exception(failure):
        return nothing_more(given, StopReason.STOPPED_BY_PERSON, "The job or its loop was cancelled in Temporal.", last)
    reason, evidence = reason_of(failure)
    return nothing_more(given, reason, evidence, last)
