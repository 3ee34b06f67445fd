"""A worker as three processes, one for each duty, so that no secret is in the process that runs what agents wrote.

The process that starts them runs no duty itself. Each child has the environment of its own duty alone, reads where the
server is from its standard input, and ends when that ends: so none outlives the one that started it, however that went.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from thirdshift.core.engine import EngineTarget
from thirdshift.core.errors import BadInput, ServiceMissing, ThirdshiftError
from thirdshift.settings import Settings
from thirdshift.settings.duties import DUTIES, Duty, environment_for

_PATIENCE_SECONDS = 20.0
"""How long a process may take to stop; its running call or command is let go within five."""
_PAUSES_SECONDS = (1.0, 30.0)
"""Before a process that died is started again: at first, and at most."""
_WELL_AFTER_SECONDS = 60.0
_REFUSALS: dict[int, type[ThirdshiftError]] = {64: BadInput, 69: ServiceMissing}
"""By the exit codes of the command line."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrewFacts:
    """What the process that runs agents' code says of itself."""

    host: str
    sandbox: str


class Crew:
    """The processes of one worker. ``remark`` is given what they have to say to a person, a line at a time."""

    def __init__(self, settings: Settings, remark: Callable[[str], None]) -> None:
        self._engine: asyncio.Future[EngineTarget] = asyncio.get_running_loop().create_future()
        self._members = [_Member(duty, settings, self._engine, remark) for duty in DUTIES]

    async def begin(self, engine: EngineTarget) -> CrewFacts:
        """Tell all where the server is, and wait until each works. Raises what the first one that cannot says."""
        self._engine.set_result(engine)
        facts = await asyncio.gather(*(member.ready for member in self._members))
        own = facts[DUTIES.index("hosts")]
        return CrewFacts(host=str(own["host"]), sandbox=str(own["sandbox"]))

    async def stop(self) -> None:
        """Let every process stop in order, and kill the ones that do not. Twice does nothing more."""
        self._engine.cancel()
        await asyncio.gather(*(member.stop() for member in self._members))


@contextlib.asynccontextmanager
async def crew(settings: Settings, remark: Callable[[str], None]) -> AsyncIterator[Crew]:
    """The processes, started; they are gone when the block is left."""
    made = Crew(settings, remark)
    try:
        yield made
    finally:
        await made.stop()


class _Member:
    """One process, started again when it dies."""

    def __init__(
        self, duty: Duty, settings: Settings, engine: asyncio.Future[EngineTarget], remark: Callable[[str], None]
    ) -> None:
        self.ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._duty = duty
        self._engine = engine
        self._remark = remark
        self._command = [sys.executable, "-P", "-m", "thirdshift", "worker", "--only", duty, "--beneath", "--json"]
        if settings.config_path:
            self._command += ["--config", str(settings.config_path)]
        self._environment = environment_for(duty, settings) | {"THIRDSHIFT_HOME": str(settings.home)}
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        self._stopping.set()
        process = self._process
        if process is not None and process.returncode is None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(b"stop\n")
                await process.stdin.drain()
            try:
                await asyncio.wait_for(asyncio.shield(self._life), _PATIENCE_SECONDS)
            except TimeoutError:
                process.kill()
        self._life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._life
        if not self.ready.done():
            self.ready.cancel()

    async def _live(self) -> None:
        pause, longest = _PAUSES_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            refusal = await self._one_life()
            if self._stopping.is_set():
                return
            if not self.ready.done():
                self.ready.set_exception(refusal)
                return
            if time.monotonic() - began > _WELL_AFTER_SECONDS:
                pause = _PAUSES_SECONDS[0]
            _log.warning("the worker's process for %s: %s; it is started again in %.0f s", self._duty, refusal, pause)
            self._remark(f"the worker's process for {self._duty}: {refusal}; it is started again in {pause:.0f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    async def _one_life(self) -> ThirdshiftError:
        """From its start to its end, and why it ended."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the process that started it, which stops it in order
        )
        self._process = process
        heard: list[dict[str, Any]] = []
        talk = [
            asyncio.create_task(self._tell(process)),
            asyncio.create_task(self._hear(process, heard)),
            asyncio.create_task(self._pass_on(process, heard)),
        ]
        try:
            code = await process.wait()
            await asyncio.wait(talk[1:], timeout=1.0)
        except asyncio.CancelledError:
            process.kill()
            raise
        finally:
            for task in talk:
                task.cancel()
        error = next((one["error"] for one in heard if "error" in one), None)
        if error:
            return _REFUSALS.get(code, ThirdshiftError)(str(error["message"]))
        return ThirdshiftError(f"it ended with {code}; the log tells more")

    async def _tell(self, process: asyncio.subprocess.Process) -> None:
        """Where the server is, once that is known. The pipe stays open for as long as this process lives."""
        target = await asyncio.shield(self._engine)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(target.model_dump_json(include={"address", "ui_url"}).encode() + b"\n")
                await process.stdin.drain()

    async def _hear(self, process: asyncio.subprocess.Process, heard: list[dict[str, Any]]) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                heard.append(said)
                if "error" not in said and not self.ready.done():
                    self.ready.set_result(said)

    async def _pass_on(self, process: asyncio.subprocess.Process, heard: list[dict[str, Any]]) -> None:
        """What it says to a person; an error that it gave as its answer too is told by whoever waits for that."""
        if process.stderr is None:
            return
        async for line in process.stderr:
            text = line.decode(errors="replace").rstrip()
            if not any("error" in one for one in heard) and text:
                self._remark(text)
