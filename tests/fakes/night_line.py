"""A night's activities, played from a plan, beside a line that plays its jobs'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from tests.fakes.line import FakeLine
from thirdshift import night_signatures as stubs
from thirdshift.core.admission import Candidate
from thirdshift.core.night_book import NightSums
from thirdshift.core.nights import Night, NightWindow
from thirdshift.signatures import JobInput

HOUR = timedelta(hours=1)


def candidate(name: str, **more: Any) -> Candidate:
    """A spec on the list; its job is ``job-<name>``."""
    said: dict[str, Any] = {
        "key": f"/specs/{name}.md",
        "job_id": f"job-{name}",
        "spec_path": f"/specs/{name}.md",
        "title": f"Spec {name}",
        "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC),
        "provider": "cheap",
    }
    return Candidate.model_validate(said | more)


@dataclass
class FakeNights(FakeLine):
    """One night whose window begins when it is opened. ``job`` is what every candidate is started with."""

    job: JobInput | None = None
    listed: tuple[Candidate, ...] = ()
    queued: tuple[Candidate, ...] = ()
    """What ``list_more`` finds."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Job id to why it cannot be begun."""
    lasts: timedelta = 8 * HOUR
    open_since: timedelta = timedelta(0)
    """How long before its workflow the night's window began."""
    drain: timedelta = timedelta(minutes=5)
    by_hand: bool = False
    not_opened: str = ""
    sums: NightSums = field(default_factory=lambda: NightSums(limit_nano=40_000_000_000))
    later_sums: NightSums | None = None
    """What the sums are from the second time on that they are asked for."""
    morning_fails: bool = False

    def night(self, now: datetime) -> Night:
        """The night that begins now."""
        return Night(
            id="nightly|2026-11-21",
            shift="nightly",
            day=now.date(),
            opens_at=now - self.open_since,
            drains_at=now + self.lasts - self.drain,
            closes_at=now + self.lasts,
            by_hand=self.by_hand,
        )

    def activities(self) -> list[Callable[..., Any]]:
        """Those of a job, and those of a night."""

        @activity.defn
        async def open_night(given: stubs.OpenNight) -> stubs.NightOpened:
            await self._note("open_night", given)
            if self.not_opened:
                return stubs.NightOpened(night=None, why=self.not_opened)
            return stubs.NightOpened(night=self.night(given.started_at), candidates=self.listed)

        @activity.defn
        async def list_more(given: stubs.ListMore) -> stubs.MoreListed:
            await self._note("list_more", given)
            return stubs.MoreListed(candidates=self.queued)

        @activity.defn
        async def admit_job(given: stubs.AdmitJob) -> stubs.JobAdmitted:
            await self._note("admit_job", given)
            found = given.candidate
            if why := self.refusals.get(found.job_id):
                return stubs.JobAdmitted(refused=why)
            if found.parked:
                return stubs.JobAdmitted(job_id=found.job_id)
            assert self.job is not None
            window = NightWindow(
                night=given.night.id,
                shift_workflow=given.shift_workflow,
                drains_at=given.night.drains_at,
                closes_at=given.night.closes_at,
            )
            return stubs.JobAdmitted(start=self.job.model_copy(update={"window": window}), job_id=found.job_id)

        return [*super().activities(), *self._books(), open_night, list_more, admit_job]

    def _books(self) -> list[Callable[..., Any]]:
        @activity.defn
        async def leave_line(given: stubs.LeaveLine) -> None:
            await self._note("leave_line", given)

        @activity.defn
        async def jobs_gone(given: stubs.AskJobs) -> stubs.JobsGone:
            await self._note("jobs_gone", given)
            return stubs.JobsGone(jobs=given.jobs)

        @activity.defn
        async def night_standing(given: stubs.NightStanding) -> NightSums:
            await self._note("night_standing", given)
            first = len(self.given("night_standing")) == 1
            return self.sums if first or self.later_sums is None else self.later_sums

        @activity.defn
        async def close_night(given: stubs.CloseNight) -> stubs.NightClosed:
            await self._note("close_night", given)
            return stubs.NightClosed(settled_nano=3)

        @activity.defn
        async def tell_morning(given: stubs.CloseNight) -> None:
            await self._note("tell_morning", given)
            if self.morning_fails:
                raise ApplicationError("the mail server is down")

        return [leave_line, jobs_gone, night_standing, close_night, tell_morning]
