"""Checks that cannot run where they are judged: no work on the tree would ever make them pass.

A check that fails on base is the ordinary case, and so is one whose program is still to be written. So this looks
for a missing program that no tree can bring: one that a shell looked for on the PATH or outside the workspace, or a
test runner that Python was told to run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from thirdshift.core.ports import CommandEnd
from thirdshift.core.tree_path import WORKSPACE
from thirdshift.core.verdict import CheckOutcome, Verdict, output_tail

_CANNOT_BEGIN = (126, 127)  # what every POSIX shell answers for "found, but not executable" and "not found"
_COMPLAINT = re.compile(
    r"(?:^|: )(?P<name>[^\s:]+): (?:command not found|not found|No such file or directory|Permission denied"
    r"|cannot execute.*|bad interpreter.*)$"
)
_RUNNERS = frozenset({"coverage", "mypy", "nose2", "nox", "pip", "pytest", "ruff", "tox", "trial", "twisted"})
_NO_MODULE = re.compile(r"^\S*python[\d.]*\S*: No module named ['\"]?(?P<name>\w+)")


def what_cannot_run(base: Verdict, commands: Mapping[str, str]) -> str:
    """Which visible check cannot run on base, with its last lines and the remedy; empty if all can.

    ``commands`` maps a check's id to what it runs.
    """
    for check in base.checks:
        if not check.holdout and (name := _missing(check, commands.get(check.id, ""))):
            tail = "\n".join(output_tail(check)[-3:])
            return (
                f"Check `{check.id}` cannot run here: exit {check.exit_code}, the sandbox has no `{name}`.\n"
                f"{tail}\n"
                f"Let the spec's `setup` install it, for example: python3 -m venv .venv && .venv/bin/pip install NAME; "
                "or correct the check. `setup` needs a network for that: see [sandbox] in thirdshift.toml."
            )
    return ""


def _missing(check: CheckOutcome, command: str) -> str:
    """The program that the check lacks and that no tree could bring; empty where there is none."""
    if check.passed or check.end is not CommandEnd.EXITED:
        return ""
    lines = output_tail(check)
    if check.exit_code in _CANNOT_BEGIN:
        return next((name for line in reversed(lines) if (name := _outside(line, command))), "")
    found = _NO_MODULE.match(lines[-1]) if lines else None
    return found["name"] if found and found["name"] in _RUNNERS else ""


def _outside(line: str, command: str) -> str:
    found = _COMPLAINT.search(line)
    if found is None:
        return ""
    name = found["name"]
    if "/" not in name:
        # A check that makes a PATH of its own may mean a directory of the tree.
        return "" if "PATH=" in command else name
    return name if name.startswith("/") and not name.startswith(WORKSPACE) else ""
