"""What a gate shows besides itself: gathered once, when it opens, and carried by the workflow."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from thirdshift.core.frozen import Frozen
from thirdshift.core.verdict import Verdict

MOST_CHECKS = 12
EXCERPT_BYTES = 3600
"""Of the diff or the plan: what can be shown at most, so that no more of it travels."""
LONGEST_LINE = 160
OUTPUT_LINES = 8


class CheckLine(Frozen):
    """One check as a gate shows it."""

    id: str
    state: Literal["pass", "FAIL", "not run"]
    seconds: float = 0.0


class GateFacts(Frozen):
    """All of it is hostile text or numbers; ``core.gate_details`` shows it as such."""

    title: str = ""
    checks: tuple[CheckLine, ...] = ()
    checks_left_out: int = 0
    to_review: tuple[str, ...] = ()
    """Criteria that no check judges, ``AC-2: ...``: the reviewer's to judge."""
    failed_output: str = ""
    """The end of what the first failed visible check printed."""
    cost_nano: int = 0
    """All the job's calls, held and unknown ones at their holds."""
    budget_nano: int | None = None
    """The job's own cap with every raise; None where it has none."""
    excerpt: str = ""
    excerpt_of: Literal["diff", "plan", ""] = ""
    excerpt_lines: int = 0
    """How many lines the whole has."""
    links: tuple[str, ...] = Field(default=(), max_length=6)
    """URLs and commands that lead to the whole."""


def check_lines(verdict: Verdict) -> tuple[tuple[CheckLine, ...], int]:
    """The checks to show, failed ones first, and how many are left out."""
    ran = [CheckLine(id=c.id, state="pass" if c.passed else "FAIL", seconds=c.seconds) for c in verdict.checks]
    lines = [*ran, *(CheckLine(id=name, state="not run") for name in verdict.not_run)]
    lines.sort(key=lambda line: line.state == "pass")
    return tuple(lines[:MOST_CHECKS]), max(0, len(lines) - MOST_CHECKS)


def failed_output(verdict: Verdict) -> str:
    """The last lines of the first failed check that is not held out; empty where there is none."""
    for check in verdict.checks:
        if not check.passed and not check.holdout and check.output.strip():
            lines = check.output.rstrip().splitlines()[-OUTPUT_LINES:]
            return "\n".join(clip_line(line) for line in lines)
    return ""


def excerpt(text: str) -> tuple[str, int]:
    """As many whole lines as fit, each of bounded length with its cut said; and how many lines there are."""
    lines = text.splitlines()
    shown: list[str] = []
    room = EXCERPT_BYTES
    for line in lines:
        bounded = clip_line(line)
        room -= len(bounded.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        shown.append(bounded)
    return "\n".join(shown), len(lines)


def clip_line(line: str) -> str:
    """The line; where it is too long, its beginning and how many characters are not shown."""
    cut = len(line) - LONGEST_LINE
    return line if cut <= 0 else f"{line[:LONGEST_LINE]} [+{cut} characters]"
