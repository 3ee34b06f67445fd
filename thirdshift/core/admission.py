"""Admission, pure: which spec of a night goes on next, and why another one does not."""

from __future__ import annotations

from datetime import datetime

from thirdshift.core.frozen import Frozen


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
