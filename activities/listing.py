"""The list of a night: parked jobs first, then what events have added, then the shift's own specs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from activities.beating import whole
from activities.services import Services
from thirdshift.adapters.engine.workflow_state import WorkflowState
from thirdshift.core.admission import Candidate
from thirdshift.core.errors import BadInput, ModelsUnavailable, PriceUnknown, RepositoryUnreachable
from thirdshift.core.frozen import Frozen
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobRow, SpecDoc
from thirdshift.core.night_book import Expectation, LineState, NightLine, ParkedJob, QueuedSpec
from thirdshift.core.nights import Night
from thirdshift.core.shifts import ShiftPlan
from thirdshift.core.text import one_line
from thirdshift.signatures import JobInput

REFUSALS = (BadInput, PriceUnknown, ModelsUnavailable)
"""What is wrong with one spec, or with what it needs here; it is no reason to end the night."""
WHY_LETTERS = 600
MOST_CANDIDATES = 1000
"""On one night's list: it travels through Temporal, where a payload has a bound."""
MOST_BYTES = 1_200_000
"""Of all candidates together, for the same reason."""
READ_AT_ONCE = 4
"""Reading a spec asks git for its base, which is a wait and not work."""
TRAILING = timedelta(days=30)
"""How far back the books are asked what such work takes."""


class Ready(Frozen):
    """A spec that nothing stands against: what its job's books and its workflow begin with."""

    row: JobRow
    doc: SpecDoc
    start: JobInput
    priority: int
    asks_a_person: str = ""
    """Why a merge gate was added; empty where none was."""

    @property
    def provider(self) -> str:
        """Of the rung that makes the first call."""
        policy = self.start.policy
        first = policy.ladder.of(policy.first_tier)
        rung = self.start.plan_rung or policy.ladder.rungs[first[0] if first else 0]
        return rung.provider


class Rests(Frozen):
    """Why a spec is not begun in this night."""

    state: LineState
    why: str
    night: str = ""
    """The night that its job worked in last, where that has ended."""


class NightDesk(Protocol):
    """Turns spec files into jobs, and knows what runs; wired by ``thirdshift.bootstrap``."""

    @property
    def requests_per_minute(self) -> Mapping[str, int]:
        """Of each provider that has a configured limit."""
        ...

    def paths(self, plan: ShiftPlan) -> Sequence[str]:
        """The spec files that the plan's globs name, sorted. Raises BadInput. Blocks."""
        ...

    def read(self, plan: ShiftPlan, spec_path: str) -> Ready:
        """Check a spec as a submission would be, changing nothing. Raises ``REFUSALS``. Blocks."""
        ...

    def next_run(self, plan: ShiftPlan, job_id: str) -> JobInput:
        """The input of one more run of a job that this Temporal server does not know. Blocks."""
        ...

    async def state_of(self, workflow_id: str) -> WorkflowState:
        """How a workflow stands in Temporal."""
        ...


def state_of_refusal(refused: Exception) -> LineState:
    """A spec is refused until somebody mends it; a repository that gives no answer may do so in the next night."""
    return LineState.PASSED_OVER if isinstance(refused, RepositoryUnreachable) else LineState.REFUSED


async def why_it_rests(services: Services, desk: NightDesk, plan: ShiftPlan, ready: Ready) -> Rests | None:
    """Why a spec is left alone: its job has ended, or runs already, by whomever it was started."""
    job_id = ready.row.job_id
    try:
        view = await asyncio.to_thread(services.ledger.job_view, job_id)
    except KeyError:
        return None if plan.repeat else await _accepted_on_another_base(services, ready)
    if view.stop_reason is StopReason.ACCEPTED:
        why = f"accepted before; its result is on {view.branch}"
        return Rests(state=LineState.DONE_BEFORE, why=why, night=view.job.night)
    if view.stop_reason is not None:
        why = f"ended before: {view.stop_reason.value}; go on with: {view.remedy or f'thirdshift resume {job_id}'}"
        return Rests(state=LineState.DONE_BEFORE, why=why, night=view.job.night)
    state = await desk.state_of(job_id)
    if state is WorkflowState.RUNNING:
        return Rests(state=LineState.PASSED_OVER, why=f"{job_id} is under way already; the night leaves it alone")
    if state.closed:
        why = f"its workflow was {state.value} in Temporal; go on with: thirdshift resume {job_id}"
        return Rests(state=LineState.DONE_BEFORE, why=why)
    return None


