"""Sandboxes that can run here, and a way to look for what they leave behind."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.unconfined import Unconfined
from thirdshift.core.ports import Sandbox, SandboxPlan, SandboxSession

BUILDERS: dict[str, Callable[[], Sandbox]] = {
    "bubblewrap": Bubblewrap,
    "bubblewrap-without-cgroups": lambda: Bubblewrap(use_cgroups=False),
    "none": Unconfined,
}


class Marker:
    """A name that a sandboxed process carries, by which the host can find it."""

    def __init__(self) -> None:
        self.name = f"marked-{secrets.token_hex(8)}"

    def sleeper(self, seconds: int = 300) -> str:
        """Return a shell command for a process that sleeps under this name."""
        return f"bash -c 'exec -a {self.name} sleep {seconds}'"

    def alive(self) -> list[int]:
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                words = (directory / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == self.name.encode():
                found.append(int(directory.name))
        return found

    async def appears(self) -> None:
        """Wait until a process of this name runs."""
        while not self.alive():
            await asyncio.sleep(0.01)


@pytest.fixture
def marker() -> Marker:
    return Marker()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


@pytest.fixture
def plan(workspace: Path) -> SandboxPlan:
    return SandboxPlan(workspace=str(workspace))


@pytest.fixture(params=sorted(BUILDERS))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Every implementation that can run here."""
    return BUILDERS[request.param]()


@pytest.fixture(params=["bubblewrap", "bubblewrap-without-cgroups"])
def bubblewrap(request: pytest.FixtureRequest) -> Sandbox:
    """The confining implementations."""
    return BUILDERS[request.param]()


@pytest.fixture
async def session(sandbox: Sandbox, plan: SandboxPlan) -> AsyncIterator[SandboxSession]:
    opened = await sandbox.open(plan)
    yield opened
    await opened.close()
