"""The window that a job and its loops keep to: when nothing more is begun, and when what runs is cut off.

The instants come from outside; zones and calendars are never asked for in a workflow. See ``core.nights``.
"""

from __future__ import annotations

from temporalio import workflow

from thirdshift.core.nights import NightWindow


class OpenHours:
    """One workflow's window. Without one it may work at any time, and nothing here makes a command."""

    def __init__(self, window: NightWindow | None) -> None:
        self.window = window
        self.closed = False
        """Whether the window's end has passed, so that what runs is cut off."""
        self.closings = 0
        """How often it has closed: a step that it cut off is told by this from one that somebody stopped."""
        self.opened_by = ""
        """The night, or the person, that let the work go on last."""
        self._shift = _shift_of(window)
        self._spent = ""

    @property
    def in_a_night(self) -> bool:
        """Whether the work has anything to do with nights."""
        return bool(self._shift)

    @property
    def outside(self) -> bool:
        """Whether a person has let it go on outside of every window."""
        return self.in_a_night and self.window is None

    def open(self, window: NightWindow) -> None:
        """Take a new window."""
        self.window, self.closed, self._spent = window, False, ""
        self._shift, self.opened_by = _shift_of(window), f"the night {window.night}"

    def lift(self, who: str) -> None:
        """Go on without any window, because a person says so."""
        self.window, self.closed, self._spent, self.opened_by = None, False, "", who

    def shut(self, why: str, shift: str = "") -> None:
        """Nothing more can be begun in this window, though it is open: its money is spent, or the books close it."""
        self._spent = why
        self._shift = self._shift or shift or "unknown"

    def why_rest(self) -> str:
        """Why nothing may be begun now; empty where it may."""
        if self._spent:
            return self._spent
        if self.window is None or workflow.now() < self.window.drains_at:
            return ""
        return f"the window of night {self.window.night} takes no more steps since {self.window.drains_at:%H:%M:%S} UTC"

    def awaited(self) -> str:
        """What is waited for while parked, in words."""
        return f"the next window of shift {self._shift} ({self.why_rest()})"

    async def watch(self) -> None:
        """Close at the window's end, whichever window it is by then: one timer for each."""
        while True:
            await workflow.wait_condition(lambda: self.window is not None and not self.closed)
            window = self.window
            left = (window.closes_at - workflow.now()).total_seconds() if window else 0.0
            if left > 0:
                try:
                    await workflow.wait_condition(lambda window=window: self.window is not window, timeout=left)  # type: ignore[misc]
                    continue
                except TimeoutError:
                    pass
            self.closed = True
            self.closings += 1


def _shift_of(window: NightWindow | None) -> str:
    return window.night.partition("|")[0] if window else ""
