"""The commits of a base branch since some work began, with what each of them changed, in three git commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Final, cast

from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess

PATCH: Final = (
    *("-p", "-U0", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
)
"""Patches without context, so that what stands around a change does not change its name."""
_FIELD: Final = "\x1f"


@dataclass(frozen=True)
class Commit:
    """A commit of the branch. A merge is looked at beside its first parent."""

    commit: str
    parents: tuple[str, ...]
    at: datetime
    message: str
    patch: str = ""
    """The hash of its change, by ``git patch-id``: the same for the same change elsewhere; empty for no change."""


@dataclass(frozen=True)
class Renaming:
    """What a step of the branch did to paths: those it touched, and new names for old ones."""

    paths: frozenset[str]
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """Every commit of the branch since the bases, and the steps by which the branch itself moved, oldest first."""

    commits: dict[str, Commit]
    mainline: tuple[Commit, ...]
    landing: dict[str, int]
    """Commit to the index of the step that brought it."""
    touched: dict[str, Renaming]
    """By step."""


def read_history(git: GitProcess, git_dir: str, tip: str, bases: Iterable[str]) -> History:
    """The history of ``tip`` down to where the oldest of the bases began. Raises ``HubUnavailable``."""
    roots = git.run(["merge-base", "--octopus", *sorted(set(bases))], git_dir=git_dir, may_fail=True)
    span = [tip, *(f"^{root}" for root in roots.decode("ascii").split())]
    patches = _patches(git, git_dir, span)
    commits = {c.commit: c for c in _commits(git, git_dir, span, patches)}
    mainline: list[Commit] = []
    at = commits.get(tip)
    while at is not None:
        mainline.append(at)
        at = commits.get(at.parents[0]) if at.parents else None
    mainline.reverse()
    return History(commits, tuple(mainline), _landings(commits, mainline), _touched(git, git_dir, span))


def patch_of(git: GitProcess, git_dir: str, old: str, new: str) -> str:
    """The hash of the change between two commits; the reversed change is that between them the other way round."""
    found = _ids(git, git_dir, ["diff-tree", "-r", *PATCH, old, new])
    return found[0][0] if found else ""


def _patches(git: GitProcess, git_dir: str, span: Sequence[str]) -> dict[str, str]:
    log = ["log", "--diff-merges=first-parent", "--format=commit %H", *PATCH, *span]
    return {commit: patch for patch, commit in _ids(git, git_dir, log)}


def _ids(git: GitProcess, git_dir: str, producer: Sequence[str]) -> list[tuple[str, str]]:
    """Patch hashes with the commits that they are of."""
    with (
        git.started(producer, git_dir=git_dir) as patches,
        git.started(["patch-id", "--stable"], git_dir=git_dir, stdin=cast(IO[bytes], patches.stdout)) as ids,
    ):
        out, err = ids.communicate(timeout=git.timeout_seconds)
        if patches.wait() != 0 or ids.returncode != 0:
            raise GitFailed("patch-id", ids.returncode, err.decode("utf-8", "replace"))
    rows = (line.split() for line in out.decode("ascii").splitlines())
    return [(row[0], row[1]) for row in rows if len(row) == 2]


def _commits(git: GitProcess, git_dir: str, span: Sequence[str], patches: dict[str, str]) -> Iterator[Commit]:
    wanted = _FIELD.join(("%H", "%P", "%ct", "%B")).replace(_FIELD, "%x1f")
    out = git.run(["log", "-z", f"--format={wanted}", *span], git_dir=git_dir).decode("utf-8", "replace")
    for row in out.split("\0"):
        if not row.strip():
            continue
        commit, parents, seconds, message = row.lstrip("\n").split(_FIELD, 3)
        at = datetime.fromtimestamp(int(seconds), UTC)
        yield Commit(commit, tuple(parents.split()), at, message, patches.get(commit, ""))


def _landings(commits: dict[str, Commit], mainline: Sequence[Commit]) -> dict[str, int]:
    """For every commit, the first step of the branch that has it in its history."""
    found: dict[str, int] = {}
    for index, step in enumerate(mainline):
        waiting = [step.commit]
        while waiting:
            commit = waiting.pop()
            if commit in found or commit not in commits:
                continue
            found[commit] = index
            waiting += commits[commit].parents
    return found


def _touched(git: GitProcess, git_dir: str, span: Sequence[str]) -> dict[str, Renaming]:
    log = ["log", "-z", "--first-parent", "--diff-merges=first-parent", "-M", "--name-status", "--format=%x01%H"]
    out = git.run([*log, *span], git_dir=git_dir).decode("utf-8", "surrogateescape")
    found: dict[str, Renaming] = {}
    words = iter(out.split("\0"))
    step = ""
    for word in words:
        status = word.strip("\n")
        if status.startswith("\x01"):
            step = status[1:]
            found[step] = Renaming(frozenset())
        elif status:
            old = next(words)
            new = next(words) if status[0] in "RC" else old
            before = found[step]
            renamed = {**before.renamed, old: new} if status[0] == "R" else before.renamed
            found[step] = Renaming(before.paths | {old, new}, renamed)
    return found
