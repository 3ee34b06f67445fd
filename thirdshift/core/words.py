"""Turns of phrase for evidence that people read."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 5


def listed(names: Sequence[str]) -> str:
    """The names, the first five spelled out: ``lint, unit and 3 more``; ``no check`` when there are none."""
    if not names:
        return "no check"
    shown, rest = names[:_SHOWN], len(names) - _SHOWN
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str) -> str:
    """``1 attempt``, ``2 attempts``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def clipped(text: str, length: int) -> str:
    """One line of at most ``length`` characters; a cut shows as ``...``."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: max(0, length - 3)] + "..."
