"""What a job tells the night that it works in: it runs, it waits for a person, it is parked, it has ended."""

from __future__ import annotations

from thirdshift.core.history import StopReason
from thirdshift.night_signatures import JobIs
from workflows.halting import Told
from workflows.telling import told_outside
from workflows.windows import OpenHours


class NightReport:
    """Each change is told once, in order, by whoever comes first; a job outside of every window tells nobody."""

    def __init__(self, job_id: str, hours: OpenHours) -> None:
        self._hours = hours
        self._job_id = job_id
        self._now: Told = "running"
        self._is = JobIs(job_id=job_id, state="running")
        self._told: tuple[str, JobIs] | None = None
        self._telling = False

    async def ended(self, stop: StopReason) -> None:
        """Tell that the job has ended."""
        self._is = JobIs(job_id=self._job_id, state="ended", stop=stop.value)
        await self._tell()

    async def now(self, state: Told) -> None:
        """Tell what the job is doing."""
        self._now, self._is = state, JobIs(job_id=self._job_id, state=state)
        await self._tell()

    async def to_new_night(self) -> None:
        """Tell a night that has just opened its window; what was parked goes on with that, unless it came too late."""
        self._told = None
        goes_on = self._now == "parked" and not self._hours.why_rest()
        await self.now("running" if goes_on else self._now)

    async def _tell(self) -> None:
        if self._telling:
            return
        self._telling = True
        try:
            while (window := self._hours.window) and (window.shift_workflow, self._is) != self._told:
                self._told = (window.shift_workflow, self._is)
                await told_outside(window.shift_workflow, "job_is", self._told[1])
        finally:
            self._telling = False
