"""Looking through a workspace that an agent filled: what is in it, and what may not enter a tree.

Nothing is followed, nothing is executed, git is not asked. Paths that the parent tree has already, unchanged,
are let be: a repository that came with an absolute link or two names differing in case keeps them.
"""

from __future__ import annotations

import hashlib
import os
import stat as statmod
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from thirdshift.adapters.hub.beneath import FILE_FLAGS, names_in, opened_directory
from thirdshift.adapters.hub.trees import EXECUTABLE, FILE, GITLINK, LINK, Listing, TreeEntry
from thirdshift.adapters.hub.workspace_index import Row, file_system_now, seal_of, still_sealed
from thirdshift.core.errors import HubUnavailable, TreeRefused
from thirdshift.core.ignore import IgnoreRule, is_ignored, parse_ignore
from thirdshift.core.treenames import aliases, is_git_directory_name, link_problem, name_problem

TOOL_CACHES: Final = (
    "__pycache__/\n*.py[co]\n.pytest_cache/\n.mypy_cache/\n.ruff_cache/\n.hypothesis/\n.tox/\n.nox/\n"
    "node_modules/\n.venv/\n.DS_Store\n"
)
"""Ignored where the repository does not say otherwise: what tools leave behind in every repository."""


@dataclass(frozen=True)
class TreeLimits:
    """How large a tree may become. What the parent tree has already counts, but is never refused for its size."""

    file_bytes: int = 50 << 20
    tree_bytes: int = 1 << 30
    files: int = 100_000
    depth: int = 128
    ignore_bytes: int = 256 << 10
    ignore_rules: int = 4096
    seconds: float = 300.0


@dataclass
class Survey:
    """What a workspace holds."""

    rows: dict[str, Row] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    bytes: int = 0


_KINDS: Final = {
    statmod.S_IFIFO: "is a named pipe",
    statmod.S_IFSOCK: "is a socket",
    statmod.S_IFCHR: "is a device file",
    statmod.S_IFBLK: "is a device file",
}


