"""Refusals in the log: told, and not so often that a flood of them fills the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable

_SECONDS = 60.0
_log = logging.getLogger(__name__)


class FewWarnings(logging.Filter):
    """Lets each warning of the HTTP server through once a minute: any stranger's nonsense causes one."""

    def __init__(self, steady: Callable[[], float]) -> None:
        super().__init__()
        self._steady = steady
        self._told_at: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told; a place in the code is a warning, whatever its words."""
        if record.levelno > logging.WARNING:
            return True
        place, now = (record.pathname, record.lineno), self._steady()
        if now - self._told_at.get(place, -_SECONDS) < _SECONDS:
            return False
        self._told_at[place] = now
        return True


class RefusalLog:
    """Counts by source and status, and tells at most once a minute for each."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._told_at: dict[tuple[str, int], float] = {}
        self._since: dict[tuple[str, int], int] = {}

    def note(self, source: str, status: int) -> None:
        """One more. ``source`` is a configured name, never what a stranger sent."""
        key, now = (source, status), self._steady()
        self._since[key] = self._since.get(key, 0) + 1
        if now - self._told_at.get(key, -_SECONDS) < _SECONDS:
            return
        _log.warning("source %s: %d deliveries answered with %d", source, self._since.pop(key), status)
        self._told_at[key] = now
