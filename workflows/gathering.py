"""Events that wait for their debounce window to end: the newest number of each fingerprint, and when it is due.

Pure: the time is given. Every operation takes time that does not grow with what waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from thirdshift.intake_signatures import Arrival, Pending

MOST_WAITING = 2_000
"""Beyond this many, whoever has waited longest is due at once: what waits has to fit into one message."""


class Gathering:
    """Fingerprints in the order in which their windows end."""

    def __init__(self, debounce_seconds: float, longest_seconds: float, pending: Iterable[Pending] = ()) -> None:
        self._debounce = timedelta(seconds=debounce_seconds)
        self._longest = timedelta(seconds=longest_seconds)
        kept = list(pending)
        # Two orders, since a window ends either so long after its last event or so long after its first one.
        self._by_last = {one.fingerprint: one for one in sorted(kept, key=lambda one: one.last_at)}
        self._by_first = {one.fingerprint: one.first_at for one in sorted(kept, key=lambda one: one.first_at)}

    def __len__(self) -> int:
        return len(self._by_last)

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Everything that waits."""
        return tuple(self._by_last.values())

    def add(self, arrival: Arrival, now: datetime) -> None:
        """An event has come; the window of its fingerprint ends later for it, or is opened."""
        name = arrival.fingerprint
        known = self._by_last.pop(name, None)
        self._by_first.setdefault(name, now)
        self._by_last[name] = Pending(
            fingerprint=name,
            first_at=known.first_at if known else now,
            last_at=now,
            up_to=max(known.up_to, arrival.number) if known else arrival.number,
            count=known.count + 1 if known else 1,
        )

    def next_due(self, busy: Collection[str], now: datetime) -> datetime | None:
        """When the next window ends, of fingerprints that are not ``busy``; None if nothing waits."""
        ends = [end for _, end in self._fronts(busy)]
        return min(ends, default=None) if len(self) <= MOST_WAITING or not ends else now

    def take_due(self, busy: Collection[str], now: datetime) -> Pending | None:
        """Take out one whose window has ended; None if there is none that is not ``busy``."""
        fronts = sorted(self._fronts(busy), key=lambda front: front[1])
        if not fronts or (fronts[0][1] > now and len(self) <= MOST_WAITING):
            return None
        name = fronts[0][0]
        del self._by_first[name]
        return self._by_last.pop(name)

    def _fronts(self, busy: Collection[str]) -> Iterator[tuple[str, datetime]]:
        """The one whose last event is longest ago, and the one whose first is, each with the end of its window."""
        for name, last in self._by_last.items():
            if name not in busy:
                yield name, last.last_at + self._debounce
                break
        for name, first_at in self._by_first.items():
            if name not in busy:
                yield name, first_at + self._longest
                break
