"""The embedded Temporal server: the real one, as a child process on a SQLite file.

Two locks keep one server to a home. The *owner* lock belongs to the process that started it; the *server* lock
is inherited by the server, so it is free only when the server is really gone. A small shell beside the server
reads a pipe whose other end the owner holds: when the owner goes, even by ``kill -9``, the pipe closes and the
server is stopped, so it is never left behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from thirdshift.adapters.engine.binary import temporal_binary
from thirdshift.adapters.engine.locks import FileLock
from thirdshift.adapters.free_space import why_full
from thirdshift.core.engine import SEARCH_ATTRIBUTES
from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.frozen import Frozen

HOST = "127.0.0.1"
USUAL_PORTS = (7233, 8233)
"""Of the gRPC service and of the Web UI."""
_START_SECONDS, _STOP_SECONDS, _TAIL_LINES = 30.0, 10.0, 8

# `$$` is the group's number as long as any process of the group lives, so the kill can hit nobody else.
_LAUNCHER = """
exec 3<&0
( trap '' TERM INT HUP
  read -r _ <&3
  kill -TERM -$$
  i=0
  while kill -0 $$ && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
  kill -KILL -$$
) >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null
"""


class EngineState(Frozen):
    """What ``engine.json`` says of the running server; the file's own time is when it was ready."""

    pid: int
    port: int
    ui_port: int

    @property
    def address(self) -> str:
        """``host:port`` of the gRPC service."""
        return f"{HOST}:{self.port}"

    @property
    def ui_url(self) -> str:
        """Where the Web UI answers."""
        return f"http://{HOST}:{self.ui_port}"


class EnginePaths:
    """The files of the embedded server under one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / "engine.json"
        self.database = home / "temporal.db"
        self.owner_lock = home / "engine-owner.lock"
        self.server_lock = home / "engine-server.lock"
        self.log = home / "logs" / "engine.log"

    def prepare(self) -> None:
        """Make the directories, private to the user; raises EngineUnavailable if they cannot be written."""
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.log.parent.mkdir(exist_ok=True, mode=0o700)
            # Asking for permission is not enough: root is granted everything, on a read-only disk as well.
            probe = self.home / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise EngineUnavailable(
                f"{self.home}: cannot be written: {error.strerror}; free some space or mend its permissions,"
                " or set THIRDSHIFT_HOME to another directory"
            ) from None
        if full := why_full(self.home):
            raise EngineUnavailable(full)

    def read_state(self) -> EngineState | None:
        """What the file says, if it is there and whole."""
        try:
            return EngineState.model_validate_json(self.state.read_bytes())
        except (OSError, ValueError):
            return None


@dataclass
class EmbeddedServer:
    """A running server and everything that ends with it."""

    paths: EnginePaths
    state: EngineState
    process: subprocess.Popen[bytes]
    life_line: int
    owner: FileLock

    @property
    def alive(self) -> bool:
        """Whether its process is still there."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask it to go, wait, then make it go; forget its state. Twice does nothing more."""
        if self.life_line < 0:
            return
        _end(self.process)
        os.close(self.life_line)
        self.life_line = -1
        self.paths.state.unlink(missing_ok=True)
        self.owner.release()


def start_server(paths: EnginePaths, owner: FileLock, ports: tuple[int, int]) -> EmbeddedServer:
    """Start the server and wait until it answers; ``owner`` is the held owner lock, kept by what is returned.

    ``ports`` (gRPC, UI) are taken if free, else others; 0 is any. Raises EngineUnavailable with the
    remedy and the last lines of the log, and lets ``owner`` go.
    """
    try:
        return _start(paths, owner, ports)
    except BaseException:
        owner.release()
        raise


def _start(paths: EnginePaths, owner: FileLock, ports: tuple[int, int]) -> EmbeddedServer:
    server_lock = _wait_for_server_lock(paths)
    paths.state.unlink(missing_ok=True)
    try:
        for attempt in range(3):
            port, ui_port = (_free_port(wanted if attempt == 0 else 0) for wanted in ports)
            process, life_line = _spawn(paths, server_lock, port, ui_port)
            try:
                _wait_until_ready(paths, process, port)
            except _PortTaken:
                _end(process)
                os.close(life_line)
                continue
            except BaseException:
                _end(process)
                os.close(life_line)
                raise
            state = EngineState(pid=process.pid, port=port, ui_port=ui_port)
            _write_state(paths, state)
            return EmbeddedServer(paths, state, process, life_line, owner)
    finally:
        server_lock.release()
    raise EngineUnavailable("three times in a row another program took the port chosen for the Temporal server")


