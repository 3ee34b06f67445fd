"""Reading a local repository that may have been made by an enemy.

Git is run on it for a few questions that execute nothing (``rev-parse``, ``for-each-ref``, ``cat-file``), with
every transport forbidden. Objects are not fetched from it but through a view: a bare repository of our own whose
only content is a pointer to the other's object directory. So ``upload-pack`` reads our configuration, not theirs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.hub.layout import HubLayout, base_ref
from thirdshift.adapters.hub.refnames import candidates, no_such_base
from thirdshift.core.errors import RepositoryRefused
from thirdshift.core.ports import Base

FETCH: Final = (
    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
    *("--no-recurse-submodules", "--no-show-forced-updates", "--refmap="),
)
_INCOMPLETE: Final = ("not our ref", "missing", "bad object", "unable to read", "bad pack header", "did not send")


@dataclass(frozen=True)
class LocalSource:
    """A repository that was looked at. ``common`` holds refs and objects; ``git_dir`` is the worktree's own."""

    top: Path
    git_dir: Path
    common: Path


def open_source(git: GitProcess, path: Path) -> LocalSource:
    """Look at a directory; a subdirectory of a repository stands for the whole of it.

    Raises ``RepositoryRefused`` for what is missing, forbidden, no repository, bare, shallow or of another hash.
    """
    try:
        if "\n" in str(path):
            raise RepositoryRefused(f"The path {str(path)!r} holds a line end. Rename the directory.")
        if not path.is_dir():
            what = "is a file, not a directory" if path.exists() else "does not exist"
            raise RepositoryRefused(f"The repository {path} {what}. Give the directory of a git repository.")
    except OSError as error:
        raise _forbidden(path) from error
    questions = ("--is-bare-repository", "--is-inside-git-dir", "--is-shallow-repository")
    answers = _ask(git, path, [*questions, "--show-object-format", "--absolute-git-dir"])
    bare, inside, shallow, object_format, git_dir = answers
    if bare == "true":
        raise RepositoryRefused(f"The repository {path} is bare. Give a clone with a working tree.")
    if inside == "true":
        raise RepositoryRefused(f"The path {path} is inside a .git directory. Give the directory above it.")
    if shallow == "true":
        raise RepositoryRefused(
            f"The repository {path} is a shallow clone, which lacks older commits. "
            f"Complete it first: git -C {path} fetch --unshallow"
        )
    if object_format != "sha1":
        raise RepositoryRefused(
            f"The repository {path} uses {object_format} hashes; the hub holds sha1. Give a sha1 repository."
        )
    top, common = _ask(git, path, ["--show-toplevel", "--git-common-dir"])
    return LocalSource(Path(top), Path(git_dir), (path / common).resolve())


def resolve_local(git: GitProcess, source: LocalSource, base: str) -> Base:
    """The commit and tree that ``base`` names: a branch before a tag before a remote branch before a commit."""
    wanted = candidates(base)
    lines = "".join(f"{name}^{{commit}}\n{name}^{{tree}}\n" for name in wanted)
    git_dir = source.git_dir if base == "HEAD" else source.common  # HEAD is each worktree's own
    try:
        out = git.run(["cat-file", "--batch-check"], git_dir=str(git_dir), stdin=lines.encode())
    except GitFailed as error:
        raise _incomplete(source.top) from error
    answers = [line.split() for line in out.decode("utf-8", "replace").splitlines()]
    for commit, tree in zip(answers[::2], answers[1::2], strict=True):
        if len(commit) == 3 and commit[1] == "commit":
            if len(tree) != 3:
                raise _incomplete(source.top)
            return Base(commit=commit[0], tree=tree[0], ref_name=base)
        if commit[-1] == "ambiguous":
            raise RepositoryRefused(f"The commit {base!r} is ambiguous in {source.top}. Give more of its digits.")
    arguments = ["for-each-ref", "--format=%(refname:strip=2)", "refs/heads", "refs/tags"]
    branches = git.run(arguments, git_dir=str(source.common)).decode("utf-8", "replace").splitlines()
    if not branches and not _has_commits(git, source):
        raise RepositoryRefused(f"The repository {source.top} has no commits. Make one first: git add -A && git commit")
    raise no_such_base(f"The repository {source.top}", base, branches)


def why_closed(source: LocalSource) -> str:
    """Why no branch can be put into the repository; empty where nothing of it is closed to this user."""
    for name in ("objects", "refs/heads", "reftable"):  # refs/heads is a file where the refs are in a reftable
        place = source.common / name
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            return (
                f"This user may read the repository {source.top} but not write {place}, so no result could be "
                f"delivered. Make it writable (chmod -R u+w {source.common}), or give a clone of your own."
            )
    return ""


def import_local(git: GitProcess, layout: HubLayout, source: LocalSource, commit: str, job: str, lock: int) -> None:
    """Copy the commit and its history into the hub, under the job's base ref."""
    with layout.unique_scratch() as view:
        (view / "refs").mkdir()
        (view / "objects/info").mkdir(parents=True)
        (view / "HEAD").write_text("ref: refs/heads/main\n")
        (view / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        (view / "objects/info/alternates").write_text(f"{_alternate(source.common / 'objects')}\n")
        try:
            git.run(
                [*FETCH, "--upload-pack=git-upload-pack", str(view), f"+{commit}:{base_ref(job)}"],
                git_dir=str(layout.root),
                env={"GIT_ALLOW_PROTOCOL": "file"},
                pass_fds=(lock,),
            )
        except GitFailed as error:
            if "Permission denied" in error.stderr:
                raise _forbidden(source.common) from error
            if any(sign in error.stderr for sign in _INCOMPLETE):
                raise _incomplete(source.top) from error
            raise


def _has_commits(git: GitProcess, source: LocalSource) -> bool:
    arguments = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]
    return bool(git.run(arguments, git_dir=str(source.common), may_fail=True))


def _ask(git: GitProcess, path: Path, questions: list[str]) -> list[str]:
    """Answers of ``git rev-parse`` in a directory, found from there upward."""
    try:
        out = git.run(["-C", str(path), "rev-parse", *questions], git_dir=None)
    except GitFailed as error:
        if "not a git repository" in error.stderr:
            raise RepositoryRefused(
                f"{path} is not in a git repository. Make it one (git init, then commit), or give another path."
            ) from error
        if "ermission denied" in error.stderr:
            raise _forbidden(path) from error
        said = error.stderr.splitlines()[-1] if error.stderr else "git said nothing"
        raise RepositoryRefused(f"Git cannot read the repository {path}: {said}. Repair it first.") from error
    return out.decode("utf-8", "surrogateescape").splitlines()


def _alternate(path: Path) -> str:
    quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"' if str(path).startswith(('"', "#")) else str(path)


def _forbidden(path: Path) -> RepositoryRefused:
    return RepositoryRefused(f"This user may not read {path}. Give it read permission, or another repository.")


def _incomplete(top: Path) -> RepositoryRefused:
    return RepositoryRefused(
        f"The repository {top} lacks objects of its own history: a partial clone, or a damaged one. "
        f"Make a full clone and give that, or see: git -C {top} fsck"
    )
