"""A file's text as a model sees it and as a model edits it."""

from __future__ import annotations

from thirdshift.core.text import head_and_tail

_MOST_PLACES = 5


def shown_lines(content: bytes, start: int | None, end: int | None, limit: int) -> str:
    """Lines ``start`` to ``end`` (from 1, both included), at most ``limit`` bytes, and which of how many they are.

    Lines are not numbered, so that what is shown can be copied into an edit as it is.
    """
    lines = content.splitlines(keepends=True)
    count = len(lines)
    if not count:
        return "(the file is empty)"
    first, last = start or 1, min(end or count, count)
    if first > count:
        return f"(the file has only {count} lines)"
    part = b"".join(lines[first - 1 : last])
    shown = head_and_tail(part, limit)
    if first == 1 and last == count:
        return shown
    return f"(lines {first} to {last} of {count})\n{shown}"


class EditRefused(ValueError):
    """An edit that fits no place or several; the text is for the model."""


def edited(content: str, old: str, new: str) -> str:
    """The content with the one place where ``old`` stands replaced.

    In a file with Windows line ends, an ``old`` with plain ones is found too, and ``new`` gets the file's own.
    Raises EditRefused when ``old`` stands nowhere or in several places.
    """
    places = content.count(old)
    if not places and "\r\n" in content and "\r" not in old:
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
        places = content.count(old)
    if places == 1:
        return content.replace(old, new)
    if places:
        numbers = ", ".join(str(number) for number in _lines_of(content, old))
        more = f" and {places - _MOST_PLACES} more" if places > _MOST_PLACES else ""
        raise EditRefused(f"`old` stands in {places} places (lines {numbers}{more}); include more lines around it")
    raise EditRefused(f"`old` does not stand in the file{_near(content, old)}; read the file and copy it exactly")


def _lines_of(content: str, old: str) -> list[int]:
    found: list[int] = []
    at = content.find(old)
    while at >= 0 and len(found) < _MOST_PLACES:
        found.append(content.count("\n", 0, at) + 1)
        at = content.find(old, at + len(old))
    return found


def _near(content: str, old: str) -> str:
    """Where the text stands but for its blanks, the usual cause."""
    wanted = [line.strip() for line in old.strip().splitlines()]
    lines = [line.strip() for line in content.splitlines()]
    for start in range(len(lines) - len(wanted) + 1) if wanted else ():
        if lines[start] == wanted[0] and lines[start : start + len(wanted)] == wanted:
            return f" (with other blanks or indentation it does, at line {start + 1})"
    return ""
