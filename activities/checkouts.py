"""Fresh checkouts for checks: the candidate's tree, with protected files as base had them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from activities.beating import whole
from activities.context import LoopContext
from activities.services import Services
from thirdshift.adapters.workspace.restoring import remove_files, restore_files
from thirdshift.core.tree_guard import Change, Findings, Guarding, examine

CONFIG_BYTES = 4 << 20


@dataclass(frozen=True)
class Candidate:
    """A tree to judge: what differs from base, and what a comparison with base found."""

    tree: str
    changed: tuple[str, ...]
    findings: Findings
    base_files: str = ""
    """A checkout of base, where something has to be restored from it."""


def compare(services: Services, context: LoopContext, tree: str) -> Candidate:
    """The tree beside base. Blocking."""
    hub, base = services.hub, context.job.base_tree
    changed = hub.changed_paths(base, tree)
    if not changed:
        return Candidate(tree=tree, changed=(), findings=Findings())
    change = Change(
        base_paths=frozenset(hub.list_paths(base)),
        paths=frozenset(hub.list_paths(tree)),
        changed=changed,
        read_base=lambda path: hub.read_file(base, path, CONFIG_BYTES),
        read=lambda path: hub.read_file(tree, path, CONFIG_BYTES),
    )
    commands = tuple(check.run for check in context.spec.checks)
    return Candidate(
        tree=tree, changed=changed, findings=examine(change, Guarding(write=context.spec.write, commands=commands))
    )


@contextlib.asynccontextmanager
async def prepared(services: Services, context: LoopContext, tree: str) -> AsyncIterator[Candidate]:
    """The tree compared with base, and base's own files at hand for as long as they are needed."""
    candidate = await asyncio.to_thread(compare, services, context, tree)
    if not candidate.findings.restore:
        yield candidate
        return
    async with temporary(services.scratch, "base-") as directory:
        await whole(services.hub.export, context.job.base_tree, directory)
        yield Candidate(candidate.tree, candidate.changed, candidate.findings, directory)


@contextlib.asynccontextmanager
async def checkout(services: Services, candidate: Candidate) -> AsyncIterator[str]:
    """A directory with the candidate's files, protected ones put right; gone when the block is left."""
    async with temporary(services.scratch, "checkout-") as directory:
        await whole(_fill, services, candidate, directory)
        yield directory


def _fill(services: Services, candidate: Candidate, directory: str) -> None:
    services.hub.export(candidate.tree, directory)
    remove_files(directory, candidate.findings.remove)
    restore_files(directory, candidate.base_files, candidate.findings.restore)


@contextlib.asynccontextmanager
async def temporary(parent: str, prefix: str) -> AsyncIterator[str]:
    """A new directory below ``parent``, gone when the block is left."""
    directory = await whole(_made, parent, prefix)
    try:
        yield directory
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _made(parent: str, prefix: str) -> str:
    Path(parent).mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=prefix, dir=parent)
