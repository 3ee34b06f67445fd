r"""Glob patterns over slash-separated paths, matched in time that a hostile pattern cannot blow up.

The syntax is git's (gitignore(5), wildmatch): ``?`` is one character, ``*`` any run within one segment,
``[a-z]``, ``[!a-z]`` and ``[[:digit:]]`` classes, ``\`` takes the next character literally, and a segment
that is ``**`` any number of segments. Regular expressions are avoided on purpose: patterns such as
``*a*a*a*b`` come from files that an agent wrote, and matching here is bounded by pattern times path length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_POSIX: Final[Mapping[str, Callable[[str], bool]]] = {
    "alpha": str.isalpha,
    "digit": str.isdigit,
    "alnum": str.isalnum,
    "lower": str.islower,
    "upper": str.isupper,
    "space": str.isspace,
    "blank": lambda c: c in " \t",
    "cntrl": lambda c: ord(c) < 32 or ord(c) == 127,
    "punct": lambda c: c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
    "print": str.isprintable,
    "graph": lambda c: c.isprintable() and c != " ",
}


@dataclass(frozen=True)
class _Class:
    """A bracket expression."""

    negated: bool
    ranges: tuple[tuple[str, str], ...]
    posix: tuple[str, ...]

    def takes(self, char: str) -> bool:
        inside = any(low <= char <= high for low, high in self.ranges)
        inside = inside or any(_POSIX[name](char) for name in self.posix)
        return inside is not self.negated


@dataclass(frozen=True)
class _Wild:
    """``?`` or ``*``."""

    many: bool


_ONE: Final = _Wild(many=False)
_MANY: Final = _Wild(many=True)

Token = str | _Class | _Wild


@dataclass(frozen=True)
class Segment:
    """One segment of a pattern; ``tokens`` is None where it can match nothing (an unclosed class)."""

    tokens: tuple[Token, ...] | None
    literal: str | None = None
    """The whole text where there is no wildcard."""
    deep: bool = False
    """Whether this is ``**``."""

    def matches(self, name: str) -> bool:
        """Whether it matches one path segment."""
        if self.literal is not None:
            return self.literal == name
        return self.tokens is not None and _match_tokens(self.tokens, name)


DEEP: Final = Segment(tokens=(_MANY,), deep=True)


def parse(pattern: str) -> tuple[Segment, ...]:
    """A pattern as segments. Leading and trailing slashes are the caller's to read and strip."""
    return tuple(DEEP if part == "**" else parse_segment(part) for part in pattern.split("/"))


def parse_segment(text: str) -> Segment:
    """One segment; ``**`` inside it is the same as ``*``."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            if at + 1 == len(text):
                return Segment(tokens=None)
            tokens.append(text[at + 1])
            at += 2
        elif char == "[":
            bracket, at = _parse_class(text, at)
            if bracket is None:
                return Segment(tokens=None)
            tokens.append(bracket)
        else:
            tokens.append(_ONE if char == "?" else _MANY if char == "*" else char)
            at += 1
    if all(isinstance(token, str) for token in tokens):
        return Segment(tokens=None, literal="".join(t for t in tokens if isinstance(t, str)))
    return Segment(tokens=tuple(tokens))


def has_wildcard(pattern: str) -> bool:
    """Whether any segment is more than literal text."""
    return any(segment.literal is None for segment in parse(pattern))


def matches(segments: Sequence[Segment], path: Sequence[str]) -> bool:
    """Whether the pattern matches the whole path. A final ``**`` stands for at least one segment."""
    if segments and segments[-1].deep:
        return bool(path) and _match_run(segments[:-1], path, open_end=True)
    return _match_run(segments, path, open_end=False)


def _match_run(segments: Sequence[Segment], path: Sequence[str], *, open_end: bool) -> bool:
    """Greedy matching with one point to fall back to: the latest ``**`` (enough, as for any glob)."""
    if open_end and not segments:
        return True
    at = position = 0
    fallback: tuple[int, int] | None = None
    while True:
        if at == len(segments) and (open_end and position < len(path)):
            return True
        if at < len(segments) and segments[at].deep:
            fallback = (at + 1, position)
            at += 1
            continue
        if position < len(path) and at < len(segments) and segments[at].matches(path[position]):
            at, position = at + 1, position + 1
            continue
        if at == len(segments) and position == len(path) and not open_end:
            return True
        if fallback is None or fallback[1] >= len(path):
            return False
        fallback = (fallback[0], fallback[1] + 1)
        at, position = fallback


def _match_tokens(tokens: tuple[Token, ...], name: str) -> bool:
    at = position = 0
    fallback: tuple[int, int] | None = None
    while position < len(name):
        token = tokens[at] if at < len(tokens) else None
        if token is _MANY:
            at += 1
            fallback = (at, position)
        elif token is not None and _takes(token, name[position]):
            at, position = at + 1, position + 1
        elif fallback is not None:
            fallback = (fallback[0], fallback[1] + 1)
            at, position = fallback
        else:
            return False
    return all(token is _MANY for token in tokens[at:])


def _takes(token: Token, char: str) -> bool:
    if isinstance(token, str):
        return token == char
    return token.takes(char) if isinstance(token, _Class) else True


def _parse_class(text: str, start: int) -> tuple[_Class | None, int]:
    """The bracket expression at ``start`` and the index after it; None where it is not closed."""
    at = start + 1
    negated = at < len(text) and text[at] in "!^"
    at += negated
    first = at
    ranges: list[tuple[str, str]] = []
    posix: list[str] = []
    while at < len(text):
        if text[at] == "]" and at > first:
            return _Class(negated, tuple(ranges), tuple(posix)), at + 1
        if text.startswith("[:", at):
            end = text.find(":]", at + 2)
            if end >= 0:
                if text[at + 2 : end] not in _POSIX:
                    return None, len(text)
                posix.append(text[at + 2 : end])
                at = end + 2
                continue
        low, at = _class_char(text, at)
        if at + 1 < len(text) and text[at] == "-" and text[at + 1] != "]":
            high, at = _class_char(text, at + 1)
            ranges.append((low, high))
        else:
            ranges.append((low, low))
    return None, len(text)


def _class_char(text: str, at: int) -> tuple[str, int]:
    if text[at] == "\\" and at + 1 < len(text):
        return text[at + 1], at + 2
    return text[at], at + 1
