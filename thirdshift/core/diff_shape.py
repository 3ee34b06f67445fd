"""What kind of line each line of a git diff is, and how much changed in each file. Pure; the text is hostile."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from thirdshift.core.frozen import Frozen

_HEADING: Final = (
    "index ",
    "old mode ",
    "new mode ",
    "new file mode ",
    "deleted file mode ",
    "similarity index ",
    "--- ",
    "+++ ",
)


class LineKind(StrEnum):
    """What a line of a diff is."""

    FILE = "file"
    HEADING = "heading"
    HUNK = "hunk"
    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"


class FileChange(Frozen):
    """How much changed in a file. ``path`` is as git writes it, quoted where it has odd characters."""

    path: str
    added: int
    removed: int


def told_apart(diff: str) -> Iterator[tuple[LineKind, str]]:
    """Every line with its kind. Inside a hunk only the first character counts, so content cannot pose as a heading."""
    left = [0, 0]
    # Only a newline ends a line of a diff: others, such as a form feed, are part of what was written.
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        yield _kind(line, left), line


def _kind(line: str, left: list[int]) -> LineKind:
    """The line's kind; ``left`` is how many old and new lines the hunk still has, and is counted down."""
    if left[0] > 0 or left[1] > 0:
        match line[:1]:
            case "+":
                left[1] -= 1
                return LineKind.ADDED
            case "-":
                left[0] -= 1
                return LineKind.REMOVED
            case "\\":
                return LineKind.SAME
            case _:
                left[0], left[1] = left[0] - 1, left[1] - 1
                return LineKind.SAME
    if line.startswith("@@ "):
        left[:] = _sizes(line)
        return LineKind.HUNK
    if line.startswith("diff --git "):
        return LineKind.FILE
    return LineKind.HEADING if line.startswith(_HEADING) else LineKind.SAME


def _sizes(line: str) -> tuple[int, int]:
    """How many old and new lines ``@@ -1,4 +1,5 @@`` announces."""
    parts = line.split(" ")[1:3]
    sizes = [part.partition(",")[2] or "1" for part in parts]
    old, new = (int(size) if size.isdigit() else 0 for size in [*sizes, "0", "0"][:2])
    return old, new


def changes(diff: str) -> tuple[FileChange, ...]:
    """Every file of the diff with its added and removed lines, in order."""
    found: list[FileChange] = []
    path, added, removed = "", 0, 0
    for kind, line in told_apart(diff):
        match kind:
            case LineKind.FILE:
                if path:
                    found.append(FileChange(path=path, added=added, removed=removed))
                path, added, removed = _path(line), 0, 0
            case LineKind.ADDED:
                added += 1
            case LineKind.REMOVED:
                removed += 1
            case _:
                pass
    return (*found, FileChange(path=path, added=added, removed=removed)) if path else tuple(found)


def _path(line: str) -> str:
    """Of ``diff --git a/PATH b/PATH``: both are the same, since renames are not looked for."""
    names = line.removeprefix("diff --git ")
    half = names[(len(names) + 1) // 2 :]
    return f'"{half[3:]}' if half.startswith('"b/') else half.removeprefix("b/")


def without_hashes(diff: str) -> str:
    """The diff without the lines that name blobs: they tell a reviewer nothing, and are longer than a screen."""
    kept = [line for kind, line in told_apart(diff) if not (kind is LineKind.HEADING and line.startswith("index "))]
    return "\n".join(kept) + "\n" if kept else ""
