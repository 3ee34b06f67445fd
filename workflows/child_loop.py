"""The loop that works for a job: begun, told what people and windows say, and waited for."""

from __future__ import annotations

from typing import Any, Literal

from temporalio import workflow

from thirdshift.core.gate_memory import PeopleMemory
from thirdshift.core.history import LoopPolicy
from thirdshift.core.nights import NightWindow
from thirdshift.core.steering import Halt, Order, Words
from thirdshift.signatures import JobInput, LoopInput, LoopMemory, LoopResult, PacketInput, Standing
from workflows.halting import Brake, Told
from workflows.hearing import Hearing
from workflows.loop import Loop
from workflows.telling import told


class ChildLoop:
    """One loop at a time. To tell it something when there is none, or when it has just ended, does no harm."""

    def __init__(self, job_id: str, given: JobInput, brake: Brake, hearing: Hearing) -> None:
        self._job_id = job_id
        self._given = given
        self._brake = brake
        self._hearing = hearing
        self._handle: workflow.ChildWorkflowHandle[Loop, LoopResult] | None = None
        self.state: Told = "running"
        """What it said last of itself."""

    @property
    def parked(self) -> bool:
        """Whether it waits for the next window."""
        return self._handle is not None and self.state == "parked"

    async def tell(self, signal: Any, what: object) -> bool:
        """Send it a signal; whether it got there."""
        return self._handle is not None and await told(self._handle, signal, what)

    async def run(
        self, packet: PacketInput, start: Standing, policy: LoopPolicy, memory: LoopMemory | None = None
    ) -> LoopResult:
        """Work on a packet, anew or on from a memory, until its loop has ended."""
        given, window = self._given, self._brake.hours.window
        people = PeopleMemory(paused_by=self._brake.paused_by, unheard=self._hearing.take_all())
        self.state = "running"
        self._handle = await workflow.start_child_workflow(
            Loop.run,
            LoopInput(
                job_id=self._job_id,
                packet=packet,
                title=given.title,
                repository=given.repository,
                task=given.task,
                risk=given.risk,
                start=start,
                policy=policy,
                attempts_before=given.attempts_before,
                history=memory.history if memory else None,
                commits=memory.commits if memory else {},
                queue=memory.queue if memory else "",
                terms=given.terms,
                people=people,
                window=window,
            ),
            id=f"loop-{self._job_id}-{packet.id}",
        )
        await self._catch_up(people, window)
        try:
            return await self._handle
        finally:
            self._handle = None

    async def _catch_up(self, given: PeopleMemory, window: NightWindow | None) -> None:
        """Tell it what people and windows said while it was being started."""
        brake = self._brake
        if brake.halted_for is not None:
            await self.tell(Loop.halt, Halt(reason=brake.halted_for, words=brake.stop_asked or ""))
        elif brake.stop_asked is not None:
            await self.tell(Loop.stop_loop, brake.stop_asked)
        if brake.hours.window is not None and brake.hours.window != window:
            await self.tell(Loop.window_opens, brake.hours.window)
        if brake.paused_by != given.paused_by:
            what: Literal["pause", "resume"] = "pause" if brake.paused_by else "resume"
            await self.tell(Loop.told, Order(what=what, who=brake.paused_by))
        for words in self._hearing.take_all():
            await self.tell(Loop.told, Order(what="steer", who=words.who, text=words.text))

    async def bring(self, words: Words) -> bool:
        """Bring it a person's words; whether it has them."""
        return await self.tell(Loop.told, Order(what="steer", who=words.who, text=words.text))
