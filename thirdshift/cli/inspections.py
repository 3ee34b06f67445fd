"""What ``doctor`` looks at. Each inspection finds one thing there or missing, and says what to do about it."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thirdshift.core.errors import PriceUnknown, ThirdshiftError

if TYPE_CHECKING:
    from thirdshift.settings import Settings

_FREE_BYTES = 2 << 30
_GIT = (2, 30)


@dataclass(frozen=True)
class Finding:
    """One thing, and whether it is as it has to be. ``remedy`` is empty where nothing is to be done."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def missing(name: str, error: Exception) -> Finding:
    """An error as a finding: its first line is what is wrong, the rest what to do."""
    first, _, rest = str(error).partition("\n")
    what, separator, remedy = first.partition("; ")
    return Finding(name, False, what, f"{remedy}\n{rest}".strip() if separator or rest else "")


def inspect_python() -> Finding:
    """The interpreter."""
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, platform.python_version(), "" if ok else "install Python 3.11 or newer")


def inspect_git() -> Finding:
    """The git that the hub runs."""
    git = shutil.which("git")
    if git is None:
        return Finding("git", False, "not found", "install it (Debian and Ubuntu: apt-get install git)")
    said = subprocess.run([git, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    found = re.search(r"(\d+)\.(\d+)", said)
    ok = found is not None and (int(found[1]), int(found[2])) >= _GIT
    return Finding("git", ok, said.removeprefix("git version "), "" if ok else "install git 2.30 or newer")


async def inspect_sandbox(settings: Settings) -> Finding:
    """The sandbox, attacked from inside."""
    from thirdshift.adapters.sandbox.factory import build_sandbox

    try:
        sandbox = build_sandbox(settings.sandbox.backend, read_only=settings.sandbox.read_only)
        down = await sandbox.self_test()
    except ThirdshiftError as error:
        return missing("sandbox", error)
    if sandbox.name == "none":
        return Finding("sandbox", True, "none, as it is written in the configuration: nothing confines agents' code")
    if down:
        remedy = "use another machine or kernel, or another [sandbox] backend; no agent's code is run like this"
        return Finding("sandbox", False, f"{sandbox.name}, but these walls are missing: {', '.join(down)}", remedy)
    return Finding("sandbox", True, f"{sandbox.name}, every wall stands")


def inspect_server_binary(settings: Settings) -> Finding | None:
    """The embedded server's program, where that is the one in use."""
    from thirdshift.adapters.engine.binary import temporal_binary

    if settings.engine.kind != "embedded":
        return None
    try:
        binary = temporal_binary()
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, env={}).stdout
    except (ThirdshiftError, OSError) as error:
        return missing("temporal", error)
    return Finding("temporal", True, said.strip().removeprefix("temporal version "))


async def inspect_server(settings: Settings) -> Finding:
    """The server itself: reachable, or to be brought up; its search attributes are registered on the way."""
    from thirdshift.adapters.engine.access import find_running, open_engine
    from thirdshift.bootstrap.books import redactor_of

    if settings.engine.kind == "embedded" and find_running(settings.home) is None:
        return Finding("server", True, "not running; `thirdshift up` and `run` bring it up")
    try:
        async with open_engine(
            settings.engine, settings.home, may_start=False, redactor=redactor_of(settings)
        ) as engine:
            return Finding("server", True, f"{engine.address}, UI {engine.ui_url}, search attributes registered")
    except ThirdshiftError as error:
        return missing("server", error)


def inspect_worker(settings: Settings) -> Finding:
    """Whether a worker of this home is up; none is no fault."""
    from thirdshift.adapters.engine.locks import worker_is_marked

    up = worker_is_marked(settings.home)
    return Finding("worker", True, "up" if up else "none here; `thirdshift up` starts one")


def inspect_ledger(settings: Settings) -> Finding:
    """The books: open, migrated, readable."""
    from thirdshift.bootstrap.services import open_books

    try:
        with closing(open_books(settings)) as ledger:
            ledger.list_jobs(1)
    except (ThirdshiftError, OSError) as error:
        return missing("ledger", error)
    return Finding("ledger", True, settings.describe()["ledger"])


def inspect_intake(settings: Settings) -> list[Finding]:
    """The rules for events, where there are any: their templates have to take an event."""
    from thirdshift.bootstrap.intake_rules import template_findings

    rules = settings.intake.terms.rules
    if not rules:
        return []
    wrong = [line for lines in template_findings(rules).values() for line in lines]
    if wrong:
        return [Finding("intake", False, wrong[0], "mend the templates; `thirdshift events check` lists every finding")]
    return [Finding("intake", True, f"{len(rules)} rules, every template takes an event")]


def inspect_disk(settings: Settings) -> Finding:
    """Room under THIRDSHIFT_HOME."""
    there = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    ok = free >= _FREE_BYTES
    remedy = "" if ok else f"free some space, or set THIRDSHIFT_HOME to another disk than that of {settings.home}"
    return Finding("disk", ok, f"{free / (1 << 30):.1f} GiB free for {settings.home}", remedy)


def inspect_home(settings: Settings) -> Finding:
    """THIRDSHIFT_HOME: there or to be made, and writable."""
    from thirdshift.adapters.engine.embedded import EnginePaths

    try:
        EnginePaths(settings.home).prepare()
    except ThirdshiftError as error:
        return missing("home", error)
    return Finding("home", True, str(settings.home))


def inspect_keys(settings: Settings) -> list[Finding]:
    """The key of every provider on the ladder: there or not, never which."""
    if not settings.ladder.rungs:
        try:
            settings.require_ladder()
        except ThirdshiftError as error:
            return [missing("models", error)]
    findings = []
    for name in dict.fromkeys(rung.provider for rung in settings.ladder.rungs):
        provider = settings.providers[name]
        detail = (
            f"{provider.key_variable} is {'set' if provider.ready else 'missing'}"
            if provider.key_variable
            else "none needed"
        )
        remedy = "" if provider.ready else f"set it in the environment or in {settings.secrets_path} (mode 600)"
        findings.append(Finding(f"key of {name}", provider.ready, detail, remedy))
    return findings


def inspect_prices(settings: Settings) -> list[Finding]:
    """The price of every rung, without which no call is sent."""
    from thirdshift.adapters.prices import Prices

    prices, findings = Prices(settings.prices), []
    for model in dict.fromkeys(rung.model for rung in settings.ladder.rungs):
        provider = settings.providers[model.partition("/")[0]]
        try:
            prices.quote(provider.kind, provider.name, model.partition("/")[2], provider.base_url)
            findings.append(Finding(f"price of {model}", True, "known"))
        except PriceUnknown as error:
            findings.append(missing(f"price of {model}", error))
    return findings
