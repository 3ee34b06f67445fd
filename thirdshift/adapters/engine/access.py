"""Getting at the Temporal server that is meant: connect to it, or bring up the embedded one and keep it up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from thirdshift.adapters.engine.connection import connect, keep_ended_workflows, register_search_attributes
from thirdshift.adapters.engine.embedded import (
    HOST,
    USUAL_PORTS,
    EmbeddedServer,
    EnginePaths,
    EngineState,
    start_server,
)
from thirdshift.adapters.engine.locks import FileLock
from thirdshift.core.engine import EngineTarget
from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.text import Redactor

_PATIENCE_SECONDS, _POLL_SECONDS, _WATCH_SECONDS = 30.0, 0.05, 0.5
NOT_RUNNING = "no Temporal server is running here; start one with `thirdshift up`"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """A reachable server. ``started_here`` tells that this process brought it up and will stop it."""

    client: Client
    address: str
    ui_url: str
    started_here: bool


@asynccontextmanager
async def open_engine(
    target: EngineTarget,
    home: Path,
    *,
    may_start: bool,
    ports: tuple[int, int] = USUAL_PORTS,
    identity: str | None = None,
    redactor: Redactor | None = None,
) -> AsyncIterator[Engine]:
    """The server that is meant, connected and with its search attributes registered.

    An embedded server that runs already is used. If none does and ``may_start``, one is started, kept up, and
    stopped at the end; and if the one in use goes away with its owner meanwhile, this process brings it up again
    on the same ports, where its clients find it. ``identity`` is whoever this client speaks for,
    ``redactor`` takes the secrets that this process knows out of what is sent; what looks like one never is.
    Raises EngineUnavailable with the remedy.
    """
    if target.kind != "embedded":
        client = await connect(target, identity, redactor)
        await register_search_attributes(client)
        address = client.service_client.config.target_host
        yield Engine(client, address, target.ui_url or guessed_ui(address), started_here=False)
        return
    keeper = _Keeper(EnginePaths(home), ports)
    state = await keeper.find_or_start(may_start)
    try:
        client = await connect(EngineTarget(kind="address", address=state.address), identity, redactor)
        await register_search_attributes(client)
        if keeper.server is not None:
            await keep_ended_workflows(client)
        if may_start:
            keeper.begin_keeping()
        yield Engine(client, state.address, state.ui_url, keeper.server is not None)
    finally:
        await keeper.close()


def find_running(home: Path) -> EngineState | None:
    """The embedded server that runs under this home, if one does."""
    paths = EnginePaths(home)
    if not paths.owner_lock.exists():
        return None
    lock = FileLock.try_take(paths.owner_lock)
    if lock is None:
        return paths.read_state()
    # Nobody owns a server, so what the file says is about one that was killed.
    paths.state.unlink(missing_ok=True)
    lock.release()
    return None


def guessed_ui(address: str) -> str:
    """Where the UI of a server usually is; the cloud has one for all."""
    host = address.rpartition(":")[0]
    return "https://cloud.temporal.io" if host.endswith(".tmprl.cloud") else f"http://{host}:8233"


class _Keeper:
    """Finds the embedded server or starts it, and starts it again when it is gone."""

    def __init__(self, paths: EnginePaths, ports: tuple[int, int]) -> None:
        self.paths = paths
        self.server: EmbeddedServer | None = None
        self._ports = ports
        self._closing = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def find_or_start(self, may_start: bool) -> EngineState:
        if may_start:
            self.paths.prepare()
        state = await self._wait_for_state(may_start)
        self._ports = (state.port, state.ui_port)
        return state

    async def _wait_for_state(self, may_start: bool) -> EngineState:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE_SECONDS
        while loop.time() < deadline:
            state = find_running(self.paths.home)
            if state and await _answers(state.port):
                return state
            lock = FileLock.try_take(self.paths.owner_lock) if may_start else None
            if lock is not None:
                self.server = await asyncio.to_thread(start_server, self.paths, lock, self._ports)
                return self.server.state
            if not may_start and not self._is_owned():
                raise EngineUnavailable(NOT_RUNNING)
            await asyncio.sleep(_POLL_SECONDS)
        raise EngineUnavailable(
            f"another process holds {self.paths.owner_lock} but its Temporal server does not answer;"
            f" see {self.paths.log}, or end that process"
        )

    def _is_owned(self) -> bool:
        if not self.paths.owner_lock.exists():
            return False
        lock = FileLock.try_take(self.paths.owner_lock)
        if lock is None:
            return True
        lock.release()
        return False

    def begin_keeping(self) -> None:
        self._watch = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        while not self._closing.is_set():
            try:
                if self.server is None:
                    lock = FileLock.try_take(self.paths.owner_lock)
                    if lock is not None:
                        _log.warning("the Temporal server went away with its owner; starting it again")
                        self.server = await asyncio.to_thread(start_server, self.paths, lock, self._ports)
                elif not self.server.alive:
                    _log.warning("the Temporal server died; starting it again")
                    gone, self.server = self.server, None
                    await asyncio.to_thread(gone.stop)
                    continue
            except EngineUnavailable:
                _log.exception("the Temporal server could not be started again; trying on")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _WATCH_SECONDS)

    async def close(self) -> None:
        # A start in a thread is waited for, never cancelled: what it starts has to be stopped.
        self._closing.set()
        if self._watch:
            await self._watch
        if self.server:
            await asyncio.to_thread(self.server.stop)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
