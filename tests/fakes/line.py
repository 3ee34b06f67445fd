"""Activities that play a loop's outside world from a plan, for tests of orchestration alone.

They implement ``thirdshift.signatures`` under the same names and types; a test elsewhere holds the real ones
against the same stubs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from tests.fakes.line_people import FakePeople
from thirdshift import signatures
from thirdshift.core.frozen import Frozen
from thirdshift.core.verdict import VerdictBrief


def tree_of(letter: str) -> str:
    """A forty-character name for a tree."""
    return letter * 40


@dataclass
class FakeLine:
    """What each attempt does: the tree it ends on, and whether the checks pass on it."""

    passes_on: str = "c"
    passes_too: Sequence[str] = ()
    """More trees on which the checks pass."""
    trees: Sequence[str] = ("a", "b", "c")
    faults: dict[int, str] = field(default_factory=dict)
    """Attempt number to the fault that its first call answers with."""
    back_at: datetime | None = None
    """When a provider that fails says that it is back."""
    short_of: str = ""
    """The scope that a fault of the kind ``budget`` names."""
    steps: int = 2
    hang_in: str = ""
    """Name of the activity that waits until it is cancelled."""
    hold_in: str = ""
    """Name of the activity whose first run waits until ``go_on`` is set."""
    holds_fast: bool = False
    """Whether what is held is carried to its end though it is cancelled meanwhile."""
    plan_fails: bool = False
    """Whether every try of the plan's call fails, in a way that may pass."""
    broken_host: str = ""
    """A host that claims the first loop and then is never seen again."""
    plan_fault: str = ""
    dies_of: str = ""
    """The fault that comes out of the hanging activity when it is cancelled, instead of the cancellation."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Name of an activity to the type of the error that it fails with for good."""
    seen: list[tuple[str, Frozen]] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    people: FakePeople = field(init=False)

    def __post_init__(self) -> None:
        self.people = FakePeople(note=self._note)

    def names(self) -> list[str]:
        """Activities in the order in which they ran."""
        return [name for name, _ in self.seen]

    def given(self, name: str) -> list[Any]:
        """Inputs of one activity, in order."""
        return [given for seen, given in self.seen if seen == name]

    async def _note(self, name: str, given: Frozen) -> None:
        self.seen.append((name, given))
        if self.hold_in == name and not self.held.is_set():
            self.held.set()
            while not self.go_on.is_set():
                activity.heartbeat()
                try:
                    await asyncio.sleep(0.05)
                except asyncio.CancelledError:
                    self.cancelled.set()
                    if not self.holds_fast:
                        raise
        if name in self.refuses:
            raise ApplicationError("as planned", type=self.refuses[name], non_retryable=True)
        if self.hang_in == name:
            self.hanging.set()
            try:
                while True:
                    activity.heartbeat()
                    await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                if self.dies_of:
                    raise ApplicationError("as planned", type=self.dies_of) from None
                raise

    def activities(self) -> list[Callable[..., Any]]:
        """All of them, named as the signatures are."""

        @activity.defn
        async def begin_job(given: signatures.BeginJob) -> None:
            await self._note("begin_job", given)

        @activity.defn
        async def keep_plan(given: signatures.ModelCalled) -> None:
            await self._note("keep_plan", given)

        @activity.defn
        async def open_loop(given: signatures.OpenLoop) -> signatures.LoopOpened:
            await self._note("open_loop", given)
            claims = len(self.given("open_loop"))
            host = self.broken_host if self.broken_host and claims == 1 else "here"
            return signatures.LoopOpened(queue=signatures.host_queue(host))

        @activity.defn
        async def open_attempt(given: signatures.OpenAttempt) -> signatures.AttemptOpened:
            await self._note("open_attempt", given)
            return signatures.AttemptOpened(host="here")

        @activity.defn
        async def call_model(given: signatures.CallModel) -> signatures.ModelCalled:
            await self._note("call_model", given)
            if given.n == 0:
                return self._planned()
            if fault := self.faults.get(given.n):
                return signatures.ModelCalled(
                    fault=fault, note=f"{fault} as planned", scope=self.short_of, back_at=self.back_at
                )
            return signatures.ModelCalled(call=given.n * 1000 + given.s, stop="tools")

        @activity.defn
        async def run_tools(given: signatures.RunTools) -> signatures.ToolsRan:
            await self._note("run_tools", given)
            step = given.call % 1000
            tree = self.trees[min(given.n, len(self.trees)) - 1]
            return signatures.ToolsRan(
                tree=tree_of(tree), commit=f"commit-{tree}", sig=f"{given.n}-{step}", finished=step == self.steps
            )

        @activity.defn
        async def verify(given: signatures.Verify) -> VerdictBrief:
            await self._note("verify", given)
            ok = given.tree in map(tree_of, (self.passes_on, *self.passes_too))
            return VerdictBrief(
                id=given.n + 1,
                tree=given.tree,
                passed=("lint", "unit") if ok else ("lint",),
                failed=() if ok else ("unit",),
                signature="" if ok else f"s{given.n}",
            )

        @activity.defn
        async def close_attempt(given: signatures.CloseAttempt) -> signatures.AttemptClosed:
            await self._note("close_attempt", given)
            return signatures.AttemptClosed(cost_nano=1_000_000)

        @activity.defn
        async def finish_job(given: signatures.FinishJob) -> signatures.JobFinished:
            await self._note("finish_job", given)
            spent = 1_000_000 * len(self.given("close_attempt"))
            return signatures.JobFinished(branch="thirdshift/job", commit="f" * 40, cost_nano=spent)

        return [
            begin_job,
            keep_plan,
            open_loop,
            open_attempt,
            call_model,
            run_tools,
            verify,
            close_attempt,
            finish_job,
            *self.people.activities(),
        ]

    def _planned(self) -> signatures.ModelCalled:
        if self.plan_fails:
            raise ApplicationError("the provider is down")
        return signatures.ModelCalled(call=1, stop="end", fault=self.plan_fault)

    def workers(self, client: Client, providers: Sequence[str] = ("cheap", "dear")) -> list[Worker]:
        """One worker for each queue that the activities are called on."""
        queues = [
            signatures.HOSTS_QUEUE,
            signatures.DELIVERY_QUEUE,
            signatures.host_queue("here"),
            *(signatures.model_queue(provider) for provider in providers),
        ]
        return [Worker(client, task_queue=queue, activities=self.activities()) for queue in queues]
