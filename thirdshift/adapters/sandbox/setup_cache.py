"""Runs a spec's ``setup`` command once for each set of lock files, and keeps what it made for read-only mounting.

What is kept: ``/opt/setup`` (writable while setup runs; its home directory is ``/opt/setup/home``), and each directory
that setup made in the workspace, such as ``.venv``, ``node_modules`` or ``src/name.egg-info``. They are mounted later
where they were made, over an empty directory that the sandbox creates in the workspace: git does not see empty
directories, so nothing of it reaches a tree.

What is not kept: single files that setup wrote among the repository's own, new or changed. A file has no empty form
that git would overlook, so a mount over a placeholder would end up in the tree of the next step. They are listed in
``SetupResult.dropped``; what checks need belongs in a directory, or in ``/opt/setup``.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field, ValidationError

from thirdshift.adapters.sandbox import egress, guest
from thirdshift.adapters.sandbox.egress import EgressProxy
from thirdshift.adapters.sandbox.remove_tree import remove_tree
from thirdshift.adapters.sandbox.setup_harvest import SETUP_IN_GUEST, Harvest, harvest, inventory
from thirdshift.adapters.sandbox.uninterrupted import uninterrupted
from thirdshift.core.egress import HostRule, parse_host_rule
from thirdshift.core.errors import SetupFailed
from thirdshift.core.frozen import Frozen
from thirdshift.core.ports import Command, CommandResult, Limits, Mount, Sandbox, SandboxPlan

_HOME_IN_GUEST = f"{SETUP_IN_GUEST}/home"
_OUTPUT_BYTES = 64 << 10
_SHOWN_CHARACTERS = 4000
_TRY_LOCK_EVERY_SECONDS = 0.1
_SHOWN_REFUSALS = 10
_RESULT = "result.json"
_log = logging.getLogger(__name__)

_INPUTS = (
    "*.gradle",
    "*.gradle.kts",
    ".node-version",
    ".nvmrc",
    ".python-version",
    "Cargo.lock",
    "Cargo.toml",
    "Gemfile",
    "Gemfile.lock",
    "Pipfile",
    "Pipfile.lock",
    "composer.json",
    "composer.lock",
    "constraints*.txt",
    "environment.yml",
    "go.mod",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pom.xml",
    "pyproject.toml",
    "requirements*.in",
    "requirements*.txt",
    "setup.cfg",
    "setup.py",
    "uv.lock",
    "yarn.lock",
)

_SETUP_ENV = {
    "HOME": _HOME_IN_GUEST,
    "UV_COMPILE_BYTECODE": "1",  # mounted read-only, nothing could be compiled later
    "UV_LINK_MODE": "copy",
}


def is_setup_input(path: str) -> bool:
    """Whether a file of a repository says what setup would install: a lock file or a manifest, in any directory."""
    name = PurePosixPath(path).name
    return any(fnmatch(name, pattern) for pattern in _INPUTS)


class SetupRequest(Frozen):
    """What to set up. ``inputs`` maps the paths for which ``is_setup_input`` holds to their content at base."""

    command: str
    inputs: dict[str, bytes] = Field(default_factory=dict)
    network: Literal["none", "host"] = "none"
    hosts: tuple[str, ...] = ()
    """``name:port`` of each host that may be reached, through a proxy that refuses all others; with network none."""
    timeout_seconds: float = 1800.0
    limits: Limits = Limits()
    mounts: tuple[Mount, ...] = ()
    """Seen by the command alone, and no part of the key: a directory of wheels, certificates."""
    env: dict[str, str] = Field(default_factory=dict)
    """Seen by the command, but no part of the key: where packages come from, not which."""


class SetupResult(Frozen):
    """What every later sandbox of the same key adds to its plan."""

    key: str
    mounts: tuple[Mount, ...]
    path_prefix: tuple[str, ...]
    env: dict[str, str]
    seconds: float
    """How long this call took, waiting for another one's run included."""
    cached: bool
    dropped: tuple[str, ...] = ()
    """Files that setup wrote in the workspace and that are not kept."""


