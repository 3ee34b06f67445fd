"""Delivery: one commit, one branch, and nothing else of the user's repository.

For a local repository git is not let loose on it. The pack is made in the hub and unpacked into the object
directory under the hub's configuration; then ``git update-ref`` moves one ref, with hooks and reflogs off. The
checkout, the index, stashes, other branches, FETCH_HEAD and the configuration are never opened for writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.hub.layout import HubLayout
from thirdshift.adapters.hub.local_source import LocalSource
from thirdshift.adapters.hub.recorder import IDENTITY
from thirdshift.adapters.hub.refnames import ref_problem
from thirdshift.adapters.hub.remote_repository import RemoteAccess
from thirdshift.adapters.hub.trees import TreeReader
from thirdshift.core.errors import RepositoryRefused

_NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Delivery:
    """A commit of the hub on its way to ``branch``."""

    git: GitProcess
    layout: HubLayout
    commit: str
    parent: str
    branch: str

    @property
    def ref(self) -> str:
        """The full name of the branch."""
        return f"refs/heads/{self.branch}"

    def to_remote(self, access: RemoteAccess) -> None:
        """Push it. A branch that somebody else moved is left alone."""
        tip = access.branch_tip(self.branch)
        if tip == self.commit:
            return
        if tip is not None:
            self._must_be_ours(tip, str(self.layout.root), access.remote.shown)
        access.push(self.commit, self.branch, tip)

    def moved_local(self, source: LocalSource, seen: str) -> bool:
        """Move a person's branch from ``seen`` to the commit; False where it is somewhere else by now."""
        git_dir = str(source.common)
        tip = self._tip(git_dir)
        if tip != seen:
            return tip == self.commit
        self._must_not_be_checked_out(source)
        self._copy_objects(source)
        return self._swapped(source, seen)

    def moved_remote(self, access: RemoteAccess, seen: str) -> bool:
        """The same for a branch of a remote."""
        tip = access.branch_tip(self.branch)
        if tip != seen:
            return tip == self.commit
        try:
            access.push(self.commit, self.branch, seen)
        except RepositoryRefused:
            if access.branch_tip(self.branch) == self.commit:
                return True  # the push arrived and its answer did not, or another worker pushed the same
            if access.branch_tip(self.branch) != seen:
                return False
            raise
        return True

    def to_local(self, source: LocalSource) -> None:
        """Put it into a repository of this machine."""
        git_dir = str(source.common)
        tip = self._tip(git_dir)
        if tip == self.commit:
            return
        if tip is not None:
            self._must_be_ours(tip, git_dir, str(source.top))
        self._must_not_be_checked_out(source)
        self._copy_objects(source)
        self._swapped(source, tip or _NO_COMMIT, must=True)

    def _swapped(self, source: LocalSource, seen: str, *, must: bool = False) -> bool:
        """Set the ref provided that it still is what was seen; False, or a refusal, where it is not."""
        git_dir = str(source.common)
        try:
            arguments = ["update-ref", "--no-deref", self.ref, self.commit, seen]
            self.git.run(arguments, git_dir=git_dir, env=_no_configured_hooks(self.git, git_dir))
        except GitFailed as error:
            tip = self._tip(git_dir)
            if tip == self.commit:
                return True  # another process delivered the same
            if tip != seen and not must:
                return False
            raise _cannot_set(self.branch, source.top, error.stderr) from error
        return True

    def _tip(self, git_dir: str) -> str | None:
        out = self.git.run(["rev-parse", "--verify", "--quiet", self.ref], git_dir=git_dir, may_fail=True)
        return out.decode("ascii").strip() or None

    def _must_be_ours(self, tip: str, git_dir: str, where: str) -> None:
        """A branch may be moved only from a commit that Thirdshift made."""
        raw = self.git.run(["cat-file", "commit", tip], git_dir=git_dir, may_fail=True)
        header = raw.split(b"\n\n", 1)[0].decode("utf-8", "replace").splitlines()
        if not any(line.startswith(f"committer {IDENTITY} ") for line in header):
            raise RepositoryRefused(
                f"The branch {self.branch} of {where} is at {tip[:12]}, which Thirdshift did not make. "
                f"Rename it (git branch -m {self.branch} <name>) or delete it, then deliver again."
            )

    def _must_not_be_checked_out(self, source: LocalSource) -> None:
        if where := self.checked_out_in(source):
            raise RepositoryRefused(
                f"The branch {self.branch} is checked out in {where}, so it was not touched. "
                "Check out another branch there (git switch), then deliver again."
            )

    def checked_out_in(self, source: LocalSource) -> str:
        """The working tree that has the branch checked out; empty where none has."""
        out = self.git.run(["worktree", "list", "--porcelain"], git_dir=str(source.common))
        for worktree in out.decode("utf-8", "surrogateescape").split("\n\n"):
            lines = worktree.splitlines()
            if f"branch {self.ref}" in lines and "bare" not in lines:
                return lines[0].removeprefix("worktree ")
        return ""

    def _copy_objects(self, source: LocalSource) -> None:
        """Objects that the repository lacks. It keeps what it has, whatever is interrupted when."""
        hub, theirs = str(self.layout.root), str(source.common / "objects")
        has_parent = self.git.run(["cat-file", "-t", self.parent], git_dir=str(source.common), may_fail=True)
        wanted = f"{self.commit}\n" + (f"^{self.parent}\n" if has_parent else "")
        shared = self.git.run(["config", "--get", "core.sharedRepository"], git_dir=str(source.common), may_fail=True)
        sharing = ["-c", f"core.sharedRepository={shared.decode().strip()}"] if shared else []
        arguments = ["pack-objects", "--revs", "--stdout", "--quiet", "--threads=1", "--window=0"]
        pack = self.git.run(arguments, git_dir=hub, stdin=wanted.encode())
        try:
            self.git.run(
                [*sharing, "unpack-objects", "-q"],
                git_dir=hub,
                env={"GIT_OBJECT_DIRECTORY": theirs},
                stdin=pack,
            )
        except GitFailed as error:
            if "ermission" in error.stderr or "ead-only" in error.stderr:
                raise RepositoryRefused(
                    f"This user may not write to {theirs}, so nothing was delivered. Give it write permission."
                ) from error
            raise


