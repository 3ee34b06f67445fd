"""Verdicts: the outcome of all checks on one tree. They come from commands, never from a model's words."""

from __future__ import annotations

from thirdshift.core.frozen import Frozen
from thirdshift.core.ports import CommandEnd
from thirdshift.core.suites import TestTally

REVIEW = "(review)"
"""Stands among failed checks for a person who sent a tree back. No check can have this id."""


class CheckOutcome(Frozen):
    """One check on one tree. ``output`` is bounded and hostile characters in it are made visible."""

    id: str
    passed: bool
    end: CommandEnd
    exit_code: int
    seconds: float
    output: str
    holdout: bool = False
    covers: tuple[str, ...] = ()
    tests: TestTally | None = None
    """The tests that it ran, where a report said so."""


_TAIL_LINES, _TAIL_WIDTH = 10, 200


def how_it_ended(check: CheckOutcome) -> str:
    """``exit 1``, or what ended it instead: ``timed out``."""
    return f"exit {check.exit_code}" if check.end is CommandEnd.EXITED else check.end.value.replace("_", " ")


def output_tail(check: CheckOutcome) -> tuple[str, ...]:
    """The last ten lines that are not blank, each of at most 200 characters. Nothing of a held-out check."""
    if check.holdout:
        return ()
    lines = [line.rstrip() for line in check.output.splitlines() if line.strip()]
    return tuple(line if len(line) <= _TAIL_WIDTH else line[: _TAIL_WIDTH - 3] + "..." for line in lines[-_TAIL_LINES:])


class Verdict(Frozen):
    """All that was found out about one tree; kept in the ledger."""

    tree: str
    checks: tuple[CheckOutcome, ...]
    not_run: tuple[str, ...] = ()
    """Checks left out because one marked ``stop_on_fail`` failed before them."""
    out_of_scope: tuple[str, ...] = ()
    """Changed paths that the spec does not let it write."""
    tampering: tuple[str, ...] = ()
    """What was done to protected files or tests, one sentence each."""

    @property
    def passed(self) -> bool:
        """Whether every check ran and passed, nothing was tampered with and no path is out of scope."""
        return (
            bool(self.checks)
            and all(check.passed for check in self.checks)
            and not (self.not_run or self.out_of_scope or self.tampering)
        )


class VerdictBrief(Frozen):
    """A verdict as workflows carry it: ids and counts, small whatever the checks printed."""

    id: int
    """The ledger's number of the whole verdict."""
    tree: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    """Failed or not run, in the order written."""
    out_of_scope: int = 0
    tampering: int = 0
    signature: str = ""
    """Hash of what failed and how, with numbers, hexadecimals and paths masked; empty when nothing failed."""

    @property
    def ok(self) -> bool:
        """Whether the tree may be accepted."""
        return bool(self.passed) and not (self.failed or self.out_of_scope or self.tampering)
