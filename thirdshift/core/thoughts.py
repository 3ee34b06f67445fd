"""Thinking aloud: some open models put their thoughts into the answer, between ``<think>`` and ``</think>``."""

from __future__ import annotations

_OPEN = "<think>"
_CLOSE = "</think>"


def without_thoughts(text: str) -> str:
    """The answer without the thoughts that it begins with.

    A template may have opened them already, so a closing tag alone on its line ends them too. Thoughts that never
    end were cut off: nothing of such an answer is meant.
    """
    start = text.lstrip()
    if start.startswith(_OPEN):
        _, closed, rest = start.partition(_CLOSE)
        return rest if closed else ""
    if _OPEN in text:
        return text
    before, closed, rest = text.partition(_CLOSE)
    alone = not before.rpartition("\n")[2].strip() and not rest.partition("\n")[0].strip()
    return rest if closed and alone else text