def make_delivery_commit(
    git: GitProcess, git_dir: str, tree: str, parent: str, message: str, *, second_parent: str = ""
) -> str:
    """The one commit: who and when are fixed by its parent, so the same arguments make the same commit."""
    date = TreeReader(git, git_dir).commit(parent).date
    name, _, email = IDENTITY.partition(" ")
    who = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email.strip("<>"),
        "GIT_AUTHOR_DATE": f"@{date}",
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email.strip("<>"),
        "GIT_COMMITTER_DATE": f"@{date}",
    }
    text = message.replace("\0", "").rstrip() + "\n"
    parents = ["-p", parent, *(["-p", second_parent] if second_parent else [])]
    out = git.run(["commit-tree", tree, *parents, "-F", "-"], git_dir=git_dir, env=who, stdin=text.encode())
    return out.decode("ascii").strip()


def check_branch(branch: str) -> None:
    """Raises ``RepositoryRefused`` for what is no name of a branch."""
    problem = "is no name" if branch == "HEAD" else ref_problem(branch)
    if problem is not None:
        raise RepositoryRefused(f"The branch {branch!r} {problem}. Give a plain branch name.")


def _no_configured_hooks(git: GitProcess, git_dir: str) -> dict[str, str]:
    """Newer git runs hooks that the configuration names; ``core.hooksPath`` does not stop those."""
    out = git.run(["config", "--name-only", "-z", "--get-regexp", r"^hook\."], git_dir=git_dir, may_fail=True)
    names = {key.rsplit(".", 1)[0] for key in out.decode("utf-8", "surrogateescape").split("\0") if key}
    told = {"GIT_CONFIG_COUNT": str(len(names))} if names else {}
    for at, name in enumerate(sorted(names)):
        told |= {f"GIT_CONFIG_KEY_{at}": f"{name}.enabled", f"GIT_CONFIG_VALUE_{at}": "false"}
    return told


def _cannot_set(branch: str, top: Path, said: str) -> RepositoryRefused:
    last = said.splitlines()[-1] if said else "git said nothing"
    remedy = "Deliver again."
    if "exists; cannot create" in said or "cannot create" in said:
        remedy = "Another branch's name is in the way; rename that one, then deliver again."
    elif "ermission denied" in said:
        remedy = "Give this user write permission there, then deliver again."
    elif ".lock" in said:
        remedy = "If no other git runs there, remove the lock file, then deliver again."
    return RepositoryRefused(f"The branch {branch} of {top} could not be set: {last}. {remedy}")
