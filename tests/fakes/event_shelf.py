"""Events kept in memory: as much of the book of events as a listener needs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from thirdshift.core.errors import LedgerUnavailable
from thirdshift.core.event_book import Decided, Decision, Event, EventRecord


class EventShelf:
    """What a listener asks for, and ``decide_event``. ``broken`` refuses to keep anything."""

    def __init__(self) -> None:
        self.broken = False
        self._records: list[EventRecord] = []
        self._lock = threading.Lock()

    def put_event(self, event: Event) -> tuple[int, bool]:
        with self._lock:
            if self.broken:
                raise LedgerUnavailable("the disk is full; free some space")
            for record in self._records:
                if (record.event.source, record.event.delivery) == (event.source, event.delivery):
                    return record.number, False
            self._records.append(EventRecord(number=len(self._records) + 1, event=event))
            return len(self._records), True

    def put_events(self, told: Sequence[Event]) -> Sequence[tuple[int, bool]]:
        return [self.put_event(event) for event in told]

    def event(self, number: int) -> EventRecord:
        if not 0 < number <= len(self._records):
            raise KeyError(number)
        return self._records[number - 1]

    def events(self, limit: int, *, undecided: bool = False, repository: str | None = None) -> Sequence[EventRecord]:
        found = [r for r in reversed(self._records) if not (undecided and r.decision)]
        return [r for r in found if repository in (None, r.event.repository)][:limit]

    def decide_event(self, number: int, decision: Decision) -> bool:
        record = self.event(number)
        if record.decision is not None:
            return False
        self._records[number - 1] = record.model_copy(update={"decision": decision})
        return True

    def undecided(self, repository: str, fingerprint: str, limit: int, *, after: int = 0) -> Sequence[EventRecord]:
        raise NotImplementedError("a listener asks for no such thing")

    def newest_undecided(self, limit: int) -> Sequence[EventRecord]:
        newest = {record.event.repository: record for record in self._records if record.decision is None}
        return list(newest.values())[:limit]

    def count_undecided(self, repository: str, fingerprint: str) -> int:
        raise NotImplementedError("a listener asks for no such thing")

    def decide_rest(self, repository: str, fingerprint: str, up_to: int, decision: Decision) -> int:
        raise NotImplementedError("a listener asks for no such thing")

    def decided_since(self, rule: str, what: Sequence[Decided], since: datetime) -> int:
        raise NotImplementedError("a listener asks for no such thing")

    def received_since(self, repository: str, since: datetime) -> int:
        raise NotImplementedError("a listener asks for no such thing")

    def fingerprints_between(self, repository: str, since: datetime, until: datetime, rule: str) -> int:
        raise NotImplementedError("a listener asks for no such thing")

    def last_worked_on(self, repository: str, fingerprint: str) -> EventRecord | None:
        raise NotImplementedError("a listener asks for no such thing")

    def last_job_for(self, repository: str, fingerprint: str) -> str:
        raise NotImplementedError("a listener asks for no such thing")
