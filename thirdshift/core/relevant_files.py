"""Which files of a tree a model should see that cannot open any: those that the spec, the plan and the checks name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from thirdshift.core.plan import Plan
from thirdshift.core.spec import Spec

SHOWN_BYTES = 48 << 10
"""About 12,000 to 16,000 tokens of code; models that need the text protocol have small windows."""
_UNNAMED = 5
_MOST_READ = 200
_NEVER = re.compile(
    r"(?i)(?:^|/)(?:\.git|node_modules|vendor|third_party|dist|build|__pycache__|\.venv)/"
    r"|(?:\.lock|-lock\.(?:json|yaml)|\.min\.(?:js|css)|\.map|\.svg|\.png|\.jpe?g|\.gif|\.ico|\.pdf|\.zip|\.gz|\.whl"
    r"|\.so|\.pyc|\.woff2?|\.ttf|\.bin|\.csv)$"
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,80}")
_COMMON_STEMS = frozenset({"__init__", "__main__", "index", "main", "mod", "lib", "setup", "test", "tests", "conftest"})


def relevant_files(
    paths: Sequence[str],
    spec: Spec,
    plan: Plan | None,
    read: Callable[[str], str | None],
    limit_bytes: int = SHOWN_BYTES,
    each_bytes: int = 0,
) -> tuple[tuple[str, str], ...]:
    """Paths and contents of the files that matter most, in the order of their paths, at most ``limit_bytes`` in all.

    Files are ranked by name alone: named in the plan; named with their path in the spec or in a visible check; named
    by file name; beside one of those by the ``test_`` convention; by stem, or beside one of these; then the rest,
    which gets a quarter of the room where anything was named. ``read`` gives None for what is no text or too large. A
    file that does not fit is left out whole, and smaller ones may still come. ``each_bytes`` is what showing a file
    takes beside its content.
    """
    ranks = _ranks(paths, spec, plan)
    chosen: list[tuple[str, str]] = []
    room = limit_bytes
    rest_begun = False
    candidates = sorted((path for path in paths if not _NEVER.search(path)), key=lambda path: (ranks[path], path))
    for path in candidates[:_MOST_READ]:
        if ranks[path] == _UNNAMED and not rest_begun:
            rest_begun = True
            room = min(room, limit_bytes // 4) if chosen else room
        content = read(path)
        if content is None or "\0" in content:
            continue
        size = len(content.encode("utf-8", "surrogatepass")) + each_bytes
        if size <= room:
            chosen.append((path, content))
            room -= size
    return tuple(sorted(chosen))


def _ranks(paths: Sequence[str], spec: Spec, plan: Plan | None) -> dict[str, int]:
    visible_commands = [check.run for check in spec.checks if not check.holdout]
    said = "\n".join((spec.title, spec.body, *visible_commands, plan.approach if plan else ""))
    planned = set(plan.files) if plan else set()
    words = {word.casefold() for word in _WORD.findall(said)}
    ranks = {path: _rank(path, said, planned, words) for path in paths}
    named = {_subject(path) for path, rank in ranks.items() if rank <= 2} - _COMMON_STEMS
    hinted = {_subject(path) for path, rank in ranks.items() if rank == 4} - _COMMON_STEMS
    beside = {path: 3 if _subject(path) in named else 4 if _subject(path) in hinted else _UNNAMED for path in paths}
    return {path: min(rank, beside[path]) for path, rank in ranks.items()}


def _rank(path: str, said: str, planned: set[str], words: set[str]) -> int:
    name = path.rpartition("/")[2]
    if path in planned:
        return 0
    if "/" in path and path in said:
        return 1
    if "." in name and name in said and name != "__init__.py":
        return 2
    stem = name.partition(".")[0].casefold()
    if stem in words and stem not in _COMMON_STEMS:
        return 4
    return _UNNAMED


def _subject(path: str) -> str:
    """What a file is about: ``test_rounding.py`` and ``rounding.py`` are about ``rounding``."""
    stem = path.rpartition("/")[2].partition(".")[0].casefold()
    return stem.removeprefix("test_").removesuffix("_test").removesuffix("_spec")
