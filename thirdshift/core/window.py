"""What fits into a model's window beside all that must be in it."""

from __future__ import annotations

from typing import NamedTuple

from thirdshift.core.ladder import Rung
from thirdshift.core.relevant_files import SHOWN_BYTES

BYTES_PER_TOKEN = 3
"""Of code, tests and tracebacks: 2.7 to 3.7 where it was measured, on a tokenizer with a small vocabulary."""
MARGIN_TOKENS = 256
"""For the server's own template around the messages."""
MARGIN_SHARE = 16
"""A sixteenth of the window more, for text that is denser than ``BYTES_PER_TOKEN`` says."""


class Room(NamedTuple):
    """Bytes that an opening may spend on each of what it shows."""

    evidence: int = 24_000
    """Output of failed checks, all together."""
    paths: int = 8 << 10
    """The list of all paths."""
    files: int = SHOWN_BYTES
    """Content of files."""


WIDEST = Room()
"""For a rung whose window is not stated."""


def room_for_evidence(rung: Rung, system_bytes: int) -> Room:
    """The widest room, but for the evidence: a third of what the system text leaves of the window.

    Without a bound on it, a long traceback would leave no place for the code that it is about.
    """
    free = _free_bytes(rung, system_bytes)
    return WIDEST if free is None else WIDEST._replace(evidence=min(WIDEST.evidence, free // 3))


def room_beside(room: Room, rung: Rung, said_bytes: int, paths_bytes: int) -> Room:
    """The same room with the repository's share of it fitted beside everything else in the prompt.

    ``said_bytes``: what all the rest takes, in UTF-8. ``paths_bytes``: what the whole list of paths would take. It
    gets a quarter at most: names alone are of little use to a model that cannot open files.
    """
    free = _free_bytes(rung, said_bytes)
    if free is None:
        return room
    paths = room_for_paths(rung, said_bytes, min(room.paths, paths_bytes))
    return room._replace(paths=paths, files=min(room.files, free - paths))


def room_for_paths(rung: Rung, said_bytes: int, most: int) -> int:
    """Of ``most`` bytes of a list of paths, those that a quarter of the free window holds."""
    free = _free_bytes(rung, said_bytes)
    return most if free is None else min(most, free // 4)


def _free_bytes(rung: Rung, said_bytes: int) -> int | None:
    if rung.context_tokens is None:
        return None
    margin = MARGIN_TOKENS + rung.context_tokens // MARGIN_SHARE
    return max(0, (rung.context_tokens - rung.max_output_tokens - margin) * BYTES_PER_TOKEN - said_bytes)
