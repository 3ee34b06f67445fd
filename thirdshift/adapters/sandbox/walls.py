"""The start-up self-test: attack a sandbox from inside and say which walls are missing."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thirdshift.adapters.sandbox import guest
from thirdshift.core.ports import Command, CommandEnd, Sandbox, SandboxPlan

_ATTACK = Path(__file__).with_name("attack.py")
_ATTACK_SECONDS = 60.0
_SHELL_ADDS = ("_", "SHLVL", "OLDPWD", "PWD", "LC_CTYPE")


@contextmanager
def _listeners() -> Iterator[tuple[int, str]]:
    """Listen where nothing inside may reach: on a loopback port, and on an abstract unix socket."""
    name = f"thirdshift-{secrets.token_hex(8)}"
    with socket.socket() as loopback, socket.socket(socket.AF_UNIX) as abstract:
        loopback.bind(("127.0.0.1", 0))
        loopback.listen()
        abstract.bind("\0" + name)
        abstract.listen()
        yield loopback.getsockname()[1], name


def _prepared(outside: Path) -> tuple[Path, Path]:
    """Make a workspace with the attack in it, and a file beside it that nothing inside may see."""
    workspace, canary = outside / "workspace", outside / "canary"
    workspace.mkdir()
    canary.write_text("outside")
    shutil.copy(_ATTACK, workspace / "attack.py")
    return workspace, canary


def _disturbed(workspace: Path, canary: Path) -> bool:
    return canary.read_text() != "outside" or set(workspace.parent.iterdir()) != {workspace, canary}


async def missing_walls(sandbox: Sandbox, shown: tuple[str, ...]) -> tuple[str, ...]:
    """Return the missing walls, one line each, with what was found. ``shown`` are directories meant to be seen."""
    with tempfile.TemporaryDirectory(prefix="thirdshift-walls-") as outside, _listeners() as (port, abstract):
        workspace, canary = _prepared(Path(outside))
        facts = {
            "allowed_env": [*guest.environment({}, ()), *_SHELL_ADDS],
            "home": pwd.getpwuid(os.getuid()).pw_dir,
            "shown": list(shown),
            "canary": str(canary),
            "port": port,
            "abstract": abstract,
        }
        run = f"python3 -I attack.py {shlex.quote(json.dumps(facts))}"
        plan = SandboxPlan(workspace=str(workspace))
        result = await sandbox.run_once(plan, Command(run=run, timeout_seconds=_ATTACK_SECONDS))
        *found, last = result.output.strip().splitlines() or [""]
        if result.end is not CommandEnd.EXITED or last != "DONE":
            found.append(f"self-test: did not finish ({result.end}, exit {result.exit_code}): {result.output[-500:]}")
        if _disturbed(workspace, canary):
            found.append("outside writes: something was changed beside the workspace")
        return tuple(found)