async def _accepted_on_another_base(services: Services, ready: Ready) -> Rests | None:
    """What was accepted is done, however often others commit to its base: a merge of it does so itself."""
    before = await asyncio.to_thread(services.ledger.accepted_before, ready.row.spec_id, ready.row.repository)
    if not before:
        return None
    why = f"accepted before, as {before}; only its base has moved since. A shift with `repeat` does it again"
    return Rests(state=LineState.DONE_BEFORE, why=why)


@dataclass(frozen=True)
class _Asked:
    """A spec that somebody wants worked on."""

    spec_path: str
    queued: QueuedSpec | None = None


class NightList:
    """Makes the list of one night, and keeps it in the ledger."""

    def __init__(self, services: Services, desk: NightDesk, plan: ShiftPlan, night: Night) -> None:
        self._services = services
        self._ledger = services.ledger
        self._desk = desk
        self._plan = plan
        self._night = night
        self._at = services.clock()
        self._lines: list[NightLine] = []
        self._candidates: list[Candidate] = []
        self._bytes = 0
        self._expected: dict[tuple[str, str], Expectation] = {}
        self._since: dict[str, datetime] = {}
        self._open: dict[tuple[str, str], str] = {}
        self._parked: set[str] = set()
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    async def whole_night(self, running: Sequence[ParkedJob] = ()) -> tuple[Candidate, ...]:
        """Everything that the night could work on; the rest of the list says why not.

        ``running`` are jobs that work in this night already, where it is opened once more.
        """
        parked = {job.job_id: job for job in running}
        parked |= {job.job_id: job for job in await asyncio.to_thread(self._ledger.parked_jobs, self._plan.name)}
        queued = {one.spec_path: one for one in await asyncio.to_thread(self._ledger.queued_specs, self._plan.name)}
        paths = await self._paths()
        asked = [_Asked(path, one) for path, one in queued.items()]
        asked += [_Asked(path) for path in paths if path not in queued]
        return await self._list(tuple(parked.values()), asked)

    async def newly_queued(self) -> tuple[Candidate, ...]:
        """What events have added since; a spec that is on the list already keeps its line."""
        queued = await asyncio.to_thread(self._ledger.queued_specs, self._plan.name)
        known = {line.key for line in await asyncio.to_thread(self._ledger.lines, self._night.id)}
        return await self._list((), [_Asked(one.spec_path, one) for one in queued if one.spec_path not in known])

    async def _list(self, parked: Sequence[ParkedJob], asked: Sequence[_Asked]) -> tuple[Candidate, ...]:
        keys = [job.job_id for job in parked] + [one.spec_path for one in asked]
        self._since = await asyncio.to_thread(self._ledger.first_seen, self._plan.name, keys)
        opened = await asyncio.to_thread(self._ledger.open_jobs)
        self._open = {(job.spec_id, job.repository): job.job_id for job in opened}
        self._parked = {job.job_id for job in parked}
        for job in parked:
            await self._add_parked(job)
        # Whoever has waited longest is read first: it is sure of a place on a list that has an end.
        in_turn = sorted(asked, key=lambda one: (self._since.get(one.spec_path, self._at), one.queued is None))
        for start in range(0, len(in_turn), READ_AT_ONCE):
            batch = in_turn[start : start + READ_AT_ONCE]
            for add in await asyncio.gather(*(self._look_at(one) for one in batch)):
                await add()
        await whole(self._ledger.put_lines, self._lines)
        return tuple(self._candidates)

    async def _paths(self) -> Sequence[str]:
        try:
            return await asyncio.to_thread(self._desk.paths, self._plan)
        except BadInput as refused:
            self._put(_Asked(self._plan.root), LineState.REFUSED, one_line(str(refused), WHY_LETTERS))
            return ()

    async def _add_parked(self, job: ParkedJob) -> None:
        likely = await self._expectation(job.repository, job.task)
        candidate = Candidate(
            key=job.job_id,
            job_id=job.job_id,
            spec_path=job.spec_path,
            title=one_line(job.title, 120),
            parked=True,
            priority=job.priority,
            first_seen_at=min(job.parked_at, self._since.get(job.job_id, job.parked_at)),
            expected_nano=likely.expected_nano,
            median_seconds=likely.median_seconds,
        )
        here = job.night == self._night.id
        self._offer(candidate, "begun earlier in this night" if here else f"parked by {job.night}")

    async def _look_at(self, asked: _Asked) -> Callable[[], Awaitable[None]]:
        """Read one spec; how it is put on the list is returned, since that is done in turn."""
        if len(self._candidates) >= MOST_CANDIDATES or self._bytes >= MOST_BYTES:
            return self._later(asked, LineState.PASSED_OVER, f"a night's list has at most {MOST_CANDIDATES} specs")
        try:
            ready = await asyncio.to_thread(self._desk.read, self._plan, asked.spec_path)
        except REFUSALS as refused:
            return self._later(asked, state_of_refusal(refused), one_line(str(refused), WHY_LETTERS))
        other = self._open.get((ready.row.spec_id, ready.row.repository), "")
        if {other, ready.row.job_id} & self._parked:
            return self._no_line  # the parked job has a line of its own, and is what goes on
        if rests := await why_it_rests(self._services, self._desk, self._plan, ready):
            if rests.night == self._night.id:
                return self._no_line  # it has one from when this night was opened first
            return self._later(asked, rests.state, rests.why, ready)
        if other not in ("", ready.row.job_id):
            why = f"{other}, of the same spec, has not ended; its base has moved since"
            if (state := await self._desk.state_of(other)).closed:
                why = f"{why}, and its workflow was {state.value} in Temporal; go on with: thirdshift resume {other}"
            return self._later(asked, LineState.PASSED_OVER, why, ready)

        async def add() -> None:
            await self._add_spec(asked, ready)

        return add

    async def _add_spec(self, asked: _Asked, ready: Ready) -> None:
        likely = await self._expectation(ready.row.repository, ready.row.task)
        queued = asked.queued
        candidate = Candidate(
            key=asked.spec_path,
            job_id=ready.row.job_id,
            spec_path=asked.spec_path,
            title=one_line(ready.row.title, 120),
            priority=queued.priority if queued else ready.priority,
            first_seen_at=self._first_seen(asked),
            expected_nano=likely.expected_nano,
            median_seconds=likely.median_seconds,
            provider=ready.provider,
            event=queued.event if queued else None,
            queued_at=queued.queued_at if queued else None,
            budget_nano=ready.row.budget_nano,
        )
        self._offer(candidate, ready.asks_a_person)

    def _offer(self, candidate: Candidate, why: str) -> None:
        self._bytes += len(candidate.model_dump_json())
        state = LineState.LISTED
        if len(self._candidates) >= MOST_CANDIDATES or self._bytes > MOST_BYTES:
            state, why = LineState.PASSED_OVER, f"a night's list has at most {MOST_CANDIDATES} specs"
        else:
            self._candidates.append(candidate)
        self._lines.append(
            NightLine(
                night=self._night.id,
                key=candidate.key,
                job_id=candidate.job_id,
                spec_path=candidate.spec_path,
                title=candidate.title,
                priority=candidate.priority,
                state=state,
                why=why,
                event=candidate.event,
                first_seen_at=candidate.first_seen_at,
                at=self._at,
            )
        )

    async def _no_line(self) -> None:
        """Nothing to put on the list."""

    def _later(
        self, asked: _Asked, state: LineState, why: str, ready: Ready | None = None
    ) -> Callable[[], Awaitable[None]]:
        async def put() -> None:
            self._put(asked, state, why, ready)
            if asked.queued and state in (LineState.REFUSED, LineState.DONE_BEFORE):
                await whole(self._ledger.unqueue_spec, self._plan.name, asked.spec_path)

        return put

    def _put(self, asked: _Asked, state: LineState, why: str, ready: Ready | None = None) -> None:
        queued = asked.queued
        title = ready.row.title if ready else queued.title if queued else ""
        priority = queued.priority if queued else ready.priority if ready else 0
        self._lines.append(
            NightLine(
                night=self._night.id,
                key=asked.spec_path,
                job_id=ready.row.job_id if ready else "",
                spec_path=asked.spec_path,
                title=one_line(title, 120),
                priority=priority,
                state=state,
                why=why,
                event=queued.event if queued else None,
                first_seen_at=self._first_seen(asked),
                at=self._at,
            )
        )

    def _first_seen(self, asked: _Asked) -> datetime:
        since = self._since.get(asked.spec_path, self._at)
        return min(since, asked.queued.queued_at) if asked.queued else since

    async def _expectation(self, repository: str, task: str) -> Expectation:
        like = (repository, task)
        if like not in self._expected:
            since = self._at - TRAILING
            self._expected[like] = await asyncio.to_thread(self._ledger.expectation, repository, task, since)
        return self._expected[like]
