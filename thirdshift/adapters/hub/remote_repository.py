"""A repository behind https or ssh: asked, fetched from and pushed to, always from a directory of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess, Transport
from thirdshift.adapters.hub.layout import HubLayout, base_ref
from thirdshift.adapters.hub.local_source import FETCH
from thirdshift.adapters.hub.locations import RemoteRepository, redacted
from thirdshift.adapters.hub.refnames import candidates, is_full_hash, no_such_base
from thirdshift.adapters.hub.trees import parse_commit
from thirdshift.core.errors import DeliveryRefused, RepositoryRefused, RepositoryUnreachable
from thirdshift.core.ports import Base

_BUSY: Final = ("cannot lock ref", "failed to update ref", "reference already exists")
"""Said by a remote where somebody else pushed in the same moment."""


@dataclass(frozen=True)
class RemoteAccess:
    """Talks to one remote repository."""

    git: GitProcess
    layout: HubLayout
    transport: Transport
    remote: RemoteRepository

    def resolve(self, base: str) -> Base:
        """The commit and tree that ``base`` names. Nothing stays behind: a temporary repository is used."""
        commit = base.lower() if is_full_hash(base) else self._commit_of(base)
        with self.layout.unique_scratch() as view:
            self.git.run(["init", "--quiet", "--bare", "--template=", str(view)], git_dir=None)
            fetch = [*FETCH, "--depth=1", "--filter=tree:0", "--", self.remote.url, commit]
            self._talk(fetch, str(view))
            facts = parse_commit(self.git.run(["cat-file", "commit", commit], git_dir=str(view)))
        return Base(commit=commit, tree=facts.tree, ref_name=base)

    def fetch(self, commit: str, job: str, lock: int) -> None:
        """Copy the commit and its history into the hub, under the job's base ref."""
        fetch = [*FETCH, "--", self.remote.url, f"+{commit}:{base_ref(job)}"]
        self._talk(fetch, str(self.layout.root), (lock,))

    def branch_tip(self, branch: str) -> str | None:
        """The commit of a branch, None where there is no such branch."""
        return self._refs([f"refs/heads/{branch}"]).get(f"refs/heads/{branch}")

    def default_branch(self) -> str:
        """The branch that the remote's HEAD stands for; empty where it does not say."""
        out = self._talk(["ls-remote", "--quiet", "--symref", "--", self.remote.url, "HEAD"], str(self.layout.root))
        first = out.decode("utf-8", "replace").partition("\t")[0]
        return first.removeprefix("ref: refs/heads/") if first.startswith("ref: refs/heads/") else ""

    def push(self, commit: str, branch: str, expected: str | None) -> None:
        """Set the branch, provided that it still is where it was seen."""
        lease = f"--force-with-lease=refs/heads/{branch}:{expected or ''}"
        arguments = ["push", "--quiet", "--no-verify", "--no-follow-tags", lease, "--", self.remote.url]
        self._talk([*arguments, f"{commit}:refs/heads/{branch}"], str(self.layout.root))

    def _commit_of(self, base: str) -> str:
        names = candidates(base)
        refs = self._refs([pattern for name in names for pattern in (name, f"{name}^{{}}")])
        for name in names:
            commit = refs.get(f"{name}^{{}}") or refs.get(name)
            if commit:
                return commit
        every = self._refs(["refs/heads/*"])
        if not every:
            raise RepositoryRefused(f"The repository {self.remote.shown} has no commits. Push one first.")
        branches = [name.removeprefix("refs/heads/") for name in every]
        raise no_such_base(f"The repository {self.remote.shown}", base, branches)

    def _refs(self, patterns: Sequence[str]) -> dict[str, str]:
        out = self._talk(["ls-remote", "--quiet", "--", self.remote.url, *patterns], str(self.layout.root))
        rows = (line.split("\t", 1) for line in out.decode("utf-8", "replace").splitlines())
        return {name: commit for commit, name in rows}

    def _talk(self, arguments: Sequence[str], git_dir: str, pass_fds: tuple[int, ...] = ()) -> bytes:
        env = self.transport.environment()
        try:
            return self.git.run(arguments, git_dir=git_dir, env=env, pass_fds=pass_fds)
        except GitFailed as error:
            raise _plainly(self.remote.shown, error) from error


def _plainly(shown: str, error: GitFailed) -> RepositoryRefused | DeliveryRefused:
    """What git could not do with a remote, and what a person can."""
    lines = [redacted(line) for line in error.stderr.splitlines() if line.strip()] or ["git said nothing"]
    told = next((line.strip() for line in lines if "rejected]" in line), lines[-1])
    if "stale info" in error.stderr or "[rejected]" in error.stderr:
        return RepositoryRefused(
            f"Git could not reach {shown}: {told}. The branch moved in the meantime; look at it, then run this again."
        )
    if "[remote rejected]" in error.stderr and not any(sign in error.stderr for sign in _BUSY):
        return DeliveryRefused(
            f"{shown} took the push and refused it: {told}. Its rules stand against it: see whether the branch is "
            "protected, or deliver by a pull request."
        )
    return RepositoryUnreachable(
        f"Git could not reach {shown}: {told}. Check the address, the network, and that the credentials of "
        "[delivery] or [forges] allow it."
    )