class Surveyor:
    """One walk through one workspace."""

    def __init__(self, tracked: Listing, known: Mapping[str, Row], exclude: Sequence[str], limits: TreeLimits) -> None:
        self._tracked = tracked
        self._known = known
        self._exclude = frozenset(path.strip("/") for path in exclude)
        self._limits = limits
        self._directories = {path[:at] for path in tracked for at in range(len(path)) if path[at] == "/"}
        self._now_ns = 0
        self._end = 0.0
        self._survey = Survey()

    def look(self, root: int) -> Survey:
        """Walk the directory open at ``root``. Raises ``TreeRefused`` at once where a bound on work is met."""
        self._survey = Survey()
        self._end = time.monotonic() + self._limits.seconds
        self._now_ns = file_system_now(root)
        self._directory(root, (), parse_ignore(TOOL_CACHES, 0), ignored=False)
        self._check_links()
        self._carry()
        if self._survey.bytes > self._limits.tree_bytes:
            self._survey.problems.append(
                f"the whole tree holds {self._survey.bytes} bytes; {self._limits.tree_bytes} are the most"
            )
        return self._survey

    def _directory(self, here: int, parts: tuple[str, ...], rules: tuple[IgnoreRule, ...], *, ignored: bool) -> None:
        if time.monotonic() > self._end:
            raise TreeRefused(
                f"The workspace could not be looked through within {self._limits.seconds:.0f} s. "
                "Remove generated files, or let .gitignore name them."
            )
        names = names_in(here)
        if ".gitignore" in names and not ignored:
            rules += self._ignore_rules(here, parts)
        entered: list[str] = []
        new = False
        for name in names:
            path = "/".join((*parts, name))
            if path in self._exclude or path == ".git":
                continue
            before = len(self._survey.rows)
            self._entry(here, (*parts, name), rules, ignored=ignored)
            if len(self._survey.rows) > before:
                entered.append(name)
                new = new or not (path in self._tracked or path in self._directories)
        if new:
            self._check_aliases(parts, entered)

    def _entry(self, here: int, parts: tuple[str, ...], rules: tuple[IgnoreRule, ...], *, ignored: bool) -> None:
        path, name = "/".join(parts), parts[-1]
        stat = os.stat(name, dir_fd=here, follow_symlinks=False)
        is_directory = statmod.S_ISDIR(stat.st_mode)
        is_tracked = path in (self._directories if is_directory else self._tracked)
        if is_git_directory_name(name):
            self._refuse(path, "is a spelling of .git (a nested repository cannot be recorded; remove it)")
            return
        ignored = ignored or is_ignored(parts, is_directory=is_directory, rules=rules)
        if ignored and not is_tracked and path not in self._tracked:
            return
        problem = None if is_tracked or path in self._tracked else name_problem(name)
        if problem is not None:
            self._refuse(path, problem)
        elif is_directory:
            self._subdirectory(here, parts, stat, rules, ignored=ignored)
        else:
            self._leaf(here, path, name, stat)

    def _subdirectory(
        self,
        here: int,
        parts: tuple[str, ...],
        stat: os.stat_result,
        rules: tuple[IgnoreRule, ...],
        *,
        ignored: bool,
    ) -> None:
        path = "/".join(parts)
        if stat.st_mode & 0o500 != 0o500:
            self._refuse(path, f"is a directory without read permission (mode {stat.st_mode & 0o7777:o})")
        elif len(parts) > self._limits.depth:
            self._refuse(path, f"lies more than {self._limits.depth} directories deep")
        else:
            with opened_directory(parts[-1], here) as below:
                entry = self._tracked.get(path)
                if entry is None or entry.mode != GITLINK:
                    self._directory(below, parts, rules, ignored=ignored)
                elif names_in(below):
                    self._refuse(path, "is a submodule, whose content cannot be recorded; leave it empty")
                else:
                    self._survey.rows[path] = Row(entry, None)

    def _leaf(self, here: int, path: str, name: str, stat: os.stat_result) -> None:
        if len(self._survey.rows) >= self._limits.files:
            raise TreeRefused(
                f"The workspace holds more than {self._limits.files} files. "
                "Remove generated files, or let .gitignore name them."
            )
        if statmod.S_ISLNK(stat.st_mode):
            target = os.readlink(name, dir_fd=here)
            self._survey.links[path] = target
            self._survey.rows[path] = Row(TreeEntry(LINK, blob_id(os.fsencode(target))), None)
        elif statmod.S_ISREG(stat.st_mode):
            self._file(here, path, name, stat)
        else:
            self._refuse(path, _KINDS.get(statmod.S_IFMT(stat.st_mode), "is no ordinary file"))

    def _file(self, here: int, path: str, name: str, stat: os.stat_result) -> None:
        mode = EXECUTABLE if stat.st_mode & 0o100 else FILE
        tracked = self._tracked.get(path)
        too_large = stat.st_size > self._limits.file_bytes
        size = f"has {stat.st_size} bytes; {self._limits.file_bytes} are the most"
        if stat.st_mode & (statmod.S_ISUID | statmod.S_ISGID):
            self._refuse(path, "has the setuid or setgid bit; clear it (chmod ug-s)")
            return
        if not stat.st_mode & 0o400:
            self._refuse(path, f"cannot be read (mode {stat.st_mode & 0o7777:o}); make it readable (chmod u+r)")
            return
        if too_large and tracked is None:
            self._refuse(path, size)
            return
        known = self._known.get(path)
        if known is not None and still_sealed(known, stat):
            row = Row(TreeEntry(mode, known.entry.oid), known.seal)
        else:
            row = Row(TreeEntry(mode, _hash_file(here, name, path)), seal_of(stat, self._now_ns))
        if too_large and tracked is not None and row.entry.oid != tracked.oid:
            self._refuse(path, size)
            return
        self._survey.bytes += stat.st_size
        self._survey.rows[path] = row

    def _ignore_rules(self, here: int, parts: tuple[str, ...]) -> tuple[IgnoreRule, ...]:
        """The rules of the ignore file of one directory; none from what is no plain file."""
        stat = os.stat(".gitignore", dir_fd=here, follow_symlinks=False)
        if not statmod.S_ISREG(stat.st_mode) or not stat.st_mode & 0o400:
            return ()
        path = "/".join((*parts, ".gitignore"))
        if stat.st_size > self._limits.ignore_bytes:
            raise TreeRefused(f"{path!r} has {stat.st_size} bytes; {self._limits.ignore_bytes} are the most.")
        with open(os.open(".gitignore", FILE_FLAGS, dir_fd=here), "rb") as source:  # noqa: PTH123 - a descriptor
            text = source.read(self._limits.ignore_bytes).decode("utf-8", "surrogateescape")
        rules = parse_ignore(text, len(parts))
        if len(rules) > self._limits.ignore_rules:
            raise TreeRefused(f"{path!r} has {len(rules)} patterns; {self._limits.ignore_rules} are the most.")
        return rules

    def _check_aliases(self, parts: tuple[str, ...], names: list[str]) -> None:
        for group in aliases(names):
            for name in group:
                path = "/".join((*parts, name))
                if path not in self._tracked and path not in self._directories:
                    others = ", ".join(repr(other) for other in group if other != name)
                    self._refuse(path, f"is the same file as {others} on some systems; rename one")

    def _check_links(self) -> None:
        for path, target in self._survey.links.items():
            if self._tracked.get(path) == self._survey.rows[path].entry:
                continue
            problem = link_problem(path, target, self._survey.links)
            if problem is not None:
                self._refuse(path, f"{problem} (to {target!r})")

    def _carry(self) -> None:
        """What is excluded from the walk stays as the parent tree has it."""
        for excluded in self._exclude:
            for path, entry in self._tracked.items():
                if path == excluded or path.startswith(f"{excluded}/"):
                    self._survey.rows[path] = Row(entry, None)

    def _refuse(self, path: str, why: str) -> None:
        self._survey.problems.append(f"{path!r} {why}")


def blob_id(content: bytes) -> str:
    """The id that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _hash_file(here: int, name: str, path: str) -> str:
    with open(os.open(name, FILE_FLAGS, dir_fd=here), "rb") as source:  # noqa: PTH123 - a descriptor
        size = os.fstat(source.fileno()).st_size
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        while size >= 0 and (chunk := source.read(1 << 20)):
            digest.update(chunk)
            size -= len(chunk)
    if size:
        raise HubUnavailable(f"{path!r} changed while it was read. Something still runs in the workspace; stop it.")
    return digest.hexdigest()
