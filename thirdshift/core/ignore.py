"""gitignore(5), as a pure function of the text of the ignore files.

Git is not asked, because asking it would let it walk a directory that an agent filled. Matching is bounded
(``core.globs``), since the patterns are the agent's too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thirdshift.core import globs


@dataclass(frozen=True)
class IgnoreRule:
    """One line of an ignore file."""

    negated: bool
    directories_only: bool
    anchored: bool
    """Whether it is matched against the path below its file's directory, rather than the last name alone."""
    segments: tuple[globs.Segment, ...]
    depth: int
    """How many segments the directory of its file has."""


def parse_ignore(text: str, depth: int) -> tuple[IgnoreRule, ...]:
    """The rules of one file, in order, for a file in a directory of ``depth`` segments."""
    lines = text.removeprefix("\ufeff").split("\n")
    rules = (_parse_line(line.removesuffix("\r"), depth) for line in lines)
    return tuple(rule for rule in rules if rule is not None)


def is_ignored(path: Sequence[str], *, is_directory: bool, rules: Sequence[IgnoreRule]) -> bool:
    """Whether the last matching rule ignores the path.

    ``rules`` are those of all ignore files from the root down, in that order. The caller does not ask about
    what lies in an ignored directory: git lets nothing there be taken back in.
    """
    for rule in reversed(rules):
        if rule.directories_only and not is_directory:
            continue
        if _hits(rule, path):
            return not rule.negated
    return False


def _hits(rule: IgnoreRule, path: Sequence[str]) -> bool:
    if rule.anchored:
        return globs.matches(rule.segments, path[rule.depth :])
    return rule.segments[0].matches(path[-1])


def _parse_line(line: str, depth: int) -> IgnoreRule | None:
    if line.startswith("#"):
        return None
    line = _trim_spaces(line)
    negated = line.startswith("!")
    line = line[1:] if negated else line
    directories_only = line.endswith("/")
    line = line[:-1] if directories_only else line
    if not line:
        return None
    anchored = "/" in line
    segments = globs.parse(line.removeprefix("/")) if anchored else (globs.parse_segment(line),)
    return IgnoreRule(negated, directories_only, anchored, segments, depth)


def _trim_spaces(line: str) -> str:
    """Drop trailing spaces, but for one that a backslash quotes."""
    end = len(line)
    while end and line[end - 1] == " ":
        end -= 1
    backslashes = len(line[:end]) - len(line[:end].rstrip("\\"))
    return line[: end + 1] if end < len(line) and backslashes % 2 else line[:end]
