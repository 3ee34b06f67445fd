"""A night's circuit breaker, pure: whether what a night has come to is so odd that everything has to stop.

Three anomalies, each looked at only once there is enough to judge by: money that goes much faster than the plan, nearly
every verdict a failure, and too many calls that a provider did not answer.
"""

from __future__ import annotations

from datetime import datetime

from thirdshift.core.money import format_usd
from thirdshift.core.night_book import NightSums
from thirdshift.core.nights import Night
from thirdshift.core.shifts import BreakerTerms, ShiftPlan

LOOKS_A_NIGHT = 240
LEAST_INTERVAL_SECONDS = 15.0
MOST_INTERVAL_SECONDS = 300.0


def breaker_interval_seconds(night: Night) -> float:
    """How often to look: so many times a night, but neither busily nor so seldom that much is spent in between."""
    window = (night.closes_at - night.opens_at).total_seconds()
    return min(MOST_INTERVAL_SECONDS, max(LEAST_INTERVAL_SECONDS, window / LOOKS_A_NIGHT))


def why_trip(
    plan: ShiftPlan,
    night: Night,
    sums: NightSums,
    now: datetime,
    before: NightSums | None = None,
    began_at: datetime | None = None,
) -> str | None:
    """Why a night of this plan has to stop, in words; None where nothing is odd.

    ``before`` and ``began_at``: what it had come to when it was begun, late or once more, and when that was. What has
    come about since is judged against the money and the time that were left.
    """
    limit = plan.budget_nano if sums.limit_nano is None else sums.limit_nano
    judged = sums.model_copy(update={"limit_nano": limit})
    if began_at is not None and began_at > night.opens_at:
        night = night.model_copy(update={"opens_at": min(began_at, night.closes_at)})
    return tripped(since(before, judged) if before else judged, plan.breaker, night, now)


def since(before: NightSums, sums: NightSums) -> NightSums:
    """What has come on top of earlier sums, with the limit that they had left."""
    spent = before.settled_nano + before.unknown_nano
    counts = {
        name: max(0, getattr(sums, name) - getattr(before, name))
        for name in ("verdicts", "failed_verdicts", "calls", "faulted_calls")
    }
    # Together: an unknown call that turned out to be settled is no new spending.
    new = max(0, sums.settled_nano + sums.unknown_nano - spent)
    limit = None if sums.limit_nano is None else max(0, sums.limit_nano - spent)
    return sums.model_copy(update={**counts, "settled_nano": new, "unknown_nano": 0, "limit_nano": limit})


def tripped(sums: NightSums, terms: BreakerTerms, night: Night, now: datetime) -> str | None:
    """The first anomaly that the terms do not allow, in words with its figures; None where there is none."""
    return _spend_rate(sums, terms, night, now) or _verdicts(sums, terms) or _calls(sums, terms)


def _spend_rate(sums: NightSums, terms: BreakerTerms, night: Night, now: datetime) -> str | None:
    """Money spent against an even spending of the budget. What is held may come back, so it is not counted."""
    window = (night.closes_at - night.opens_at).total_seconds()
    if not sums.limit_nano or window <= 0:
        return None
    spent = sums.settled_nano + sums.unknown_nano
    share = spent / sums.limit_nano
    gone = min(1.0, max(0.0, (now - night.opens_at).total_seconds() / window))
    if share < terms.spend_share_at_least or spent == 0 or share <= terms.spend_rate_times * gone:
        return None
    times = f"{share / gone:.1f} times" if gone else "all of it before the window opened, against"
    return (
        f"money goes too fast: ${format_usd(spent, 2)} of ${format_usd(sums.limit_nano, 2)} ({share:.0%}) spent in "
        f"{gone:.0%} of the window, {times} what an even spending comes to (the most allowed is "
        f"{terms.spend_rate_times:g} times)"
    )


def _verdicts(sums: NightSums, terms: BreakerTerms) -> str | None:
    if sums.verdicts < terms.verdicts_at_least:
        return None
    share = sums.failed_verdicts / sums.verdicts
    if share < terms.failed_verdicts_share:
        return None
    return (
        f"nearly nothing passes: {sums.failed_verdicts} of {sums.verdicts} verdicts failed ({share:.0%}; "
        f"at {terms.failed_verdicts_share:.0%} a night stops)"
    )


def _calls(sums: NightSums, terms: BreakerTerms) -> str | None:
    if sums.calls < terms.calls_at_least:
        return None
    share = sums.faulted_calls / sums.calls
    if share < terms.faulted_calls_share:
        return None
    return (
        f"providers fail: {sums.faulted_calls} of {sums.calls} calls were refused or lost ({share:.0%}; "
        f"at {terms.faulted_calls_share:.0%} a night stops)"
    )
