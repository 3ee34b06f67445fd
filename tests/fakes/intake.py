"""The activities of an ``Intake``, played from a plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from thirdshift.intake_signatures import Arrival, Found, StormTold, Triage, Triaged, Undecided


@dataclass
class FakeIntake:
    """What each fingerprint is answered with; nothing to do for one that is not named."""

    answers: dict[str, Triaged] = field(default_factory=dict)
    lost: list[Arrival] = field(default_factory=list)
    """Undecided events that the ledger knows, until they are triaged."""
    fails_first: set[str] = field(default_factory=set)
    """Fingerprints whose first triage fails."""
    no_such_event: set[str] = field(default_factory=set)
    triages: list[Triage] = field(default_factory=list)
    scheduled: list[float] = field(default_factory=list)
    """When each was asked for, in seconds of the server's clock."""
    storms: list[str] = field(default_factory=list)
    go_on: asyncio.Event | None = None
    """If given, no triage ends before it is set."""

    def activities(self) -> list[Callable[..., Any]]:
        """All of them, named as the signatures are."""

        @activity.defn
        async def triage(given: Triage) -> Triaged:
            if given.fingerprint in self.no_such_event:
                raise ApplicationError("no such event", type="NoSuchEvent", non_retryable=True)
            if given.fingerprint in self.fails_first:
                self.fails_first.remove(given.fingerprint)
                raise ConnectionError("the ledger is away")
            if self.go_on is not None:
                while not self.go_on.is_set():
                    activity.heartbeat()
                    await asyncio.sleep(0.02)
            self.triages.append(given)
            self.scheduled.append(activity.info().scheduled_time.timestamp())
            self.lost = [
                one for one in self.lost if (one.fingerprint, one.number <= given.up_to) != (given.fingerprint, True)
            ]
            return self.answers.get(given.fingerprint, Triaged())

        @activity.defn
        async def find_undecided(given: Undecided) -> Found:
            return Found(arrivals=tuple(self.lost[: given.most]))

        @activity.defn
        async def tell_storm(given: StormTold) -> None:
            self.storms.append(given.repository)

        return [triage, find_undecided, tell_storm]

    def decided(self) -> dict[str, int]:
        """The highest number that each fingerprint was decided up to."""
        found: dict[str, int] = {}
        for one in self.triages:
            found[one.fingerprint] = max(one.up_to, found.get(one.fingerprint, 0))
        return found
