"""What a loop has reached: measured in checks that pass, never in files changed or in what a model says."""

from __future__ import annotations

from thirdshift.core.history import AttemptRecord, LoopHistory
from thirdshift.core.verdict import REVIEW, VerdictBrief


def is_honest(verdict: VerdictBrief) -> bool:
    """Whether its passing checks mean anything: nothing tampered with, nothing written out of scope."""
    return not (verdict.tampering or verdict.out_of_scope)


def judged(history: LoopHistory) -> tuple[AttemptRecord, ...]:
    """The attempts that were given a verdict, in order."""
    return tuple(attempt for attempt in history.attempts if attempt.verdict is not None)


def verdicts(history: LoopHistory) -> tuple[VerdictBrief, ...]:
    """The verdicts of all attempts, in order, the baseline left out."""
    return tuple(attempt.verdict for attempt in history.attempts if attempt.verdict is not None)


def is_judged(history: LoopHistory, tree: str) -> bool:
    """Whether the checks have judged the tree, as the loop's start or at the end of an attempt."""
    return any(verdict is not None and verdict.tree == tree for verdict in (history.baseline, *verdicts(history)))


def best_verdict(history: LoopHistory) -> VerdictBrief | None:
    """The verdict of the best tree so far: the baseline unless an honest attempt passes more checks than it.

    Most checks passing wins, the latest among equals. An attempt that only equals the baseline does not replace
    it: by the one measure there is, it has added nothing but changes. None where there is neither.
    """
    best = history.baseline
    for verdict in filter(is_honest, verdicts(history)):
        if len(verdict.passed) > _count(history.baseline) and len(verdict.passed) >= _count(best):
            best = verdict
    return best


def best_tree(history: LoopHistory) -> str | None:
    """The tree to go on from, and to leave behind when the loop stops; None for the loop's own start."""
    best = best_verdict(history)
    return None if best is None or best is history.baseline else best.tree


def last_is_honest(history: LoopHistory) -> bool:
    """Whether the tree that was judged last may be left for people to find; so it may where none was judged."""
    judged_so_far = verdicts(history)
    return not judged_so_far or is_honest(judged_so_far[-1])


def still_failing(history: LoopHistory) -> tuple[str, ...]:
    """What remains to be done: the checks that the best tree fails, else those that the last judged one failed."""
    best = best_verdict(history)
    if best is not None:
        return best.failed
    last = verdicts(history)[-1:]
    return last[0].failed if last else ()


def attempts_without_progress(history: LoopHistory) -> int:
    """How many judged attempts in a row, up to the last one, brought no progress.

    Progress is a check that passes for the first time, the baseline counted, or more checks passing at once than
    ever before. Each can happen only so often, so that no loop lives on trading one check for another.
    """
    known = set(history.baseline.passed) if history.baseline else set[str]()
    most = _count(history.baseline)
    idle = 0
    for verdict in verdicts(history):
        idle += 1
        if is_honest(verdict):
            # A tree that only a person sent back has every check passing; there is no more progress to be had.
            only_reviewed = verdict.failed == (REVIEW,)
            if only_reviewed or not known.issuperset(verdict.passed) or len(verdict.passed) > most:
                idle = 0
            known.update(verdict.passed)
            most = max(most, len(verdict.passed))
    return idle


def _count(verdict: VerdictBrief | None) -> int:
    return len(verdict.passed) if verdict else 0
