"""Lives through the simulated fortnight: begins its nights, writes its specs, sends its events, answers its gates."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from bench.rig.fortnight_books import Auditor, Books
from bench.rig.fortnight_clock import ServerClock
from bench.rig.fortnight_plan import (
    EVENT_SPECS,
    HOUR,
    MINUTE,
    REPOSITORY,
    SHIFT,
    STRAYS,
    ZONE,
    Expected,
    Story,
    expected_nights,
    make_trees,
    shift_plan,
    stories,
    trouble_in,
    write_configuration,
)
from bench.rig.fortnight_worker import connected, run_worker
from tests.workflows.time_skipping import time_skipping_server
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.bootstrap.announcing import Announcer, signal_intake
from thirdshift.bootstrap.books import open_books
from thirdshift.bootstrap.stopping import KillSwitch
from thirdshift.core.event_book import Event
from thirdshift.core.nights import Night, next_nights
from thirdshift.intake_signatures import IntakeInput
from thirdshift.night_signatures import ShiftInput, ShiftResult
from thirdshift.settings import load_settings
from thirdshift.signatures import WORKFLOW_QUEUE
from workflows.shift import SCHEDULED_AT, Shift

STORM_NIGHT, STRAYS_NIGHT, SWITCH_NIGHT = 5, 9, 11
PATIENCE_SECONDS = 30.0
UP_SECONDS = 120.0
MOST_KILLS = 3
ROLES = ("workflows", "work")


class Switch(KillSwitch):
    """The product's kill switch where the server cannot list workflows: what runs is looked up in the ledger."""

    def __init__(self, client: Client, reason: str, ledger: SqlLedger) -> None:
        super().__init__(client, reason)
        self._ledger = ledger

    async def _running(self, kind: str) -> list[str]:
        jobs = [job.job_id for job in self._ledger.open_jobs()]
        shifts = [one.row.workflow_id for one in self._ledger.nights(SHIFT, 3) if one.closed_at is None]
        return {"Shift": shifts, "Job": jobs, "Loop": [f"loop-{job}-main" for job in jobs]}[kind]


