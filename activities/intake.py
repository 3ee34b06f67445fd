"""``triage``: an event is decided on, and what it asks for is made ready; ``find_undecided`` and ``tell_storm``.

The order makes it safe to be cut off anywhere, and to be done again: the job's books are opened, then the decision is
noted with the job's id, then the ``Intake`` starts the job. Done again, an event that is decided stays so, and a job
that was decided on and never began is given out once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating, whole
from activities.event_work import EventWork, IntakeBook, JobStanding, SpecMade
from activities.foremost import foremost
from thirdshift.core.errors import BadInput, ModelsUnavailable, PriceUnknown, RepositoryUnreachable, ThirdshiftError
from thirdshift.core.event_book import Decided, Decision, EventRecord
from thirdshift.core.night_book import QueuedSpec
from thirdshift.core.notices import Notice, NoticeNotSent, Notifier
from thirdshift.core.text import one_line
from thirdshift.core.triage import Circumstances, Rule, TriageTerms, Work, first_match, held_back, unwanted
from thirdshift.intake_signatures import Arrival, Found, OutcomesLooked, StormTold, Triage, Triaged, Undecided
from thirdshift.signatures import JobInput

_log = logging.getLogger(__name__)
STORM_WINDOW = timedelta(minutes=1)
UNREACHABLE_TRIES = 8
"""A repository that gives no answer for so many tries, some three minutes, is refused. The next event tries again."""
NIGHTS_LOOKED_BACK = 14
_WHY_CHARACTERS = 1000


@dataclass(frozen=True)
class _AtWork:
    """What is under way for a fingerprint."""

    words: str = ""
    job_id: str = ""
    shift: str = ""
    title: str = ""
    start: JobInput | None = None
    """Of a job that was decided on and never began."""


class IntakeActivities:
    """Decides on events."""

    def __init__(
        self,
        book: IntakeBook,
        terms: TriageTerms,
        work: EventWork,
        notifier: Notifier | None,
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._book = book
        self._terms = terms
        self._work = work
        self._notifier = notifier
        self._clock = clock
        self._zone = zone
        self._looking = asyncio.Lock()
        self._looked: tuple[datetime, str] | None = None  # when delivered work was, and what was found
        self._begin_one = asyncio.Lock()
        """From looking at a rule's cap to noting the decision; across processes a cap may be missed by one each."""

    @activity.defn(name="triage")
    async def triage(self, given: Triage) -> Triaged:
        """Decide on one event, which stands for the others of its fingerprint; done again, changes nothing."""
        async with beating():
            try:
                record = await whole(self._book.event, given.up_to)
            except KeyError as error:
                raise ApplicationError(str(error), type="NoSuchEvent", non_retryable=True) from None
            if record.decision is not None:
                triaged = await self._as_decided(record)
            else:
                record = await whole(foremost, self._book, self._terms.rules, record)
                triaged = await self._decide(record)
            await self._decide_rest(record, given.up_to)
            return triaged

    async def _decide_rest(self, standing: EventRecord, up_to: int) -> None:
        """The others are duplicates. They name its job too, so that whoever asks again of any finds the job."""
        decision = (await whole(self._book.event, standing.number)).decision
        rest = Decision(
            what=Decided.DUPLICATE,
            why=f"Event {standing.number} is about the same thing, and stands for it.",
            job_id=decision.job_id if decision else "",
            shift=decision.shift if decision else "",
            at=self._clock(),
        )
        # The book's own fingerprint: what looks like a secret is taken out of all that the engine is sent.
        await whole(self._book.decide_rest, standing.event.repository, standing.event.fingerprint, up_to, rest)

    @activity.defn(name="find_undecided")
    async def find_undecided(self, given: Undecided) -> Found:
        """Events that were kept, and whose signal was lost or could not be remembered."""
        records = await whole(self._book.events, given.most, undecided=True, repository=given.repository)
        return Found(
            arrivals=tuple(Arrival(number=one.number, fingerprint=one.event.fingerprint) for one in reversed(records))
        )

    @activity.defn(name="tell_storm")
    async def tell_storm(self, given: StormTold) -> None:
        """Tell whoever hears of everything; the decisions say it as well."""
        if self._notifier is None:
            return
        repository = one_line(given.repository, 80)
        most = self._terms.storm_events_per_minute
        notice = Notice(
            title=f"[thirdshift] a storm of events from {repository}",
            body=f"Over {most} different events a minute came for {repository}. New ones are set aside until it\n"
            f"calms. See which: thirdshift events --repository {repository}",
        )
        try:
            await whole(self._notifier.send, notice, ())
        except NoticeNotSent as error:
            raise ApplicationError(str(error), type="NoticeNotSent") from None

    @activity.defn(name="look_at_outcomes")
    async def look_at_outcomes(self) -> OutcomesLooked:
        """See what became of delivered work; what is found goes into the books."""
        async with beating():
            return OutcomesLooked(words=await self._outcomes(self._clock()))

    async def _decide(self, record: EventRecord) -> Triaged:
        event = record.event
        rule = first_match(self._terms.rules, event)
        verdict = unwanted(rule, event)
        if rule is None or verdict is not None:
            what, why = (verdict.what, verdict.why) if verdict else (Decided.UNMATCHED, "")
            # This may be a second try: the first one may have decided on an older event, whose job is not begun yet.
            return await self._note(
                record, what, why, rule.name if rule else "", self._begins_again(await self._at_work(record))
            )
        if rule.work is Work.OUTCOMES:
            found = await self._outcomes(event.received_at)
            return await self._note(record, Decided.OUTCOMES, found, rule.name)
        at_work = await self._at_work(record)
        async with self._begin_one:
            verdict = held_back(rule, self._terms, await self._circumstances(rule, record, at_work))
            if verdict is None:
                return await self._begin(rule, record)
        held = Decision(
            what=verdict.what,
            why=verdict.why,
            rule=rule.name,
            job_id=at_work.job_id,
            shift=at_work.shift,
            at=self._clock(),
        )
        stormy = Triaged(storm=verdict.what is Decided.STORM)
        return await self._keep(record, held, self._begins_again(at_work) or stormy)

    def _begins_again(self, at_work: _AtWork) -> Triaged | None:
        """The job of an earlier event, where it was decided on and never begun."""
        return Triaged(job_id=at_work.job_id, start=at_work.start, title=at_work.title) if at_work.start else None

    async def _outcomes(self, since: datetime) -> str:
        """Look at what became of delivered work, unless that was done after ``since``: many pushes need one look."""
        async with self._looking:
            if self._looked is None or self._looked[0] < since:
                began = self._clock()
                self._looked = began, await whole(self._work.sync_outcomes)
            return self._looked[1]

    async def _circumstances(self, rule: Rule, record: EventRecord, at_work: _AtWork) -> Circumstances:
        """What the books say; a fingerprint is as new as its oldest undecided event."""
        event = record.event
        waiting = await whole(self._book.undecided, event.repository, event.fingerprint, 1)
        came = waiting[0].event.received_at if waiting else event.received_at
        count = await whole(self._book.fingerprints_between, event.repository, came - STORM_WINDOW, came, rule.name)
        today = 0
        if rule.cap_per_day is not None:
            local = self._clock().astimezone(self._zone)
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            today = await whole(self._book.decided_since, rule.name, (Decided.JOB, Decided.SHIFT), midnight)
        return Circumstances(at_work=at_work.words, fingerprints=count, today=today)

    async def _at_work(self, record: EventRecord) -> _AtWork:
        """The job, or the place on a shift's list, that an earlier event of the fingerprint has and has not left."""
        last = await whole(self._book.last_worked_on, record.event.repository, record.event.fingerprint)
        if last is None or last.decision is None:
            return _AtWork()
        decision, job_id = last.decision, last.decision.job_id
        if decision.what is Decided.SHIFT:
            queued = await whole(self._book.queued_specs, decision.shift)
            if any(spec.event == last.number for spec in queued):
                words = f"The spec of event {last.number} is on the list of shift {decision.shift}"
                return _AtWork(words=words, shift=decision.shift)
            job_id = await whole(self._job_of_line, decision.shift, last.number)
        standing = await self._work.job_standing(job_id) if job_id else JobStanding.ENDED
        if standing is JobStanding.ENDED:
            return _AtWork()
        words = f"Job {job_id}, started for event {last.number}, is open still"
        if standing is JobStanding.OPEN or decision.what is Decided.SHIFT:
            return _AtWork(words=words, job_id=job_id, shift=decision.shift)
        start = await whole(self._work.job_again, job_id)
        return _AtWork(words=words, job_id=job_id, title=start.title, start=start)

    def _job_of_line(self, shift: str, number: int) -> str:
        """The job that a shift has begun for an event; empty if none is known."""
        for night in self._book.nights(shift, NIGHTS_LOOKED_BACK):
            for line in self._book.lines(night.row.night.id):
                if line.event == number and line.job_id:
                    return line.job_id
        return ""

    async def _begin(self, rule: Rule, record: EventRecord) -> Triaged:
        if rule.work is Work.SHIFT and not await self._work.has_shift(rule.shift):
            gone = f"there is no shift {rule.shift}, and so no night that would find it; see `thirdshift shift create`"
            return await self._refuse(rule, record, gone)
        try:
            made = await whole(self._work.make_spec, rule, record)
            if rule.work is Work.SHIFT:
                return await self._queue(rule, record, made)
            opened = await whole(self._work.open_job, made)
        except RepositoryUnreachable as error:
            if activity.info().attempt < UNREACHABLE_TRIES:
                raise
            return await self._refuse(rule, record, error)
        except (BadInput, PriceUnknown, ModelsUnavailable) as error:
            return await self._refuse(rule, record, error)
        except (ThirdshiftError, OSError):
            raise
        except Exception as error:
            # A fault of our own that one event brings out. Tried for ever, it would keep its place from all others.
            if activity.info().attempt < UNREACHABLE_TRIES:
                raise
            _log.exception("event %d cannot be worked on", record.number)
            fault = f"a fault of Thirdshift, {type(error).__name__}; see the worker's log"
            return await self._refuse(rule, record, fault)
        why = f"Rule {rule.name} wants a job for it."
        decision = Decision(what=Decided.JOB, why=why, rule=rule.name, job_id=opened.job_id, at=self._clock())
        return await self._keep(
            record, decision, Triaged(job_id=opened.job_id, start=opened.start, title=opened.start.title)
        )

    async def _refuse(self, rule: Rule, record: EventRecord, error: ThirdshiftError | str) -> Triaged:
        why = f"Rule {rule.name} wants it, but its spec cannot be worked on: {error}"
        return await self._note(record, Decided.REFUSED, why, rule.name)

    async def _queue(self, rule: Rule, record: EventRecord, made: SpecMade) -> Triaged:
        queued = QueuedSpec(
            shift=rule.shift,
            spec_path=made.path,
            title=made.title,
            priority=made.priority,
            event=record.number,
            queued_at=self._clock(),
        )
        await whole(self._book.queue_spec, queued)
        why, at = f"Rule {rule.name} adds it to shift {rule.shift}.", self._clock()
        decision = Decision(what=Decided.SHIFT, why=why, rule=rule.name, shift=rule.shift, at=at)
        return await self._keep(record, decision, await whole(self._in_shift, rule.shift))

    def _in_shift(self, shift: str) -> Triaged:
        newest = next(iter(self._book.nights(shift, 1)), None)
        open_now = newest is not None and newest.closed_at is None
        return Triaged(shift=shift, night=newest.row.workflow_id if newest and open_now else "")

    async def _note(
        self, record: EventRecord, what: Decided, why: str, rule: str, triaged: Triaged | None = None
    ) -> Triaged:
        decision = Decision(what=what, why=why[:_WHY_CHARACTERS], rule=rule, at=self._clock())
        return await self._keep(record, decision, triaged or Triaged())

    async def _keep(self, record: EventRecord, decision: Decision, triaged: Triaged) -> Triaged:
        """Note the decision; where another run of this activity was faster, its decision is the one to follow."""
        if await whole(self._book.decide_event, record.number, decision):
            return triaged
        return await self._as_decided(await whole(self._book.event, record.number))

    async def _as_decided(self, record: EventRecord) -> Triaged:
        """What follows from a decision that has been noted before, as far as it has not happened yet."""
        decision = record.decision
        if decision is None:
            return Triaged()
        if decision.what is Decided.SHIFT:
            return await whole(self._in_shift, decision.shift)
        if decision.job_id and await self._work.job_standing(decision.job_id) is JobStanding.NEVER_BEGUN:
            start = await whole(self._work.job_again, decision.job_id)
            return Triaged(job_id=decision.job_id, start=start, title=start.title)
        return Triaged(storm=decision.what is Decided.STORM)
