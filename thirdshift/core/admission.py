"""Admission, pure: which spec of a night goes on next, and why another one does not.

The order: parked jobs first, those parked longest at the head; then by priority, which rises by ``POINTS_A_WEEK`` for
each whole week that a spec has waited; then by value for money, the cheapest accepted outcome first, its price halved
for each whole day that it has waited. What has no history costs as much as the middle one of those that have.

In this order everything is admitted that fits: a place, the provider's rate, the time that is left and the money that
is left. What does not fit is passed over, with the reason, and what comes after it may fit. So nothing that fits an
empty night waits for ever: whatever is before it in this order today, only finitely much ever will be, and at a
night's opening the first in the order has all of the night before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field

from thirdshift.core.frozen import Frozen
from thirdshift.core.money import format_usd
from thirdshift.core.night_book import NightSums
from thirdshift.core.nights import Night
from thirdshift.core.words import counted

POINTS_A_WEEK = 10
"""Of priority, that a spec gains for each whole week that it waits: 100 points are ten weeks."""
LOOP_REQUESTS_PER_MINUTE = 6.0
"""Of a loop that nothing is known of: one call each ten seconds."""
LEAST_SECONDS = 900.0
"""For what nobody knows the duration of, and for what goes on: so much time has to be left, or ..."""
LEAST_SHARE = 0.25
"""... so much of the window, where that is shorter."""
MOST_SHARE = 0.9
"""Of the window, that anything needs at most: what takes longer than a night goes on in the next one."""
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_MOST_HALVINGS = 60


class Candidate(Frozen):
    """A spec, or a parked job, that a night could work on. Everything that admission decides from."""

    key: str
    """The parked job's id, else the spec's path: one line of the night's list."""
    job_id: str
    """The id that the job has, or would have now."""
    spec_path: str
    title: str
    parked: bool = False
    """Whether it is a job that an earlier night has parked."""
    priority: int = 0
    """Of the spec; the highest goes first."""
    first_seen_at: datetime
    """When a night first had it on its list; what waits grows dearer."""
    expected_nano: int | None = None
    """Cost per accepted outcome of its like; None where there is no history."""
    median_seconds: float | None = None
    """How long its like take from start to end, waits for people left out."""
    provider: str = ""
    """Of the rung that it would start on."""
    event: int | None = None
    """The ledger's number of the event that asked for it."""
    queued_at: datetime | None = None
    """When it was put on the shift's queue; None for a spec of the shift's own globs."""
    budget_nano: int | None = None
    """The most that its job can spend; None where nothing but the night limits it."""
    requests_per_minute: float | None = None
    """Of its loop while it works; None takes ``LOOP_REQUESTS_PER_MINUTE``."""


class AtWork(Frozen):
    """A job that holds a place."""

    candidate: Candidate
    since: datetime | None = None
    """When it took the place; None where that is not known, and it is then taken to be at its beginning."""


class AdmissionState(Frozen):
    """What a night has left to give."""

    night: Night
    concurrency: int
    limit_nano: int
    """Of the night's money, with every raise."""
    sums: NightSums = NightSums()
    at_work: tuple[AtWork, ...] = ()
    requests_per_minute: dict[str, int] = Field(default_factory=dict)
    """Of each provider that has a limit."""

    @property
    def free_nano(self) -> int:
        """Neither spent nor held, nor perhaps spent. Below zero where the limit was lowered."""
        return self.limit_nano - self.sums.settled_nano - self.sums.held_nano - self.sums.unknown_nano

    @property
    def window_seconds(self) -> float:
        """From the opening until no step is begun any more."""
        return max(0.0, (self.night.drains_at - self.night.opens_at).total_seconds())


class Admissions(Frozen):
    """What goes on now, in order; and why, by its key, each of the others does not."""

    admitted: tuple[Candidate, ...] = ()
    passed_over: dict[str, str] = Field(default_factory=dict)


def next_admissions(state: AdmissionState, candidates: Sequence[Candidate], now: datetime) -> Admissions:
    """Decide on every candidate. Total: whatever it is given, each of them is admitted or has a reason."""
    ordered = in_order(candidates, now)
    taken = _Taken.by(state, _middle_cost([*candidates, *(one.candidate for one in state.at_work)]), now)
    admitted: list[Candidate] = []
    passed_over: dict[str, str] = {}
    for candidate in ordered:
        why = _no_time(candidate, state, now) or taken.no_place(candidate) or taken.no_rate(candidate)
        why = why or taken.no_money(candidate)
        if why:
            passed_over.setdefault(candidate.key, why)
        else:
            taken.add(candidate)
            admitted.append(candidate)
    return Admissions(admitted=tuple(admitted), passed_over=passed_over)


