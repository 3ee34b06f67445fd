"""What a person's answer does to a loop's history: the only ways in which a history is edited."""

from __future__ import annotations

from thirdshift.core.history import LoopHistory
from thirdshift.core.progress import judged
from thirdshift.core.spec import GateKind
from thirdshift.core.verdict import REVIEW


def with_approval(history: LoopHistory, kind: GateKind) -> LoopHistory:
    """The gate of this kind needs no second answer."""
    return history.model_copy(update={"approved": (*history.approved, kind)})


def with_more_money(history: LoopHistory) -> LoopHistory:
    """The budget that ended the last attempt was raised. Its rung gets that attempt back: money ended it."""
    last = history.attempts[-1]
    return history.model_copy(
        update={
            "raised_after": (*history.raised_after, last.number),
            "granted": (*history.granted, last.rung),
        }
    )


def with_another_try(history: LoopHistory) -> LoopHistory:
    """The rung of the last judged attempt gets one more, because a person has something to tell it."""
    tried = judged(history)
    return history.model_copy(update={"granted": (*history.granted, tried[-1].rung)}) if tried else history


def with_rework(history: LoopHistory, gate: str, waited_seconds: float) -> LoopHistory:
    """A person sent the accepted tree back: every passed verdict on it fails ``(review)``, and one more try is due.

    ``gate`` names the gate, so that two reworks are never taken for the same failure twice. The checks that passed
    stay passed, so the next attempt starts from that very tree.
    """
    attempts = tuple(
        attempt.model_copy(
            update={
                "verdict": attempt.verdict.model_copy(
                    update={"failed": (*attempt.verdict.failed, REVIEW), "signature": f"review-{gate}"}
                )
            }
        )
        if attempt.verdict is not None and attempt.verdict.ok
        else attempt
        for attempt in history.attempts
    )
    marked = history.model_copy(
        update={"attempts": attempts, "waited_seconds": history.waited_seconds + waited_seconds}
    )
    return with_another_try(marked)
