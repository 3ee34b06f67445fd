"""``Shift``: one night. What goes on next is decided in ``core.admission``; this applies it, until the window's end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ActivityError

from thirdshift import night_signatures
from thirdshift.core.history import StopReason
from thirdshift.core.night_details import NightStatus, night_details
from thirdshift.core.nights import Night, NightWindow
from thirdshift.core.steering import Halt
from thirdshift.night_signatures import CloseNight, JobIs, OpenNight, ShiftInput, ShiftMemory, ShiftResult
from thirdshift.signatures import DELIVERY_QUEUE
from workflows import options
from workflows.admitting import Admitting
from workflows.attributes import show_night, show_night_end
from workflows.places import Places
from workflows.telling import told_outside
from workflows.watching import Watch

SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Set by the server on whatever a Schedule starts."""
LISTING = timedelta(hours=1)
"""The longest that reading every spec of a night may take."""
LAST_WORDS = timedelta(seconds=60)
"""How long the jobs that are cut off or halted are waited for, so that the night's books tell where they got to."""
TOLD_ALREADY = timedelta(seconds=2)
"""The kill switch tells each job itself, and at once. So long their ends are waited for, before those that have not
been told, as a job that began in the same instant, are told by the night: telling everybody twice costs a second."""
ASKED_AGAIN = timedelta(minutes=1)
"""After so long, where the books could not be read and so nothing was begun."""
MORNING = timedelta(minutes=10)
"""How long the report is tried for; the ledger has all that is in it, and `shift report` makes it again."""