def in_order(candidates: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """The candidates, whoever goes first at the head."""
    found = list(candidates)
    middle = _middle_cost(found)

    def place(one: Candidate) -> tuple[bool, int, float, datetime, str]:
        waited = max(now - one.first_seen_at, timedelta())
        points = 0 if one.parked else one.priority + POINTS_A_WEEK * (waited // _WEEK)
        cost = middle if one.expected_nano is None else one.expected_nano
        # Parked jobs cost what is left of them, which nobody knows: the longest waiting goes first.
        price = 0.0 if one.parked else cost / (1 << min(waited // _DAY, _MOST_HALVINGS))
        return not one.parked, -points, price, one.first_seen_at, one.key

    return sorted(found, key=place)


def _middle_cost(candidates: Iterable[Candidate]) -> int:
    """What something without history is taken to cost: the middle of what is known, 0 where nothing is."""
    known = sorted(one.expected_nano for one in candidates if one.expected_nano is not None)
    return known[len(known) // 2] if known else 0


def _no_time(candidate: Candidate, state: AdmissionState, now: datetime) -> str:
    night = state.night
    if now < night.opens_at:
        return f"the window opens at {night.opens_at:%H:%M} UTC only"
    left = (night.drains_at - now).total_seconds()
    if left <= 0:
        return "no step is begun any more before the window ends"
    least = min(LEAST_SECONDS, LEAST_SHARE * state.window_seconds)
    if candidate.parked or candidate.median_seconds is None:
        what = "it" if candidate.parked else "what nobody knows the duration of"
        return f"{_time(left)} are left, and {what} is given at least {_time(least)}" if left < least else ""
    needed = min(candidate.median_seconds, MOST_SHARE * state.window_seconds)
    return f"its like takes {_time(candidate.median_seconds)}, and {_time(left)} are left" if left < needed else ""


@dataclass
class _Taken:
    """What is given away already, while candidates are gone through."""

    state: AdmissionState
    middle_nano: int
    jobs: set[str]
    places: int
    reserved_nano: int
    rates: dict[str, float] = field(default_factory=dict)

    @classmethod
    def by(cls, state: AdmissionState, middle_nano: int, now: datetime) -> _Taken:
        """By the jobs at work: their places, their rates, and what they are expected to spend still."""
        taken = cls(state, middle_nano, {one.candidate.job_id for one in state.at_work}, len(state.at_work), 0)
        rest = 0
        for one in state.at_work:
            rest += int(taken._need(one.candidate) * (1.0 - _share_done(one, now)))
            taken._count_rate(one.candidate)
        # What they hold is the beginning of what they will spend.
        taken.reserved_nano = max(0, rest - state.sums.held_nano)
        return taken

    def add(self, candidate: Candidate) -> None:
        """It is admitted."""
        self.jobs.add(candidate.job_id)
        self.places += 1
        self.reserved_nano += self._need(candidate)
        self._count_rate(candidate)

    def no_place(self, candidate: Candidate) -> str:
        """Why there is no place for it; empty where there is one."""
        if candidate.job_id in self.jobs:
            return "its job works in this night already"
        if self.places >= self.state.concurrency:
            places = counted(self.state.concurrency, "place")
            return "the one place is taken" if self.state.concurrency == 1 else f"all {places} are taken"
        return ""

    def no_rate(self, candidate: Candidate) -> str:
        """Why its provider would be asked too often; one loop at a time may always ask."""
        limit, asked = self.state.requests_per_minute.get(candidate.provider), self.rates.get(candidate.provider, 0.0)
        if limit is None or not asked or asked + _rate(candidate) <= limit:
            return ""
        return f"{candidate.provider} takes {limit} requests a minute, and jobs at work make about {asked:.0f}"

    def no_money(self, candidate: Candidate) -> str:
        """Why the night's money does not do for it."""
        state, need = self.state, self._need(candidate)
        free, expected = state.free_nano, state.free_nano - self.reserved_nano
        if free <= 0:
            return f"the night's ${_usd(state.limit_nano)} are spent, or held by jobs at work"
        if candidate.parked:
            return ""  # It is begun, and nobody knows what it needs still. Where the money ends, it parks once more.
        if need > state.limit_nano:
            return f"its like costs ${_usd(need)}, more than the night's whole ${_usd(state.limit_nano)}"
        if need > free:
            return f"its like costs ${_usd(need)}, and ${_usd(free)} of the night's ${_usd(state.limit_nano)} are left"
        if self.reserved_nano and (need > expected or expected <= 0):
            return (
                f"its like costs ${_usd(need)}; of the ${_usd(free)} that are left, "
                f"jobs at work will need ${_usd(self.reserved_nano)}"
            )
        return ""

    def _need(self, candidate: Candidate) -> int:
        """What it is expected to spend in this night: all that its like costs, or half of it where it has begun."""
        cost = min(self.middle_nano, self.state.limit_nano)
        if candidate.expected_nano is not None:
            cost = candidate.expected_nano // 2 if candidate.parked else candidate.expected_nano
        return cost if candidate.budget_nano is None else min(cost, candidate.budget_nano)

    def _count_rate(self, candidate: Candidate) -> None:
        self.rates[candidate.provider] = self.rates.get(candidate.provider, 0.0) + _rate(candidate)


def _share_done(one: AtWork, now: datetime) -> float:
    """How much of a job's usual time has gone by; 0 where nobody knows."""
    median = one.candidate.median_seconds
    if one.since is None or not median or median <= 0:
        return 0.0
    return min(1.0, max(0.0, (now - one.since).total_seconds() / median))


def _rate(candidate: Candidate) -> float:
    return LOOP_REQUESTS_PER_MINUTE if candidate.requests_per_minute is None else candidate.requests_per_minute


def _time(seconds: float) -> str:
    """``45 s``, ``12 min``, ``2 h 30 min``: fine enough that two of them can be compared."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _usd(nano: int) -> str:
    return format_usd(nano, 4)
