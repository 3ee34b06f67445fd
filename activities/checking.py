"""Running one check: a fresh checkout, a sandbox of its own, its reports read once it is gone."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import posixpath
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from activities.checkouts import Candidate, checkout, temporary
from activities.context import LoopContext, holdout_of, sandbox_plan
from activities.services import Services
from thirdshift.adapters.sandbox.guest import WORKSPACE
from thirdshift.adapters.witness import lay_out, witnessed
from thirdshift.adapters.witness.reports import matching, read_reports
from thirdshift.adapters.workspace.files import FileRefused, read_beneath, write_beneath
from thirdshift.adapters.workspace.restoring import remove_files
from thirdshift.core.canary import with_canary
from thirdshift.core.errors import ThirdshiftError
from thirdshift.core.junit import Case
from thirdshift.core.ports import Command, CommandResult, Mount, SandboxPlan
from thirdshift.core.spec import Check

HOLDOUT_GUEST = "/holdout"
_TEST_FILE_BYTES = 4 << 20


@dataclass(frozen=True)
class CheckRun:
    """A check's result, and the tests in its reports; None where there was no report."""

    result: CommandResult
    cases: tuple[Case, ...] | None


@dataclass(frozen=True)
class Canary:
    """A failing test to put among those of the named files, which reports named."""

    token: str
    files: tuple[str, ...]


async def run_check(
    services: Services, context: LoopContext, candidate: Candidate, check: Check, canary: Canary | None = None
) -> CheckRun:
    """Run it on the candidate. Raises SetupFailed."""
    async with (
        checkout(services, candidate) as tree,
        temporary(services.scratch, "report-") as report,
        temporary(services.scratch, "witness-") as witness,
        _holdout(services, context, check) as holdout,
    ):
        if check.report:
            # A report that was in the tree already says nothing of this run.
            await asyncio.to_thread(lambda: remove_files(tree, matching(tree, check.report or "")))
        if canary is not None:
            await asyncio.to_thread(_place, canary, tree, holdout if check.holdout else "")
        await asyncio.to_thread(lay_out, witness)
        plan = witnessed(_with_holdout(await sandbox_plan(services, context, tree), holdout), witness, report)
        result = await services.sandbox.run_once(plan, Command(run=check.run, timeout_seconds=check.timeout_seconds))
        cases = await asyncio.to_thread(read_reports, report, tree, check.report)
        if cases is not None:
            cases = tuple(case._replace(file=_seen_as(case.file, tree, holdout)) for case in cases)
        return CheckRun(result=result, cases=cases)


@contextlib.asynccontextmanager
async def _holdout(services: Services, context: LoopContext, check: Check) -> AsyncIterator[str]:
    """The directory that ``$HOLDOUT`` names; empty where the spec holds nothing out.

    A visible check gets one as well, with nothing in it but an empty file of a random name: code that behaves only
    while ``$HOLDOUT`` is there would otherwise pass both kinds of check.
    """
    if not any(one.holdout for one in context.spec.checks):
        yield ""
        return
    async with temporary(services.scratch, "holdout-") as directory:
        if check.holdout:
            files = (await asyncio.to_thread(holdout_of, services, context.job)).holdout
        else:
            files = {f"test_{secrets.token_hex(4)}.py": ""}
        await asyncio.to_thread(_lay_out, files, directory)
        yield directory


def _with_holdout(plan: SandboxPlan, holdout: str) -> SandboxPlan:
    if not holdout:
        return plan
    mounts = (*plan.mounts, Mount(host=holdout, guest=HOLDOUT_GUEST))
    return plan.model_copy(update={"mounts": mounts, "env": {**plan.env, "HOLDOUT": HOLDOUT_GUEST}})


def _lay_out(files: dict[str, str], directory: str) -> None:
    for name, content in files.items():
        # Names were checked at submission; PurePosixPath keeps a later mistake from leaving the directory.
        target = Path(directory).joinpath(*(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))


def _seen_as(file: str, tree: str, holdout: str) -> str:
    """A file as every later run will find it: below the tree, or below ``$HOLDOUT``, wherever those are mounted."""
    path = posixpath.normpath(posixpath.join(WORKSPACE, file)) if file else ""
    for place, name in ((tree, WORKSPACE), (holdout, HOLDOUT_GUEST)):
        if place and path.startswith(f"{place}/"):
            path = name + path[len(place) :]
    return path


def _place(canary: Canary, tree: str, holdout: str) -> None:
    for file in canary.files:
        for root, path in _places(file, tree, holdout):
            with contextlib.suppress(FileRefused, ThirdshiftError, UnicodeDecodeError):
                content = read_beneath(root, path, _TEST_FILE_BYTES)
                write_beneath(root, path, with_canary(content.decode(), canary.token).encode())


def _places(file: str, tree: str, holdout: str) -> Iterable[tuple[str, str]]:
    """Where a reported file may be. pytest names held-out files from a root of its own choice."""
    if file.startswith(f"{HOLDOUT_GUEST}/") and holdout:
        return [(holdout, file.removeprefix(f"{HOLDOUT_GUEST}/"))]
    if file.startswith(f"{WORKSPACE}/"):
        inside = file.removeprefix(f"{WORKSPACE}/")
        return [(tree, inside), *([(holdout, inside), (holdout, inside.removeprefix("holdout/"))] if holdout else [])]
    return []
