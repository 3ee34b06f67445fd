"""Reading the reports that a check left, from the host. Whoever wrote them may have left links and pipes as well."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase

from thirdshift.adapters.witness import PYTEST_REPORTS, UNITTEST_REPORTS
from thirdshift.core import globs
from thirdshift.core.junit import MAX_REPORT_BYTES, Case, ReportUnreadable, read_junit, read_witness

_MOST_FILES = 2000
_MOST_ENTRIES = 200_000
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_reports(report: str, checkout: str, declared: str | None) -> tuple[Case, ...] | None:
    """All tests that a check reported; None where there is no report that can be read.

    ``report`` is the directory of the witness; ``declared`` is a glob of JUnit XML files below ``checkout``.
    """
    found: list[Case] | None = None
    for path in _witness_files(report):
        content = _content(report, [path])
        if content is None:
            continue
        try:
            cases = read_junit(content) if fnmatchcase(path, PYTEST_REPORTS) else read_witness(content)
        except ReportUnreadable:
            continue
        found = [*(found or ()), *cases]
    own = read_declared(checkout, declared) if declared else None
    if found is None and own is None:
        return None
    return (*(found or ()), *(own or ()))


def read_declared(checkout: str, pattern: str) -> tuple[Case, ...] | None:
    """The tests in JUnit XML files that match; None where there is none, or one that cannot be read."""
    found: list[Case] = []
    some = False
    for path in matching(checkout, pattern):
        content = _content(checkout, path.split("/"))
        try:
            found += read_junit(content or b"")
        except ReportUnreadable:
            return None
        some = True
    return tuple(found) if some else None


def matching(root: str, pattern: str) -> tuple[str, ...]:
    """Paths of files and links below ``root`` that match a glob, without going through links."""
    segments = globs.parse(pattern.removeprefix("./"))
    found = []
    for path in _walk(root):
        if globs.matches(segments, path.split("/")):
            found.append(path)
            if len(found) >= _MOST_FILES:
                break
    return tuple(found)


def _walk(root: str) -> Iterator[str]:
    waiting, seen = [""], 0
    while waiting and seen < _MOST_ENTRIES:
        directory = waiting.pop()
        with os.scandir(os.path.join(root, directory)) as entries:  # noqa: PTH118 - pathlib cannot scan
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            seen += 1
            path = f"{directory}/{entry.name}".lstrip("/")
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield path


def _witness_files(report: str) -> list[str]:
    with os.scandir(report) as entries:
        names = sorted(entry.name for entry in entries)
    wanted = [name for name in names if fnmatchcase(name, PYTEST_REPORTS) or fnmatchcase(name, UNITTEST_REPORTS)]
    return wanted[:_MOST_FILES]


def _content(root: str, names: list[str]) -> bytes | None:
    """A regular file's content, through no link; None where it is something else, or too large."""
    current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            below = os.open(name, _OPEN, dir_fd=current)
            os.close(current)
            current = below
        found = os.fstat(current)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_REPORT_BYTES:
            return None
        with os.fdopen(os.dup(current), "rb") as file:
            return file.read(MAX_REPORT_BYTES)
    except OSError:
        return None
    finally:
        os.close(current)
