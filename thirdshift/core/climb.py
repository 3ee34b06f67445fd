"""The walk on the ladder: which rung is next, and why. It goes up for failed verdicts and for nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from thirdshift.core.frozen import Frozen
from thirdshift.core.history import (
    AttemptEnd,
    AttemptRecord,
    LoopHistory,
    LoopPolicy,
    Park,
    ReasonCode,
    Stop,
    StopReason,
)
from thirdshift.core.ladder import Ladder, Tier
from thirdshift.core.outages import Patience, is_down, stated_returns, wait_for_one
from thirdshift.core.progress import judged, still_failing
from thirdshift.core.words import clipped, counted, listed


class Choice(Frozen):
    """The rung of the next attempt and why it is made there."""

    rung: int
    reason: ReasonCode


def next_rung(
    history: LoopHistory, policy: LoopPolicy, now: datetime, patience: Patience | None = None
) -> Choice | Park | Stop:
    """The first open rung of the tier that the loop is in, else of the tiers above it, else a stop.

    A rung is open while its provider answers and it has attempts left. A tier may be left upwards only when at
    least one of its rungs used all its attempts in failed verdicts and every other rung did so too or is down.
    A tier that an outage has emptied is waited for, where one of its rungs is due back in good time.
    """
    patience = patience or Patience()
    used = Counter(attempt.rung for attempt in judged(history))
    down = {rung for rung in range(len(policy.ladder.rungs)) if is_down(history, rung, now, patience)}
    granted = Counter(history.granted)
    spent = {i for i, rung in enumerate(policy.ladder.rungs) if used[i] >= rung.attempts + granted[i]}
    for tier in _tiers_ahead(history, policy):
        rungs = policy.ladder.of(tier)
        still_open = [rung for rung in rungs if rung not in down | spent]
        if still_open:
            return Choice(rung=still_open[0], reason=_reason(history, policy.ladder, still_open[0]))
        if not spent.intersection(rungs):
            # An outage emptied this tier. Going up now would make the outage the cause of a dearer call.
            return wait_for_one(history, policy, rungs, now, patience) or _unavailable(history, policy, tier)
    return _exhausted(history, policy.ladder)


def _tiers_ahead(history: LoopHistory, policy: LoopPolicy) -> list[Tier]:
    """The tier where the loop is, then those above it; only tiers that have rungs."""
    stocked = [tier for tier in Tier if policy.ladder.of(tier)]
    here = _current_tier(history, policy)
    ahead = [tier for tier in stocked if tier.height >= here.height]
    return ahead or stocked[-1:]


def _current_tier(history: LoopHistory, policy: LoopPolicy) -> Tier:
    last = history.attempts[-1] if history.attempts else None
    return (_tier_of(last, policy.ladder) if last else None) or policy.first_tier


def _tier_of(attempt: AttemptRecord, ladder: Ladder) -> Tier | None:
    """Where an attempt was made; None if the ladder has become shorter since."""
    return ladder.rungs[attempt.rung].tier if 0 <= attempt.rung < len(ladder.rungs) else None


def _reason(history: LoopHistory, ladder: Ladder, rung: int) -> ReasonCode:
    if not history.attempts:
        return ReasonCode.FIRST
    last = history.attempts[-1]
    before = next((attempt for attempt in reversed(history.attempts) if attempt.rung == rung), None)
    if before is not None and before.end is AttemptEnd.PROVIDER:
        return ReasonCode.PROVIDER_BACK
    if last.rung == rung:
        return ReasonCode.RETRY_WITH_EVIDENCE
    if last.end is AttemptEnd.PROVIDER and _tier_of(last, ladder) is ladder.rungs[rung].tier:
        return ReasonCode.SIDEWAYS_PROVIDER
    return ReasonCode.VERIFICATION_FAILED


def _unavailable(history: LoopHistory, policy: LoopPolicy, tier: Tier) -> Stop:
    rungs = policy.ladder.of(tier)
    models = [policy.ladder.rungs[rung].model for rung in rungs]
    faults = [attempt.evidence for attempt in history.attempts if attempt.end is AttemptEnd.PROVIDER]
    last_fault = clipped(faults[-1], 200) if faults and faults[-1] else "no answer"
    back = stated_returns(history, policy, rungs)
    later = f" {clipped(back, 300)}, which is later than is waited for." if back else ""
    return Stop(
        reason=StopReason.PROVIDER_UNAVAILABLE,
        evidence=f"No provider of the {tier} tier can be used ({listed(models)}), and a provider's fault is no reason "
        f"to climb. The last fault: {last_fault}{later}",
    )


def _exhausted(history: LoopHistory, ladder: Ladder) -> Stop:
    if not ladder.rungs:
        return Stop(
            reason=StopReason.LADDER_EXHAUSTED,
            evidence="The ladder has 0 rungs, so nothing was tried; configure at least one under [[tiers.economy]].",
        )
    tried = judged(history)
    summary = (
        f"{counted(len(tried), 'judged attempt')} on {counted(len({a.rung for a in tried}), 'rung')} failed; "
        f"still failing: {listed(still_failing(history))}."
    )
    end = _how_the_last_rung_failed(tried)
    if end is AttemptEnd.REPEATING:
        return Stop(reason=StopReason.REPEATING, evidence=f"{_stuck(tried, 'repeated the same calls')} {summary}")
    if end is AttemptEnd.OSCILLATING:
        return Stop(reason=StopReason.OSCILLATING, evidence=f"{_stuck(tried, 'went round the same trees')} {summary}")
    return Stop(reason=StopReason.LADDER_EXHAUSTED, evidence=f"No rung is left. {summary}")


def _how_the_last_rung_failed(tried: tuple[AttemptRecord, ...]) -> AttemptEnd | None:
    """The end that every judged attempt on the last rung shared; None if they differ."""
    ends = {attempt.end for attempt in tried if attempt.rung == tried[-1].rung}
    return ends.pop() if len(ends) == 1 else None


def _stuck(tried: tuple[AttemptRecord, ...], what: str) -> str:
    on_rung = sum(attempt.rung == tried[-1].rung for attempt in tried)
    detail = clipped(tried[-1].evidence, 200)
    return f"On the last rung {counted(on_rung, 'attempt')} {what}" + (f" ({detail})." if detail else ".")
