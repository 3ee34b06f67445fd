"""Telling Temporal of events: each repository's ``Intake`` is signalled, and started where it does not run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.event_book import Event
from thirdshift.core.events.intakes import ARRIVED, INTAKE, intake_id
from thirdshift.intake_signatures import Arrival, IntakeInput
from thirdshift.signatures import WORKFLOW_QUEUE

Send = Callable[[str, Arrival], Awaitable[None]]
"""Signal the ``Intake`` of a repository; EngineUnavailable where Temporal is down, SignalRefused where it refuses."""
Key = tuple[str, str]
"""Repository and fingerprint."""

_SIGNAL_TIMEOUT: Final = timedelta(seconds=5)
_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 0.01
"""How long a sender is kept waiting for its signal; its event is in the ledger by then, and cannot be lost."""
_AT_ONCE: Final = 4
"""Signals on their way at one time. More of them make Temporal no faster, and more arrivals share one meanwhile."""
_MOST_WAITING: Final = 1000
"""Beyond this many fingerprints senders wait for their signals, so that they come no faster than those are taken."""
MOST_OWED: Final = 10_000
"""Beyond this many fingerprints one signal is owed for each repository: its ``Intake`` finds the rest in the ledger."""
_LAST_SECONDS: Final = 5.0
_DOWN: Final = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})
_log = logging.getLogger(__name__)


class SignalRefused(Exception):
    """Temporal answers, and does not take the signal of this one repository."""


def signal_intake(client: Client, input_for: Callable[[str], IntakeInput]) -> Send:
    """Signals by this client: the workflow is named by its type, so that a listener loads no workflow."""

    async def send(repository: str, arrival: Arrival) -> None:
        try:
            await client.start_workflow(
                INTAKE,
                input_for(repository),
                id=intake_id(repository),
                task_queue=WORKFLOW_QUEUE,
                start_signal=ARRIVED,
                start_signal_args=[arrival],
                static_summary=f"events of {repository}",
                rpc_timeout=_SIGNAL_TIMEOUT,
            )
        except RPCError as error:
            what = f"Temporal took no signal for {repository}: {error.message}"
            raise (EngineUnavailable(what) if error.status in _DOWN else SignalRefused(what)) from error

    return send


@dataclass
class _Waiting:
    """A signal that is still to be sent, for all events of its fingerprint up to a number."""

    number: int
    sent: asyncio.Future[None]


class Announcer:
    """Sends signals while it is ``working``; those of one fingerprint that come while one is sent are sent as one.

    A signal stands for all events of its fingerprint up to its number, so that a storm of equal events costs few.
    What could not be sent is owed: it is tried again until Temporal answers, and until then nobody waits for it.
    """

    def __init__(self, send: Send, patience_seconds: float = PATIENCE_SECONDS, most_owed: int = MOST_OWED) -> None:
        self._send = send
        self._most_owed = most_owed
        self._patience_seconds = patience_seconds
        self._waiting: dict[Key, _Waiting] = {}
        self._queue: asyncio.Queue[Key] = asyncio.Queue()
        self._busy: set[Key] = set()
        self._owed: dict[Key, int] = {}
        self._owing = asyncio.Event()
        self._down = False
        """Whether the last signal failed."""

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Send until the block is left; what waits then still has some seconds."""
        tasks = [asyncio.create_task(self._send_waiting()) for _ in range(_AT_ONCE)]
        tasks.append(asyncio.create_task(self._pay_owed()))
        try:
            yield
            with suppress(TimeoutError):
                await asyncio.wait_for(self._queue.join(), _LAST_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def announce(self, event: Event, number: int) -> None:
        """Return once Temporal has it, or is slow. EngineUnavailable where it is down; the event is then owed."""
        key = (event.repository, event.fingerprint)
        if self._down:
            self.owe([(key, number)])
            raise EngineUnavailable("Temporal did not answer a moment ago")
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting(number, asyncio.get_running_loop().create_future())
            if key not in self._busy:
                self._queue.put_nowait(key)
        waiting.number = max(waiting.number, number)
        patience = self._patience_seconds if len(self._waiting) < _MOST_WAITING else None
        await asyncio.wait({waiting.sent}, timeout=patience)
        if waiting.sent.done():
            waiting.sent.result()

    def owe(self, events: Iterable[tuple[Key, int]]) -> None:
        """Note events whose signal is still to be sent."""
        for key, number in events:
            if key not in self._owed and len(self._owed) >= self._most_owed and not self._owe_fewer():
                _log.error("event %d is kept and not announced; once Temporal is up: thirdshift events retry", number)
                continue
            self._owed[key] = max(number, self._owed.get(key, 0))
        if self._owed:
            self._owing.set()

    def _owe_fewer(self) -> bool:
        """Keep the newest of each repository; whether that made room."""
        newest = {key[0]: key for key, _ in sorted(self._owed.items(), key=lambda item: item[1])}
        self._owed = {key: self._owed[key] for key in newest.values()}
        return len(self._owed) < self._most_owed

    async def _send_waiting(self) -> None:
        while True:
            key = await self._queue.get()
            # From here on whoever comes waits for the next signal: this one may leave before their events are there.
            waiting = self._waiting.pop(key)
            self._busy.add(key)
            try:
                await self._signal(key, waiting.number)
            except EngineUnavailable as error:
                self.owe([(key, waiting.number)])
                waiting.sent.set_exception(error)
                waiting.sent.exception()  # perhaps nobody waits any more to hear of it
            except SignalRefused:
                # One repository's trouble is not the others': its event is kept, and tried again.
                self.owe([(key, waiting.number)])
                waiting.sent.set_result(None)
            else:
                waiting.sent.set_result(None)
            finally:
                self._busy.discard(key)
                if key in self._waiting:
                    self._queue.put_nowait(key)
                self._queue.task_done()

    async def _signal(self, key: Key, number: int) -> None:
        try:
            await self._send(key[0], Arrival(number=number, fingerprint=key[1]))
        except EngineUnavailable:
            self._down = True
            raise
        except SignalRefused:
            raise
        except Exception as error:
            # Whatever it was, whoever sends for all must live on: else events would be kept, and nobody told.
            _log.exception("a signal could not be sent")
            raise SignalRefused(f"no signal was sent for {key[0]}: {type(error).__name__}") from error
        self._down = False

    async def _pay_owed(self) -> None:
        wait = _FIRST_WAIT_SECONDS
        while True:
            await self._owing.wait()
            try:
                await self._pay()
            except (EngineUnavailable, SignalRefused) as error:
                _log.warning("%s; %d kept back, trying on", error, len(self._owed))
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
            else:
                wait = _FIRST_WAIT_SECONDS

    async def _pay(self) -> None:
        refused: SignalRefused | None = None
        for key, number in list(self._owed.items()):
            try:
                await self._signal(key, number)
            except SignalRefused as error:
                refused = error
                continue
            if self._owed.get(key) == number:
                del self._owed[key]
        if refused is not None:
            raise refused
        if not self._owed:
            self._owing.clear()
