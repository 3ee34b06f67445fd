"""A loop's own time: what its wall clock counts, and what it does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from temporalio import workflow


class WorkClock:
    """Counts the time since the start without the time spent waiting for people.

    ``max_wall`` bounds work, so a gate that is open over a weekend, or a pause, uses none of it. The window is a
    time of day at which machines and money are to rest, so it closes whoever is being waited for.
    """

    def __init__(
        self,
        started_at: datetime,
        max_wall_seconds: float,
        closes_at: datetime | None,
        waited_seconds: float,
    ) -> None:
        self.out_of_time = False
        self._started_at = started_at
        self._max_wall_seconds = max_wall_seconds
        self._closes_at = closes_at
        self._waited_seconds = waited_seconds
        self._waiting_since: datetime | None = None

    @property
    def waited_seconds(self) -> float:
        """How long people were waited for, up to now."""
        if self._waiting_since is None:
            return self._waited_seconds
        return self._waited_seconds + (workflow.now() - self._waiting_since).total_seconds()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """The loop's time stands still until the block is left."""
        self._waiting_since = workflow.now()
        try:
            yield
        finally:
            self._waited_seconds = self.waited_seconds
            self._waiting_since = None

    async def watch(self) -> None:
        """Set ``out_of_time`` when it is due. One timer for the whole run: one for each step would cost events."""
        while (left := self._seconds_left()) > 0:
            await asyncio.sleep(left)
            if self._waiting_since is not None and not self._window_closed():
                await workflow.wait_condition(lambda: self._waiting_since is None)
        self.out_of_time = True

    def _window_closed(self) -> bool:
        return self._closes_at is not None and self._closes_at <= workflow.now()

    def _seconds_left(self) -> float:
        ends = [self._started_at + timedelta(seconds=self._max_wall_seconds + self.waited_seconds)]
        if self._closes_at:
            ends.append(self._closes_at)
        return (min(ends) - workflow.now()).total_seconds()