@workflow.defn(name="Shift")
class Shift:
    """The parent of a night's jobs. They outlive it: it starts them, hears of them, and keeps the places."""

    @workflow.init
    def __init__(self, given: ShiftInput) -> None:
        memory = given.memory
        self._plan = given.plan
        self._night: Night | None = memory.night if memory else None
        self._stop_asked = memory.stop_asked if memory else None
        self._state = "opening"
        self._news = 0
        self._places = Places(self._note_news)
        self._watch = Watch(given.plan, self._places, memory)
        self._admitting = Admitting(given, self._places, self._admits)
        if memory:
            self._places.remember(memory.known, memory.running, memory.resting, memory.parked)

    @workflow.run
    async def run(self, given: ShiftInput) -> ShiftResult:
        """Open the night, admit until its window ends, close its books and tell people."""
        show_night(self._plan.root)
        self._show()
        if self._night is None:
            opened = await workflow.execute_activity(
                night_signatures.open_night,
                OpenNight(
                    plan=self._plan,
                    started_at=workflow.now(),
                    scheduled_at=workflow.info().typed_search_attributes.get(SCHEDULED_AT),
                ),
                task_queue=DELIVERY_QUEUE,
                start_to_close_timeout=LISTING,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.RETRY,
            )
            if opened.night is None:
                return self._nothing_to_open(opened.why)
            self._night = opened.night
            self._admitting.begin(opened)
        try:
            await self._through_the_night(self._night)
        except asyncio.CancelledError:
            self._stop_asked = self._stop_asked or "the night was cancelled in Temporal"
        return await self._close(self._night)

    # --- What it is told, and what it tells -------------------------------------------------------------

    @workflow.signal
    def job_is(self, told: JobIs) -> None:
        """A job of this night tells its state; one that waits for a person, or is parked, holds no place."""
        self._places.hear(told)

    @workflow.signal
    def look_again(self) -> None:
        """Events have added specs to the shift's queue."""
        self._admitting.look_again = True
        self._note_news()

    @workflow.signal
    def stop_shift(self, reason: str) -> None:
        """Admit nothing more, stop every job of the night that runs, and close the night as stopped."""
        if self._stop_asked is None:
            self._stop_asked = reason or "no reason given"
        self._note_news()

    @workflow.query
    def status(self) -> NightStatus:
        """Where the night is; what each job does is in the job's own status."""
        night, sums = self._night, self._watch.sums
        return NightStatus(
            night=night.id if night else "",
            state=self._state,
            opens_at=night.opens_at if night else None,
            drains_at=night.drains_at if night else None,
            closes_at=night.closes_at if night else None,
            budget_nano=sums.limit_nano or self._plan.budget_nano,
            charged_nano=sums.settled_nano + sums.held_nano + sums.unknown_nano,
            counted_at=self._watch.counted_at,
            concurrency=self._plan.concurrency,
            running=tuple(self._places.running),
            waiting=len(self._admitting.waiting),
            resting=self._places.resting_as("waiting"),
            parked=self._places.resting_as("parked"),
            begun=self._admitting.begun,
            why_no_more=self._admitting.why_no_more,
            next=self._next_thing(),
            stop_asked=self._stop_asked,
        )

    def _note_news(self) -> None:
        self._news += 1

    def _show(self) -> None:
        workflow.set_current_details(night_details(self.status()))

    def _next_thing(self) -> str:
        night = self._night
        if night is None or self._state in ("closed", "stopped", "tripped", "not_opened"):
            return ""
        if self._state == "closing":
            return "the night's books are closed, and the morning report is made."
        now = workflow.now()
        if now < night.opens_at:
            return f"the window opens at {night.opens_at:%H:%M:%S} UTC."
        if now < night.drains_at:
            return f"from {night.drains_at:%H:%M:%S} UTC on no step is begun; running jobs are parked."
        return f"what still runs is cut off at {night.closes_at:%H:%M:%S} UTC, and goes on first in the next night."

    # --- The night -----------------------------------------------------------------------------------------

    def _admits(self) -> bool:
        """Whether anything may begin."""
        night = self._night
        return (
            night is not None
            and self._stop_asked is None
            and not self._watch.tripped
            and night.opens_at <= workflow.now() < night.drains_at
        )

    async def _through_the_night(self, night: Night) -> None:
        while not self._over(night):
            self._state = "open" if workflow.now() < night.drains_at else "draining"
            seen, known = self._news, True
            if self._admitting.wants_to_choose():
                known = await self._watch.take_stock(night)
                admitted = await self._admitting.admit(night, self._watch.sums) if known else 0
                if night.by_hand and known and not admitted and not self._places.running and self._news == seen:
                    return  # nobody waits for the window of a night by hand: there is nothing left that it could do
            elif night.by_hand and not self._places.running and self._news == seen:
                return
            self._show()
            if self._watch.is_due(night):
                await self._watch.judge(night)
            if workflow.info().is_continue_as_new_suggested() and not self._over(night):
                self._continue_as_new(night)
            if self._news == seen and not self._over(night):
                await self._wait(night, seen, None if known else ASKED_AGAIN)

    def _over(self, night: Night) -> bool:
        return self._stop_asked is not None or bool(self._watch.tripped) or workflow.now() >= night.closes_at

    async def _wait(self, night: Night, seen: int, at_most: timedelta | None) -> None:
        """Until something is told, or the next instant at which something is due."""
        now = workflow.now()
        due = [at for at in (night.opens_at, night.drains_at, night.closes_at) if at > now]
        if self._places.running:
            due.append(self._watch.next_look(night))
        if at_most is not None:
            due.append(now + at_most)
        seconds = max(0.0, (min(due) - now).total_seconds())
        try:
            await workflow.wait_condition(lambda: self._news != seen, timeout=seconds)
        except TimeoutError:
            return

    # --- Its end -------------------------------------------------------------------------------------------

    def _nothing_to_open(self, why: str) -> ShiftResult:
        self._state, self._admitting.why_no_more = "not_opened", why
        workflow.set_current_details(f"**No night was opened.** {why}")
        show_night_end("not_opened", 0)
        return ShiftResult(night="", how="not_opened", why=why, begun=0, settled_nano=0)

    async def _close(self, night: Night) -> ShiftResult:
        """Wait for the jobs that are cut off, or halt them; then the books, then the people."""
        self._state = "closing"
        self._show()
        closing = CloseNight(night_id=night.id, how="closed", why="", lacked=self._admitting.lacked())
        if self._watch.tripped:
            closing = closing.model_copy(update={"how": "tripped", "why": self._watch.tripped})
            await self._halt(StopReason.CIRCUIT_BREAKER, self._watch.tripped)
        elif self._stop_asked is not None:
            closing = closing.model_copy(update={"how": "stopped", "why": self._stop_asked})
            await self._all_rest(TOLD_ALREADY)
            await self._halt(StopReason.STOPPED_BY_PERSON, self._stop_asked)
        if workflow.now() < night.closes_at:
            await self._shut(night)
        if not await self._all_rest(LAST_WORDS):
            workflow.logger.warning("night %s is closed with jobs that have not said where they are", night.id)
        settled_nano = await self._close_books(closing)
        await _tell_morning(closing.model_copy(update={"lacked": {}}))
        self._state = closing.how
        self._watch.sums = self._watch.sums.model_copy(update={"settled_nano": settled_nano, "held_nano": 0})
        self._watch.counted_at = workflow.now()
        self._show()
        show_night_end(closing.how, settled_nano)
        return ShiftResult(
            night=night.id,
            how=closing.how,
            why=closing.why,
            begun=self._admitting.begun,
            settled_nano=settled_nano,
        )

    async def _close_books(self, closing: CloseNight) -> int:
        """What the night has spent. Where its books cannot be closed now, the next night of the shift closes them."""
        try:
            closed = await workflow.execute_activity(
                night_signatures.close_night,
                closing.model_copy(update={"parked": self._places.resting_as("parked")}),
                start_to_close_timeout=options.LEDGER_WORK,
                retry_policy=options.RETRY,
            )
        except ActivityError:
            workflow.logger.warning("the books of night %s could not be closed", closing.night_id)
            return self._watch.sums.settled_nano
        return closed.settled_nano

    async def _all_rest(self, patience: timedelta) -> bool:
        """Wait until no job holds a place; whether none does."""
        try:
            await workflow.wait_condition(lambda: not self._places.running, timeout=patience)
        except TimeoutError:
            return False
        return True

    async def _halt(self, reason: StopReason, words: str) -> None:
        """Stop what runs."""
        halt = Halt(reason=reason, words=words)
        await asyncio.gather(*[told_outside(job_id, "halt", halt) for job_id in self._places.running])

    async def _shut(self, night: Night) -> None:
        """End the window early for what waits for a person: it keeps its gate, and begins nothing in a closed night."""
        now = workflow.now()
        shut = NightWindow(night=night.id, shift_workflow=workflow.info().workflow_id, drains_at=now, closes_at=now)
        waiting = self._places.resting_as("waiting")
        await asyncio.gather(*[told_outside(job_id, "window_opens", shut) for job_id in waiting])

    def _continue_as_new(self, night: Night) -> NoReturn:
        memory = ShiftMemory(
            night=night,
            waiting=tuple(self._admitting.waiting.values()),
            running=tuple(self._places.running),
            resting=tuple(self._places.resting),
            parked=self._places.resting_as("parked"),
            known=self._places.known(),
            stop_asked=self._stop_asked,
            begun=self._admitting.begun,
            requests_per_minute=self._admitting.requests_per_minute,
            look_again=self._admitting.look_again,
            began_at=self._watch.began_at,
            before=self._watch.before,
        )
        workflow.continue_as_new(ShiftInput(plan=self._plan, memory=memory))


async def _tell_morning(closing: CloseNight) -> None:
    """Have the report made and sent. The ledger has all that is in it, so a night ends without it as well."""
    try:
        await workflow.execute_activity(
            night_signatures.tell_morning,
            closing,
            task_queue=DELIVERY_QUEUE,
            start_to_close_timeout=options.LEDGER_WORK,
            schedule_to_close_timeout=MORNING,
            retry_policy=options.RETRY,
        )
    except ActivityError:
        workflow.logger.warning("no morning report of %s was made; `shift report` makes it", closing.night_id)
