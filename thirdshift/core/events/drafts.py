"""What reading a delivery comes to, before its texts are made safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class Malformed(ValueError):
    """A genuine delivery that cannot be understood. Its words are for the sender, and quote nothing that was sent."""


@dataclass(frozen=True)
class Draft:
    """An event with its texts as they were sent."""

    kind: str
    repository: str
    about: tuple[str, ...]
    """What makes its fingerprint: events that agree on all of these are about the same thing.

    There are always as many of a kind.
    """
    title: str
    text: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    delivery: str = ""
    """The sender's own id, where it stands in the body."""
    part: str = ""
    """Which part of its delivery this is, where one brings several."""


@dataclass(frozen=True)
class Nothing:
    """A delivery that asks for nothing to be done; ``why`` is for the sender."""

    why: str


@dataclass(frozen=True)
class Drafts:
    """The events of one delivery; ``left_out`` are those beyond what one delivery may bring."""

    drafts: tuple[Draft, ...]
    left_out: int = 0


Reading = Drafts | Nothing


def one(draft: Draft) -> Drafts:
    """A delivery with one event."""
    return Drafts((draft,))
