"""Workspaces of the loops on this host: a directory each, with a sandbox open on it while an attempt lives.

A workspace is a cache. What it should hold is known from the ledger (the tree, and the mark of the last finished
step); when the mark on disk is another one, or is missing because a worker died in the middle of a step, the
directory is made anew from the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from thirdshift.adapters.sandbox.uninterrupted import uninterrupted
from thirdshift.core.ports import Hub, Sandbox, SandboxPlan, SandboxSession

Plan = Callable[[str], Awaitable[SandboxPlan]]
"""Makes the sandbox plan for a workspace directory."""


class Workspace:
    """One loop's directory. Use it inside ``Workspaces.stand_on`` only."""

    def __init__(self, place: Path) -> None:
        self.directory = str(place / "tree")
        self._mark = place / "mark"
        self.session: SandboxSession | None = None
        self.used_at = time.monotonic()

    def stands_at(self, mark: str) -> bool:
        """Whether the directory is known to hold what the step called ``mark`` left."""
        with contextlib.suppress(OSError):
            return self._mark.read_text() == mark
        return False

    def begin(self) -> None:
        """From here on the directory is of no known state."""
        self._mark.unlink(missing_ok=True)

    def finish(self, mark: str) -> None:
        """The directory holds what the step called ``mark`` left, and the ledger knows it."""
        self._mark.write_text(mark)

    @property
    def open_session(self) -> SandboxSession:
        """The sandbox on the directory; there is one wherever ``stand_on`` gave the workspace."""
        if self.session is None:
            raise RuntimeError(f"{self.directory}: no sandbox is open; use the workspace inside stand_on")
        return self.session

    async def close(self) -> None:
        """Kill what runs on the directory."""
        session, self.session = self.session, None
        if session is not None:
            await session.close()


class Workspaces:
    """All workspaces under one root directory."""

    def __init__(self, root: str, hub: Hub, sandbox: Sandbox) -> None:
        self._root = Path(root)
        self._hub = hub
        self._sandbox = sandbox
        self._live: dict[str, Workspace] = {}

    @contextlib.asynccontextmanager
    async def stand_on(self, loop: str, tree: str, mark: str, plan: Plan) -> AsyncIterator[Workspace]:
        """The loop's workspace, holding ``tree`` as the step called ``mark`` left it, with a sandbox open.

        Only one holder at a time on this host, other processes included: a worker that was given up for dead and
        wakes again waits here and then finds its mark gone.
        """
        place = self._root / loop
        place.mkdir(parents=True, exist_ok=True)
        async with _locked(place / "lock"):
            workspace = self._live.setdefault(loop, Workspace(place))
            if not workspace.stands_at(mark):
                await workspace.close()
                workspace.begin()
                # A thread cannot be cancelled: the lock must not be let go while it still writes.
                await uninterrupted(asyncio.to_thread(self._hub.restore, workspace.directory, tree, loop))
                workspace.finish(mark)
            if workspace.session is None:
                workspace.session = await self._sandbox.open(await plan(workspace.directory))
            try:
                yield workspace
            except BaseException:
                # Whatever happened, a half-done step must not be built upon.
                workspace.begin()
                await workspace.close()
                raise
            finally:
                workspace.used_at = time.monotonic()

    async def rest(self, loop: str) -> None:
        """Kill the loop's agent processes; the directory stays."""
        workspace = self._live.get(loop)
        if workspace is not None:
            await workspace.close()

    async def leave(self, loop: str) -> None:
        """Kill the loop's agent processes and remove its directory."""
        place = self._root / loop
        if not place.exists():
            return
        async with _locked(place / "lock"):
            await self.rest(loop)
            self._live.pop(loop, None)
            await uninterrupted(asyncio.to_thread(shutil.rmtree, place, ignore_errors=True))

    async def rest_idle(self, idle_seconds: float) -> None:
        """Close sandboxes that nobody has used for this long, and those of loops that left; others open again."""
        for loop, workspace in list(self._live.items()):
            if not (self._root / loop).exists():  # another process of this host has removed it
                await workspace.close()
                self._live.pop(loop, None)
            elif workspace.session is not None and time.monotonic() - workspace.used_at > idle_seconds:
                async with _locked(self._root / loop / "lock"):
                    await workspace.close()

    async def close(self) -> None:
        """Kill everything that runs on any workspace of this process."""
        for workspace in self._live.values():
            await workspace.close()


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.05)
        yield
