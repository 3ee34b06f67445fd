"""Lines of files at commits: who wrote them, and which of them a commit changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.repository_history.commits import PATCH
from thirdshift.core.line_fates import Hunk, Lines, even


@dataclass(frozen=True)
class LineReader:
    """Reads lines, remembering what it has read: the same file at the same commit is asked for by many jobs."""

    git: GitProcess
    git_dir: str
    _origins: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def written_by(self, authors: Collection[str], since: str, at: str, paths: Iterable[str]) -> Lines:
        """The lines of those files at a commit that were written by certain commits, all of them after ``since``."""
        found: Lines = Counter()
        for path in paths:
            found.update(text for origin, text in self._blamed(since, at, path) if text and origin in authors)
        return found

    def hunks(self, old: str, new: str, paths: Iterable[str] | None = None) -> list[Hunk]:
        """The changes between two commits, of all files or of some."""
        only = ["--", *sorted(paths)] if paths is not None else []
        if only == ["--"]:
            return []
        arguments = ["diff-tree", "-r", *PATCH, old, new, *only]
        return _parsed(self.git.run(arguments, git_dir=self.git_dir).decode("utf-8", "replace"))

    def _blamed(self, since: str, at: str, path: str) -> tuple[tuple[str, str], ...]:
        """Commit and text of every line; empty where there is no such file. White space and moves change no author."""
        key = (since, at, path)
        if key not in self._origins:
            arguments = ["blame", "--porcelain", "-w", "-M", f"{since}..{at}", "--", path]
            out = self.git.run(arguments, git_dir=self.git_dir, may_fail=True)
            self._origins[key] = tuple(_origins(out.decode("utf-8", "replace")))
        return self._origins[key]


def _origins(porcelain: str) -> list[tuple[str, str]]:
    found = []
    commit = ""
    header = True
    for line in porcelain.split("\n"):
        if line.startswith("\t"):
            found.append((commit, even(line[1:])))
            header = True
        elif header and line:
            commit = line.split(" ", 1)[0]
            header = False
    return found


def _parsed(patch: str) -> list[Hunk]:
    """The hunks of a patch without context. Headers are told from lines by where they stand."""
    hunks: list[Hunk] = []
    removed: list[str] = []
    added: list[str] = []
    left = right = 0
    for line in patch.split("\n"):
        if left > 0 and line.startswith("-"):
            left -= 1
            removed.append(even(line[1:]))
        elif right > 0 and line.startswith("+"):
            right -= 1
            added.append(even(line[1:]))
        elif line.startswith("@@ "):
            left, right = _counts(line)
        if left == right == 0 and (removed or added):
            hunks.append(Hunk(tuple(removed), tuple(added)))
            removed, added = [], []
    return hunks


def _counts(header: str) -> tuple[int, int]:
    """How many lines a hunk takes out and brings, from ``@@ -3,2 +4 @@``."""
    old, new = header.split(" ", 3)[1:3]
    return int(old.partition(",")[2] or 1), int(new.partition(",")[2] or 1)