class SetupCache:
    """Keeps results beneath ``directory``, shared by all workers of this host and user."""

    def __init__(
        self, sandbox: Sandbox, directory: Path, proxy: Callable[[frozenset[HostRule]], EgressProxy] | None = None
    ) -> None:
        self._sandbox = sandbox
        self._proxy = proxy or logging_proxy
        self._entries = directory / "entries"
        self._staging = directory / "staging"
        self._locks = directory / "locks"

    def key(self, request: SetupRequest) -> str:
        """Return the name under which the result is kept: 32 hexadecimal digits."""
        identity = {
            "command": request.command,
            "inputs": {path: hashlib.sha256(data).hexdigest() for path, data in request.inputs.items()},
            "backend": self._sandbox.name,
            "python": sys.version,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]

    async def prepare(self, request: SetupRequest, fill: Callable[[str], None]) -> SetupResult:
        """Return the kept result, or run setup and keep it.

        ``fill`` writes a fresh checkout of base into the empty directory that it is given; it is called in a thread,
        and only when setup has to run. Raises SetupFailed, with the end of the output, and SandboxUnavailable.
        """
        started = time.monotonic()
        key = self.key(request)
        for directory in (self._entries, self._staging, self._locks):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with _locked(self._locks / key):
            kept = self._load(key)
            cached = kept is not None
            if kept is None:
                await asyncio.to_thread(self._remove_leftovers, key)
                kept = await self._run(key, request, fill)
        return self._result(key, kept, seconds=time.monotonic() - started, cached=cached)

    def _load(self, key: str) -> Harvest | None:
        try:
            return Harvest.model_validate_json((self._entries / key / _RESULT).read_bytes())
        except (OSError, ValidationError):
            return None

    def _remove_leftovers(self, key: str) -> None:
        """Remove what a killed run left behind: the lock is ours, so its owner is dead."""
        for left in self._staging.glob(f"{key}-*"):
            remove_tree(left)
        remove_tree(self._entries / key)

    async def _run(self, key: str, request: SetupRequest, fill: Callable[[str], None]) -> Harvest:
        stage = self._staging / f"{key}-{secrets.token_hex(6)}"
        try:
            checkout, setup = stage / "checkout", stage / "setup"
            for directory in (checkout, setup / "bin", setup / "home"):
                directory.mkdir(parents=True)
            await asyncio.to_thread(fill, str(checkout))
            before = await asyncio.to_thread(inventory, checkout)
            await self._set_up(_plan(request, checkout, setup), request, stage)
            kept = await asyncio.to_thread(harvest, checkout, before, stage / "kept", setup)
            await asyncio.to_thread(remove_tree, checkout)
            (stage / _RESULT).write_text(kept.model_dump_json())
            stage.rename(self._entries / key)
        finally:
            await uninterrupted(asyncio.to_thread(remove_tree, stage))
        return kept

    async def _set_up(self, plan: SandboxPlan, request: SetupRequest, stage: Path) -> None:
        refused: tuple[str, ...] = ()
        if request.hosts:
            ways_out = stage / "egress"
            ways_out.mkdir(mode=0o700)
            proxy = self._proxy(frozenset(map(parse_host_rule, request.hosts)))
            async with proxy.serving(ways_out) as proxy_socket:
                mounts = (*plan.mounts, *egress.mounts(proxy_socket))
                plan = plan.model_copy(update={"mounts": mounts, "env": egress.environment() | plan.env})
                result = await self._sandbox.run_once(plan, _command(request, egress.bridged(request.command)))
            refused = tuple(proxy.refusals)
            await asyncio.to_thread(remove_tree, ways_out)
        else:
            result = await self._sandbox.run_once(plan, _command(request, request.command))
        if not result.passed:
            raise _failure(request, result, refused)

    def _result(self, key: str, kept: Harvest, *, seconds: float, cached: bool) -> SetupResult:
        entry = self._entries / key
        mounts = [Mount(host=str(entry / "setup"), guest=SETUP_IN_GUEST)]
        mounts += [Mount(host=str(entry / "kept" / path), guest=f"{guest.WORKSPACE}/{path}") for path in kept.kept]
        return SetupResult(
            key=key,
            mounts=tuple(mounts),
            path_prefix=kept.path_prefix,
            env=kept.env,
            seconds=seconds,
            cached=cached,
            dropped=kept.dropped,
        )


def _plan(request: SetupRequest, checkout: Path, setup: Path) -> SandboxPlan:
    return SandboxPlan(
        workspace=str(checkout),
        mounts=(Mount(host=str(setup), guest=SETUP_IN_GUEST, writable=True), *request.mounts),
        env=_SETUP_ENV | request.env,
        path_prefix=(f"{SETUP_IN_GUEST}/bin", f"{_HOME_IN_GUEST}/.local/bin"),
        network=request.network,
        limits=request.limits,
    )


def _command(request: SetupRequest, run: str) -> Command:
    return Command(run=run, timeout_seconds=request.timeout_seconds, output_bytes=_OUTPUT_BYTES)


def logging_proxy(allowed: frozenset[HostRule]) -> EgressProxy:
    """A proxy that writes every refusal to the log."""
    return EgressProxy(allowed, lambda what: _log.warning("setup was refused the network: %s", what))


def _failure(request: SetupRequest, result: CommandResult, refused: tuple[str, ...]) -> SetupFailed:
    how = f"exit {result.exit_code}" if result.end == "exited" else result.end.replace("_", " ")
    remedy = ""
    if refused:
        remedy = " It was refused the network: " + "; ".join(refused[:_SHOWN_REFUSALS]) + "."
    elif request.network == "none" and not request.hosts:
        remedy = (
            ' It has no network; `setup_hosts = ["pypi.org:443", ...]` under [sandbox] in thirdshift.toml names hosts '
            "that it may reach."
        )
    return SetupFailed(
        f"setup failed ({how}): {request.command}\nCorrect the command or the repository.{remedy}\n"
        f"Its output ends with:\n{result.output[-_SHOWN_CHARACTERS:]}"
    )


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Hold an exclusive lock; the kernel lets it go when its holder dies."""
    with _opened(path) as descriptor:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_TRY_LOCK_EVERY_SECONDS)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
