"""What a change may touch: ``scope.write`` of a spec.

Patterns are globs anchored at the root of the repository (``core.globs``): ``src/**`` is everything below
``src``, ``*.md`` is Markdown at the root only, ``**/*.md`` anywhere. A pattern without wildcards, or one that
ends in a slash, also stands for everything below the directory of that name. ``!pattern`` takes paths back
out. As in gitignore(5), the last pattern that matches a path decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from thirdshift.core import globs


def outside(paths: Iterable[str], write_globs: Sequence[str]) -> tuple[str, ...]:
    """The paths, in their order, that no pattern lets be written."""
    rules = [_rule(pattern) for pattern in write_globs if pattern.strip("!/ ")]
    return tuple(path for path in paths if not _allowed(path, rules))


_Rule = tuple[bool, tuple[tuple[globs.Segment, ...], ...]]


def _rule(pattern: str) -> _Rule:
    """Whether the pattern allows, and the alternatives that it stands for."""
    allows = not pattern.startswith("!")
    text = pattern.removeprefix("!").removeprefix("./").lstrip("/")
    whole_directory = text.endswith("/")
    text = text.rstrip("/")
    below = (*globs.parse(text), globs.DEEP)
    if whole_directory:
        return allows, (below,)
    exact = globs.parse(text)
    return allows, (exact,) if globs.has_wildcard(text) else (exact, below)


def _allowed(path: str, rules: Sequence[_Rule]) -> bool:
    parts = path.split("/")
    for allows, alternatives in reversed(rules):
        if any(globs.matches(segments, parts) for segments in alternatives):
            return allows
    return False
