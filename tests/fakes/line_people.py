"""The activities through which people are asked and heard, played from memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from thirdshift import gate_signatures as stubs
from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_facts import CheckLine, GateFacts

DIFF = "\n".join(f"+line {number}" for number in range(30))


@dataclass
class FakePeople:
    """Numbers gates as the ledger does, and notes everything that it is given."""

    note: Callable[[str, Frozen], Awaitable[None]]
    gates: int = 0
    notifier_fails: bool = False
    ledger_fails: bool = False

    def activities(self) -> list[Callable[..., Any]]:
        """All of them, named as the signatures are."""

        @activity.defn
        async def open_gate(given: stubs.OpenGate) -> stubs.GateOpened:
            await self.note("open_gate", given)
            self.gates += 1
            facts = GateFacts(
                title="a title",
                checks=(CheckLine(id="unit", state="pass", seconds=1.0),),
                cost_nano=120_000_000,
                budget_nano=1_500_000_000,
                excerpt=DIFF,
                excerpt_of="diff",
                excerpt_lines=30,
                links=("thirdshift diff job",),
            )
            return stubs.GateOpened(seq=self.gates, facts=facts)

        @activity.defn
        async def decide_gate(given: stubs.DecideGate) -> None:
            await self.note("decide_gate", given)

        @activity.defn
        async def notify(given: stubs.Notice) -> None:
            await self.note("notify", given)
            if self.notifier_fails:
                raise ApplicationError("the mail server is down")

        @activity.defn
        async def say(given: stubs.Say) -> None:
            await self.note("say", given)

        @activity.defn
        async def note_steering(given: stubs.Steered) -> None:
            await self.note("note_steering", given)

        @activity.defn
        async def raise_budget(given: stubs.RaiseBudget) -> None:
            await self.note("raise_budget", given)
            if self.ledger_fails:
                raise ApplicationError("the ledger is gone", non_retryable=True)

        @activity.defn
        async def rest_job(given: stubs.RestJob) -> None:
            await self.note("rest_job", given)

        @activity.defn
        async def wake_job(given: stubs.WakeJob) -> None:
            await self.note("wake_job", given)

        return [open_gate, decide_gate, notify, say, note_steering, raise_budget, rest_job, wake_job]