class _PortTaken(Exception):
    """Somebody took the port between the choice and the start."""


def _wait_for_server_lock(paths: EnginePaths) -> FileLock:
    """Wait for a server whose owner died to be gone: two on one database would corrupt it."""
    deadline = time.monotonic() + _STOP_SECONDS
    while True:
        lock = FileLock.try_take(paths.server_lock)
        if lock is not None:
            return lock
        if time.monotonic() > deadline:
            state = paths.read_state()
            which = f" (process {state.pid})" if state else ""
            raise EngineUnavailable(
                f"an older Temporal server{which} still holds {paths.database}; end it and try again"
            )
        time.sleep(0.05)


def _free_port(wanted: int) -> int:
    """The wanted port if nobody listens on it, else one that the system picks."""
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            # Without this, connections of a server just stopped would still block its old port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EngineUnavailable(f"no free port on {HOST}")


def _command(paths: EnginePaths, port: int, ui_port: int) -> list[str]:
    """The server's command line, tuned: a kill of any process loses nothing, a power cut may (WAL, synchronous=1)."""
    attributes = (f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items())
    return [
        str(temporal_binary()),
        *("server", "start-dev", "--ip", HOST, "--port", str(port), "--ui-port", str(ui_port)),
        *("--db-filename", str(paths.database), "--log-level", "warn", "--ui-disable-news-fetch"),
        *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"),
        *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
        *attributes,
    ]


def _spawn(paths: EnginePaths, server_lock: FileLock, port: int, ui_port: int) -> tuple[subprocess.Popen[bytes], int]:
    """The process, and the end of the pipe that keeps it alive."""
    command = _command(paths, port, ui_port)
    with suppress(FileNotFoundError):
        paths.log.replace(paths.log.with_suffix(".log.1"))
    death, life_line = os.pipe()
    try:
        with paths.log.open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _LAUNCHER, "thirdshift-engine", *command],
                stdin=death,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Nothing of ours is passed on: keys have no business in the server, nor do its own variables in here.
                env={"HOME": str(paths.home), "PATH": os.defpath},
                cwd=paths.home,
                start_new_session=True,
                pass_fds=(server_lock.descriptor,),
            )
    except BaseException:
        os.close(life_line)
        raise
    finally:
        os.close(death)
    return process, life_line


def _wait_until_ready(paths: EnginePaths, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _failure(paths, f"the Temporal server ended with code {process.returncode} while starting")
        # Its own word first: on a port that a stranger took meanwhile, a connection would prove nothing.
        if b"Temporal Server:" in paths.log.read_bytes():
            with suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
                return
        time.sleep(0.01)
    raise _failure(paths, f"the Temporal server did not answer within {_START_SECONDS:.0f} s")


_HINTS = (
    (("disk is full", "no space left", "disk i/o error"), "the disk is full: free some space on {home}"),
    (
        ("file is not a database", "malformed", "corrupt"),
        "the database is damaged: move {database} away (with its -wal and -shm files) to begin a new one,"
        " or put back a copy",
    ),
    (
        ("permission denied", "readonly", "unable to open database"),
        "{database} cannot be written: mend its permissions",
    ),
)


def _failure(paths: EnginePaths, what: str) -> Exception:
    """The error with its remedy, as far as the log gives one away."""
    with suppress(OSError):
        lines = [line for line in paths.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        text = "\n".join(lines).lower()
        if "address already in use" in text:
            return _PortTaken()
        hint = next((hint for needles, hint in _HINTS if any(needle in text for needle in needles)), "")
        remedy = hint.format(home=paths.home, database=paths.database) or f"the whole log is in {paths.log}"
        tail = "\n".join(f"  | {line[:300]}" for line in lines[-_TAIL_LINES:])
        return EngineUnavailable(f"{what}; {remedy}\n{tail}")
    return EngineUnavailable(f"{what}; no log could be written in {paths.log.parent}")


def _write_state(paths: EnginePaths, state: EngineState) -> None:
    """All or nothing, so that a reader never sees half a file."""
    draft = paths.state.with_suffix(".tmp")
    draft.write_text(state.model_dump_json(), encoding="utf-8")
    draft.replace(paths.state)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server, then whatever is left of its group, and wait until that is gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.005)
    process.wait()
