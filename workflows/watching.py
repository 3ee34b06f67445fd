"""What a night has come to, looked at on a durable timer: its circuit breaker, and jobs that went without a word."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from thirdshift import night_signatures
from thirdshift.core.breaker import breaker_interval_seconds, why_trip
from thirdshift.core.night_book import NightSums
from thirdshift.core.nights import Night
from thirdshift.core.shifts import ShiftPlan
from thirdshift.night_signatures import ShiftMemory
from workflows import options
from workflows.places import Places

LOOKING = timedelta(minutes=2)
"""How long the books are asked; then the night goes on without, and asks again. It ends on time, whatever is down."""


class Watch:
    """The night's sums, and whether they have tripped its breaker.

    The breaker judges what has come about since this workflow has had the night. Of a night that is opened late, or
    once more, what was before is no news, and would trip it at once.
    """

    def __init__(self, plan: ShiftPlan, places: Places, memory: ShiftMemory | None) -> None:
        self._plan = plan
        self._places = places
        self.began_at = memory.began_at if memory else None
        self.before = memory.before if memory else None
        """What the sums were then."""
        self._judged_at: datetime | None = None
        self.sums = NightSums()
        self.counted_at: datetime | None = None
        """When the sums were read."""
        self.tripped = ""

    def next_look(self, night: Night) -> datetime:
        """When the sums are looked at next."""
        return (self._judged_at or night.opens_at) + timedelta(seconds=breaker_interval_seconds(night))

    def is_due(self, night: Night) -> bool:
        """Whether that is now. With nobody at work there is nothing to look at."""
        return bool(self._places.running) and workflow.now() >= self.next_look(night)

    async def take_stock(self, night: Night) -> bool:
        """Read the sums; whether they could be read."""
        try:
            self.sums = await workflow.execute_activity(
                night_signatures.night_standing,
                night_signatures.NightStanding(night_id=night.id),
                start_to_close_timeout=options.LEDGER_WORK,
                schedule_to_close_timeout=LOOKING,
                retry_policy=options.RETRY,
            )
        except ActivityError:
            workflow.logger.warning("the books of night %s cannot be read now", night.id)
            return False
        self.counted_at = workflow.now()
        if self.before is None:
            self.before, self.began_at = self.sums, workflow.now()
        return True

    async def judge(self, night: Night) -> None:
        """Look at the night's sums; on an anomaly everything is to be halted. Also see who is gone without a word."""
        self._judged_at = workflow.now()
        if await self.take_stock(night):
            now = workflow.now()
            self.tripped = why_trip(self._plan, night, self.sums, now, self.before, self.began_at) or ""
        if unwatched := self._places.unwatched():
            try:
                gone = await workflow.execute_activity(
                    night_signatures.jobs_gone,
                    night_signatures.AskJobs(jobs=unwatched),
                    start_to_close_timeout=options.LEDGER_WORK,
                    schedule_to_close_timeout=LOOKING,
                    retry_policy=options.RETRY,
                )
            except ActivityError:
                workflow.logger.warning("which jobs of night %s are gone cannot be asked now", night.id)
                return
            for job_id in gone.jobs:
                self._places.leave(job_id)
