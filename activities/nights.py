"""A night's activities: its list, what is made ready to begin, and its books. Texts stay on disk and in the ledger."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from temporalio import activity

from activities.beating import beating, this_workflow, whole
from activities.claiming import claimed, close_lost, other_night_of, still_in
from activities.listing import REFUSALS, WHY_LETTERS, NightDesk, NightList, Ready, state_of_refusal, why_it_rests
from activities.services import Services
from thirdshift.adapters.engine.workflow_state import WorkflowState
from thirdshift.core.night_book import LineState, NightLine, NightRow, NightSums, QueuedSpec
from thirdshift.core.nights import Night, NightWindow, which_night
from thirdshift.core.text import one_line
from thirdshift.night_signatures import (
    AdmitJob,
    AskJobs,
    CloseNight,
    JobAdmitted,
    JobsGone,
    LeaveLine,
    ListMore,
    MoreListed,
    NightClosed,
    NightOpened,
    NightStanding,
    OpenNight,
)
from thirdshift.signatures import JobInput

ASKED_AT_ONCE = 20


class NightActivities:
    """Runs where the shift's directory is, and whatever reaches the repositories that its specs name."""

    def __init__(self, services: Services, desk: NightDesk) -> None:
        self._services = services
        self._desk = desk

    @activity.defn(name="open_night")
    async def open_night(self, given: OpenNight) -> NightOpened:
        """Find out which night it is, open its books, make its list. Done twice by one workflow, it is done once."""
        plan = given.plan
        found = which_night(plan, given.started_at, given.scheduled_at, ZoneInfo(plan.zone))
        if found.night is None:
            return NightOpened(night=None, why=found.why)
        async with beating():
            row = NightRow(
                night=found.night,
                workflow_id=this_workflow(),
                budget_nano=plan.budget_nano,
                concurrency=plan.concurrency,
                deliver=plan.deliver.value,
                zone=plan.zone,
                opened_at=self._services.clock(),
            )
            mine = await claimed(self._services, self._desk, row)
            if isinstance(mine, str):
                return NightOpened(night=None, why=mine)
            night = mine.night
            await close_lost(self._services, self._desk, night)
            running = await still_in(self._services, self._desk, night)
            listed = await NightList(self._services, self._desk, plan, night).whole_night(running)
        return NightOpened(night=night, candidates=listed, requests_per_minute=dict(self._desk.requests_per_minute))

    @activity.defn(name="list_more")
    async def list_more(self, given: ListMore) -> MoreListed:
        """What events have added to the shift's queue since the night's list was made."""
        async with beating():
            listed = NightList(self._services, self._desk, given.plan, given.night)
            return MoreListed(candidates=await listed.newly_queued())

    @activity.defn(name="admit_job")
    async def admit_job(self, given: AdmitJob) -> JobAdmitted:
        """Make a candidate ready: its job's books, the night that pays for it, and the input of its workflow."""
        async with beating():
            try:
                if given.candidate.parked:
                    return await self._go_on(given)
                return await self._begin(given)
            except REFUSALS as refused:
                why, state = one_line(str(refused), WHY_LETTERS), state_of_refusal(refused)
                await self._note(given.night, given, state, why)
                if state is LineState.REFUSED:
                    await whole(self._services.ledger.unqueue_spec, given.plan.name, given.candidate.spec_path)
                return JobAdmitted(refused=why)

    async def _begin(self, given: AdmitJob) -> JobAdmitted:
        ledger, plan = self._services.ledger, given.plan
        ready: Ready = await asyncio.to_thread(self._desk.read, plan, given.candidate.spec_path)
        job_id = ready.row.job_id
        if rests := await why_it_rests(self._services, self._desk, plan, ready):
            await self._note(given.night, given, rests.state, rests.why, job_id)
            await whole(ledger.unqueue_spec, plan.name, given.candidate.spec_path)
            return JobAdmitted(refused=rests.why)
        await whole(ledger.put_spec, ready.doc)
        is_new = await whole(ledger.open_job, ready.row)
        if not is_new and (other := await other_night_of(self._services, self._desk, job_id, given.night.id)):
            why = f"the night {other} has just begun {job_id}; it is left alone"
            await self._note(given.night, given, LineState.PASSED_OVER, why, job_id)
            return JobAdmitted(refused=why)
        start = ready.start if is_new else await whole(self._desk.next_run, plan, job_id)
        await self._assign(given, job_id)
        if ready.asks_a_person:
            await whole(ledger.note, job_id, "night", ready.asks_a_person, {}, self._services.clock())
        await self._note(given.night, given, LineState.ADMITTED, ready.asks_a_person, job_id)
        await whole(ledger.unqueue_spec, plan.name, given.candidate.spec_path)
        return JobAdmitted(start=_in_window(start, _window(given)), job_id=job_id)

    async def _go_on(self, given: AdmitJob) -> JobAdmitted:
        """A parked job: its workflow waits, unless somebody ended it, or its server is another one by now."""
        ledger, job_id = self._services.ledger, given.candidate.job_id
        state = await self._desk.state_of(job_id)
        view = await asyncio.to_thread(ledger.job_view, job_id)
        if view.stop_reason is not None:
            why = f"it has ended: {view.stop_reason.value}"
        elif state.closed:
            why = f"its workflow was {state.value} in Temporal; go on with: thirdshift resume {job_id}"
        else:
            why = ""
        if why:
            await whole(ledger.unpark_job, job_id, f"shift {given.plan.name}", self._services.clock())
            await self._note(given.night, given, LineState.DONE_BEFORE, why)
            return JobAdmitted(refused=why)
        before = "begun earlier in this night" if view.job.night == given.night.id else "parked by an earlier night"
        await self._assign(given, job_id)
        await self._note(given.night, given, LineState.ADMITTED, before)
        if state is WorkflowState.RUNNING:
            return JobAdmitted(job_id=job_id)
        await whole(ledger.unpark_job, job_id, f"shift {given.plan.name}", self._services.clock())
        start = await whole(self._desk.next_run, given.plan, job_id)
        return JobAdmitted(start=_in_window(start, _window(given)), job_id=job_id)

    async def _assign(self, given: AdmitJob, job_id: str) -> None:
        await whole(
            self._services.ledger.assign_night,
            job_id,
            given.night.id,
            given.plan.budget_nano,
            given.candidate.priority,
            given.night.closes_at,
        )

    @activity.defn(name="leave_line")
    async def leave_line(self, given: LeaveLine) -> None:
        """Note why a line is not worked on after all. What was readied of it waits for the next night as before."""
        ledger, night, left = self._services.ledger, given.night, given.candidate
        await self._note(night, given, LineState.PASSED_OVER, given.why)
        if left.queued_at is not None:
            queued = QueuedSpec(
                shift=night.shift,
                spec_path=left.spec_path,
                title=left.title,
                priority=left.priority,
                event=left.event,
                queued_at=left.queued_at,
            )
            await whole(ledger.queue_spec, queued)
        if left.parked and await self._desk.state_of(left.job_id) is not WorkflowState.RUNNING:
            waits = f"waits for the next window of shift {night.shift}: {given.why}"
            await whole(ledger.park_job, left.job_id, waits, self._services.clock())

    async def _note(
        self, night: Night, given: AdmitJob | LeaveLine, state: LineState, why: str, job_id: str = ""
    ) -> None:
        candidate = given.candidate
        line = NightLine(
            night=night.id,
            key=candidate.key,
            job_id=job_id or candidate.job_id,
            spec_path=candidate.spec_path,
            title=candidate.title,
            priority=candidate.priority,
            state=state,
            why=why,
            event=candidate.event,
            first_seen_at=candidate.first_seen_at,
            at=self._services.clock(),
        )
        await whole(self._services.ledger.put_lines, [line])

    @activity.defn(name="jobs_gone")
    async def jobs_gone(self, given: AskJobs) -> JobsGone:
        """Which of these jobs' workflows run no more, however they ended."""
        room = asyncio.Semaphore(ASKED_AT_ONCE)

        async def is_gone(job_id: str) -> bool:
            async with room:
                return await self._desk.state_of(job_id) is not WorkflowState.RUNNING

        gone = await asyncio.gather(*(is_gone(job_id) for job_id in given.jobs))
        return JobsGone(jobs=tuple(job_id for job_id, over in zip(given.jobs, gone, strict=True) if over))

    @activity.defn(name="night_standing")
    async def night_standing(self, given: NightStanding) -> NightSums:
        """What the night has come to so far."""
        return await asyncio.to_thread(self._services.ledger.night_sums, given.night_id)

    @activity.defn(name="close_night")
    async def close_night(self, given: CloseNight) -> NightClosed:
        """Note what was not reached and why, what is parked, and how the night ended."""
        ledger, at = self._services.ledger, self._services.clock()
        night = (await asyncio.to_thread(ledger.night, given.night_id)).row.night
        lines = await asyncio.to_thread(ledger.lines, given.night_id)
        parked = {*given.parked, *(job.job_id for job in await asyncio.to_thread(ledger.parked_jobs, night.shift))}
        changed = []
        for line in lines:
            if line.state is LineState.ADMITTED and line.job_id in parked:
                changed.append(line.model_copy(update={"state": LineState.PARKED, "at": at}))
            elif line.state is LineState.LISTED:
                why = given.lacked.get(line.key) or _cut_short(given) or "the night ended before its turn"
                changed.append(line.model_copy(update={"state": LineState.PASSED_OVER, "why": why, "at": at}))
        if changed:
            await whole(ledger.put_lines, changed)
        await whole(ledger.close_night, given.night_id, given.how, given.why, at)
        sums = await asyncio.to_thread(ledger.night_sums, given.night_id)
        return NightClosed(settled_nano=sums.settled_nano)


def _in_window(start: JobInput, window: NightWindow) -> JobInput:
    """The input with the window, which a run that goes on from a memory takes from there."""
    memory = start.memory.model_copy(update={"window": window}) if start.memory else None
    return start.model_copy(update={"window": window, "memory": memory})


def _cut_short(given: CloseNight) -> str:
    words = {"closed": "", "stopped": "the night was stopped: ", "tripped": "the night stopped itself: "}[given.how]
    return f"{words}{given.why}" if given.why else ""


def _window(given: AdmitJob) -> NightWindow:
    night = given.night
    return NightWindow(
        night=night.id,
        shift_workflow=given.shift_workflow,
        drains_at=night.drains_at,
        closes_at=night.closes_at,
    )