class Crew:
    """The worker processes. The one that is killed is brought up again."""

    def __init__(self, address: str, root: Path) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._given = (address, str(root))
        self._root = root
        self.kills = 0

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Both work until the block is left."""
        workflows = self._begin("workflows")
        watch = asyncio.create_task(self._watch(workflows, asyncio.current_task()))
        try:
            async with asyncio.timeout(UP_SECONDS):
                while not all((self._root / f"up-{role}").exists() for role in ROLES):  # noqa: ASYNC110 - other processes
                    await asyncio.sleep(0.1)
            yield
        finally:
            watch.cancel()
            for child in multiprocessing.active_children():
                child.kill()
                child.join()

    def _begin(self, role: str) -> BaseProcess:
        process = self._context.Process(target=run_worker, args=(*self._given, role), daemon=True)
        process.start()
        return process

    async def _watch(self, workflows: BaseProcess, boss: asyncio.Task[Any] | None) -> None:
        work = self._begin("work")
        while workflows.is_alive():
            await asyncio.sleep(0.1)
            if not work.is_alive():
                self.kills += 1
                if self.kills > MOST_KILLS and boss is not None:
                    boss.cancel("a worker ends by itself, again and again")
                    return
                work = self._begin("work")


class Fortnight:
    """One simulation, in a directory of its own."""

    def __init__(self, root: Path, counts: dict[str, int], duplicates: int) -> None:
        self._root = root
        self._counts = counts
        self._duplicates = duplicates
        self._answered: list[str] = []
        self._stopped_in = 0.0
        self._began = time.monotonic()

    async def run(self) -> Books:
        """All fourteen nights, and what they came to."""
        write_configuration(self._root)
        home = self._root / "home"
        settings = load_settings(
            self._root / "thirdshift.toml", self._root, {"THIRDSHIFT_HOME": str(home), "PATH": "/usr/bin"}
        )
        home.mkdir()
        make_trees(self._root, str(settings.hub_path))
        (self._root / "specs").mkdir()
        for name in ("bill", "asked"):
            (self._root / name).touch()
        async with time_skipping_server() as server:
            await _allow_scheduled_at(server.client)
            address = server.client.service_client.config.target_host
            self._client = await connected(address)
            self._clock = ServerClock(self._client)
            expected = expected_nights(await self._clock.now())
            trouble_in(expected).write(self._root / "trouble.json")
            self._stories = stories(self._root, self._counts, len(expected))
            crew = Crew(address, self._root)
            with closing(open_books(settings)) as ledger:
                self._ledger = ledger
                mending = asyncio.create_task(self._clock.mend(ledger))
                async with crew.at_work():
                    await self._live(expected)
                    mending.cancel()
                    specs = [str(self._spec_path(story)) for story in self._stories]
                    specs += sorted(str(path) for path in (home / "intake").glob("*.md"))
                    specs += ["an event's spec that was never written"] * (
                        len(self._stories) + EVENT_SPECS - len(specs)
                    )
                    books = await Auditor(self._root, ledger, expected, specs).audit(self._clock)
        more = {"kills": crew.kills, "gates_answered": len(self._answered), "stop_all_s": round(self._stopped_in, 2)}
        return Books({**books.figures, **more}, books.nights, books.ends, books.problems)

    async def _live(self, expected: Sequence[Expected]) -> None:
        plan = shift_plan(self._root)
        after = await self._clock.now()
        for number, night in enumerate(expected):
            # Between the two halves nothing opens: whoever keeps the Schedule has paused it.
            after = max(after, night.opens_at - 12 * HOUR)
            (opens,) = next_nights(plan, after, 1, ZoneInfo(ZONE))
            await self._clock.until(opens.opens_at - 8 * HOUR)
            await self._by_day(number)
            await self._clock.until(opens.opens_at)
            handle = await self._begin(opens)
            for when, do in sorted(self._in_the_night(number, opens), key=lambda one: one[0]):
                await self._clock.until(when)
                await do()
            await self._clock.until(opens.closes_at + 2 * MINUTE)
            result = await asyncio.wait_for(handle.result(), 120)
            print(
                f"  {opens.id}: {result.how}, {result.begun} begun, {time.monotonic() - self._began:.0f} s",
                file=sys.stderr,
            )
            after = opens.opens_at

    async def _begin(self, night: Night) -> WorkflowHandle[Any, ShiftResult]:
        """Start a night as its Schedule does: the time that was meant is in an attribute, and in the id."""
        return await self._client.start_workflow(
            Shift.run,
            ShiftInput(plan=shift_plan(self._root)),
            id=f"shift-{SHIFT}-{night.opens_at:%Y-%m-%dT%H:%M:%SZ}",
            task_queue=WORKFLOW_QUEUE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(SCHEDULED_AT, night.opens_at)]),
        )

    # --- By day ----------------------------------------------------------------------------------------

    async def _by_day(self, number: int) -> None:
        """New specs are written, and people answer what they answer."""
        for story in self._stories:
            if story.night == number:
                self._spec_path(story).write_text(story.text)
        for gate in self._ledger.gates(only_open=True):
            if "reviewed" in self._ledger.read_job(gate.job_id).spec_path:
                answer = {"gate": gate.seq, "verdict": "approve", "tree": gate.tree, "reviewer": "ada"}
                handle = self._client.get_workflow_handle(gate.owner_id)
                said = await handle.execute_update("decide", answer, result_type=str)
                if said.startswith("RECORDED."):
                    self._answered.append(gate.job_id)

    def _spec_path(self, story: Story) -> Path:
        return self._root / "specs" / f"{story.name}.md"

    # --- By night --------------------------------------------------------------------------------------

    def _in_the_night(self, number: int, night: Night) -> Iterable[tuple[datetime, Callable[[], Awaitable[None]]]]:
        if number in (1, 3, 7):
            yield night.opens_at + 40 * MINUTE, lambda: self._arrive([f"build {number}"])
        if number == STORM_NIGHT:
            yield night.opens_at + 100 * MINUTE, lambda: self._arrive(["build main"] * self._duplicates)
        if number == STRAYS_NIGHT:
            yield night.opens_at + 130 * MINUTE, lambda: self._arrive([f"stray {n}" for n in range(STRAYS)])
            yield night.opens_at + 150 * MINUTE, lambda: self._arrive(["push"] * 3, kind="push")
        if number == SWITCH_NIGHT:
            yield night.opens_at + 3 * HOUR, self._stop_everything

    async def _arrive(self, fingerprints: Sequence[str], kind: str = "workflow_run.failed") -> None:
        """Events as a listener takes them: kept first, a hundred in a transaction, then announced."""
        at = await self._clock.now()
        events = [
            Event(
                source="github",
                delivery=f"{kind}-{at.timestamp()}-{number}",
                kind=kind,
                repository=REPOSITORY,
                fingerprint=fingerprint,
                title=f"{fingerprint} has failed",
                text="expected 5, got -1",
                facts={"branch": "main"},
                received_at=at,
            )
            for number, fingerprint in enumerate(fingerprints)
        ]
        announcer = Announcer(signal_intake(self._client, lambda repository: IntakeInput(repository=repository)))
        async with announcer.working():
            for start in range(0, len(events), 100):
                batch = events[start : start + 100]
                kept = await asyncio.to_thread(self._ledger.put_events, batch)
                told = [announcer.announce(event, number) for event, (number, _) in zip(batch, kept, strict=True)]
                await asyncio.gather(*told)

    async def _stop_everything(self) -> None:
        """``thirdshift stop --all``."""
        jobs = [job.job_id for job in self._ledger.open_jobs()]
        stops = await Switch(self._client, "the fortnight's switch", self._ledger).stop(jobs, PATIENCE_SECONDS)
        self._stopped_in = stops.seconds
        if stops.not_yet:
            raise AssertionError(f"not stopped within {PATIENCE_SECONDS:.0f} s: {stops.not_yet}")


async def _allow_scheduled_at(client: Client) -> None:
    """A cluster knows this attribute by itself."""
    kind = IndexedValueType.INDEXED_VALUE_TYPE_DATETIME
    with suppress(Exception):
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes={SCHEDULED_AT.name: kind})
        )
