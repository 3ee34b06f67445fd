"""The policy of a loop, pure: from what happened so far to the one next move.

Every decision is a function of its arguments. Datetimes are aware and in UTC; money is in nano-dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from thirdshift.core.after_gate import with_more_money
from thirdshift.core.climb import Choice, next_rung
from thirdshift.core.detectors import stalled
from thirdshift.core.history import (
    Accept,
    Attempt,
    AttemptEnd,
    Gate,
    LoopHistory,
    LoopPolicy,
    Move,
    Park,
    ReasonCode,
    Stop,
    StopReason,
)
from thirdshift.core.ladder import Tier
from thirdshift.core.money import format_usd
from thirdshift.core.outages import Patience, attempts_that_count
from thirdshift.core.progress import best_tree, judged, still_failing, verdicts
from thirdshift.core.spec import GateKind, Risk
from thirdshift.core.words import clipped, counted, listed

__all__ = ["best_tree", "first_tier", "marginal_cost_nano", "next_move"]

_TIMES_TOLD = 1
"""How often tampering, or a write out of scope, is answered with feedback; the next time stops the loop."""


def next_move(history: LoopHistory, policy: LoopPolicy, now: datetime, patience: Patience | None = None) -> Move:
    """What the loop does next. Total, deterministic, and blind to everything but its arguments.

    Success comes before any limit: a tree that passed is never thrown away because time or money ran out with
    it. Then whatever must stop the loop, from the strongest cause to the weakest. What is left is an attempt, on
    the rung that the ladder allows, unless a person has to be asked first.
    """
    return (
        _success(history)
        or _a_persons_wish(history)
        or _misconduct(history)
        or _more_money(history, policy, now, patience)
        or _limit_reached(history, policy, now)
        or stalled(history, policy)
        or _next_attempt(history, policy, now, patience)
    )


def first_tier(risk: Risk, by_risk: Mapping[Risk, Tier]) -> Tier:
    """Where the ladder is entered for a risk: as configured, else at the cheapest tier."""
    return by_risk.get(risk, Tier.ECONOMY)


def marginal_cost_nano(history: LoopHistory) -> int:
    """What climbing has cost so far: every attempt from the first one on that a used-up rung caused.

    A step to the next sibling of the tier counts as well as one to the tier above.
    """
    climbed = False
    cost = 0
    for attempt in history.attempts:
        climbed = climbed or attempt.reason is ReasonCode.VERIFICATION_FAILED
        cost += attempt.cost_nano if climbed else 0
    return cost


def _success(history: LoopHistory) -> Accept | None:
    for attempt in reversed(history.attempts):
        if attempt.verdict is not None and attempt.verdict.ok:
            return Accept(attempt=attempt.number, tree=attempt.verdict.tree)
    return None


def _a_persons_wish(history: LoopHistory) -> Stop | None:
    cut_off = bool(history.attempts) and history.attempts[-1].end is AttemptEnd.STOPPED
    if history.halted_for is not None:
        return Stop(reason=history.halted_for, evidence=f"{clipped(history.stop_asked or '', 500)} {_so_far(history)}")
    if history.stop_asked is None and not cut_off:
        return None
    words = clipped(history.stop_asked or (history.attempts[-1].evidence if cut_off else ""), 200)
    asked = f'A person asked for a stop: "{words}".' if words else "A person asked for a stop and gave no reason."
    return Stop(reason=StopReason.STOPPED_BY_PERSON, evidence=f"{asked} {_so_far(history)}")


def _misconduct(history: LoopHistory) -> Stop | None:
    """Before the limits, because no raised limit is a remedy for it."""
    tampered = [str(a.number) for a in history.attempts if a.verdict and a.verdict.tampering]
    strayed = [str(a.number) for a in history.attempts if a.verdict and a.verdict.out_of_scope]
    if len(tampered) > _TIMES_TOLD:
        return Stop(
            reason=StopReason.TAMPERING,
            evidence=f"Protected files or tests were tampered with in {counted(len(tampered), 'attempt')} "
            f"(numbers {listed(tampered)}), though it was told after the first.",
        )
    if len(strayed) > _TIMES_TOLD:
        paths = sum(verdict.out_of_scope for verdict in verdicts(history))
        return Stop(
            reason=StopReason.SCOPE_VIOLATION,
            evidence=f"{counted(len(strayed), 'attempt')} (numbers {listed(strayed)}) changed "
            f"{counted(paths, 'path')} outside the scope, though it was told after the first.",
        )
    return None


def _more_money(history: LoopHistory, policy: LoopPolicy, now: datetime, patience: Patience | None) -> Gate | None:
    """The budget gate: only where a raise would let the loop go on, so that nobody pays for a stop."""
    last = history.attempts[-1] if history.attempts else None
    short = last is not None and last.end is AttemptEnd.BUDGET and last.number not in history.raised_after
    if last is None or not short or GateKind.BUDGET not in policy.gates:
        return None
    if isinstance(next_move(with_more_money(history), policy, now, patience), Stop):
        return None
    return Gate(
        kind=GateKind.BUDGET, reason=f"{clipped(last.evidence, 300) or 'No budget is left.'} {_so_far(history)}"
    )


def _limit_reached(history: LoopHistory, policy: LoopPolicy, now: datetime) -> Stop | None:
    """The limits in the order in which they are hardest to argue with. The reason is the first one reached."""
    end = history.attempts[-1].end if history.attempts else None
    elapsed = (now - history.started_at).total_seconds() - history.waited_seconds
    closes_at = policy.window_closes_at
    made = attempts_that_count(history)
    if end is AttemptEnd.BUDGET and history.attempts[-1].number not in history.raised_after:
        return _limit(StopReason.BUDGET, clipped(history.attempts[-1].evidence, 300) or "No budget is left.", history)
    if end is AttemptEnd.MAX_STEPS or history.steps >= policy.max_steps:
        return _limit(StopReason.MAX_STEPS, f"{history.steps} of {policy.max_steps} steps are used.", history)
    if elapsed >= policy.max_wall_seconds:
        return _limit(StopReason.WALL_CLOCK, _clock(elapsed, policy), history)
    if closes_at is not None and closes_at <= now:
        return _limit(StopReason.WINDOW_CLOSED, f"The window closed at {closes_at.isoformat()}.", history)
    if end is AttemptEnd.WALL_CLOCK:
        return _limit(StopReason.WALL_CLOCK, _clock(elapsed, policy), history)
    allowed = policy.max_attempts + len(history.granted)
    if made >= allowed:
        return _limit(StopReason.MAX_ATTEMPTS, f"{made} of {allowed} attempts are made.", history)
    return None


def _limit(reason: StopReason, what: str, history: LoopHistory) -> Stop:
    return Stop(reason=reason, evidence=f"{what} {_so_far(history)}")


def _clock(elapsed: float, policy: LoopPolicy) -> str:
    return f"{elapsed:.0f} s of {policy.max_wall_seconds:.0f} s have passed."


def _next_attempt(history: LoopHistory, policy: LoopPolicy, now: datetime, patience: Patience | None) -> Move:
    choice = next_rung(history, policy, now, patience)
    if isinstance(choice, Stop | Park):
        return choice
    tier = policy.ladder.rungs[choice.rung].tier
    if tier is Tier.FRONTIER and GateKind.FRONTIER in policy.gates and GateKind.FRONTIER not in history.approved:
        return Gate(kind=GateKind.FRONTIER, reason=_why_frontier(history, policy, choice))
    tried = judged(history)
    return Attempt(
        rung=choice.rung,
        reason=choice.reason,
        start_tree=best_tree(history),
        evidence_of=tried[-1].number if tried else None,
    )


def _why_frontier(history: LoopHistory, policy: LoopPolicy, choice: Choice) -> str:
    """What the person at the gate needs: the rung, the reason code, the failing checks, the cost of the climb."""
    return f"{policy.ladder.rungs[choice.rung].model} would be next ({choice.reason}). {_so_far(history)}"


def _so_far(history: LoopHistory) -> str:
    made = counted(len(history.attempts), "attempt")
    spent = f"${format_usd(history.cost_nano, 4)} spent"
    climbing = marginal_cost_nano(history)
    of_it = f", ${format_usd(climbing, 4)} of it since the first rung failed" if climbing else ""
    failing = still_failing(history)
    remains = f"still failing: {listed(failing)}" if failing else "no check is known to fail"
    return f"{made}, {spent}{of_it}; {remains}."
