"""What a later commit did to lines of ours: left them, moved them, replaced them, or took them back. Pure.

Lines are compared with their white space evened out, so that a new indentation is no change. Blank lines are left
out: they belong to nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from thirdshift.core.outcomes import WHOLE

FOREIGN_FOR_EACH: Final = 10
"""A hunk that takes out ten of our lines may bring one new line and still be a reversal; more makes it an edit."""
LEAST_ALIKE: Final = 3
"""Fewer lines than this are alike by chance."""

Lines = Counter[str]


class Hunk(NamedTuple):
    """Neighbouring lines that a commit replaced, as ``even`` leaves them."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class WorkLines:
    """The lines that a piece of work added, and those that it took out. Lines that it only moved are in neither."""

    added: Lines = field(default_factory=Counter)
    removed: Lines = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many lines the work is."""
        return self.added.total() + self.removed.total()


def even(line: str) -> str:
    """The line with its white space evened out; empty for a blank one."""
    return " ".join(line.split())


def work_lines(hunks: Iterable[Hunk]) -> WorkLines:
    """The lines of a diff. Work that did nothing but move lines is all that it moved."""
    added: Lines = Counter()
    removed: Lines = Counter()
    for hunk in hunks:
        added.update(line for line in hunk.added if line)
        removed.update(line for line in hunk.removed if line)
    moved = added & removed
    kept = WorkLines(added - moved, removed - moved)
    return kept if kept.total else WorkLines(added, removed)


def share(part: int, whole: int) -> int:
    """In thousandths; something is never nothing."""
    return min(WHOLE, max(1, part * WHOLE // whole)) if part > 0 and whole > 0 else 0


def missing(work: WorkLines, found: Lines) -> int:
    """How much of the added lines is not among those found, in thousandths of them."""
    return share((work.added - found).total(), work.added.total())


def alike(work: WorkLines, other: WorkLines) -> int:
    """How much of the work is in another change too, in thousandths; 0 where there is too little to compare."""
    if work.total < LEAST_ALIKE:
        return 0
    return share((work.added & other.added).total() + (work.removed & other.removed).total(), work.total)


def fate(work: WorkLines, lost: Lines, hunks: Sequence[Hunk], elsewhere: Lines) -> tuple[int, int]:
    """How much of the work a commit undid and how much it replaced, both in thousandths.

    ``lost`` are our lines that it took out of our files, ``hunks`` its changes to those files, and ``elsewhere``
    what it added to others: a line that went there was moved.
    """
    lost = lost - elsewhere
    restorable = Counter(work.removed)
    undone = edited = 0
    for hunk in hunks:
        ours = Counter(line for line in hunk.removed if line) & lost
        back = Counter(line for line in hunk.added if line) & restorable
        foreign = sum(1 for line in hunk.added if line) - back.total()
        lost = lost - ours
        if foreign * FOREIGN_FOR_EACH <= ours.total() + back.total():
            undone += ours.total() + back.total()
            restorable = restorable - back
        else:
            edited += ours.total()
    return share(undone, work.total), share(edited, work.total)
