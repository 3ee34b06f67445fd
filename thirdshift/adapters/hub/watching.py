"""Bringing the branches that work was delivered to into the hub, where they are read under its configuration."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from thirdshift.adapters.hub.destinations import Destinations
from thirdshift.adapters.hub.git_process import GitProcess, Transport
from thirdshift.adapters.hub.layout import HubLayout, base_ref
from thirdshift.adapters.hub.local_source import LocalSource, import_local
from thirdshift.adapters.hub.remote_repository import RemoteAccess


@dataclass(frozen=True)
class WatchedBranch:
    """A branch of a job's repository, or of that one's remote."""

    repository: str
    onto: str
    """The base branch of the job, which tells its remote."""
    branch: str
    at_remote: bool


class BranchWatcher:
    """Looks at branches, and copies them into the hub at ``path``."""

    def __init__(self, path: str, *, git: str = "git", transport: Transport | None = None) -> None:
        self.git = GitProcess(git)
        self._layout = HubLayout(Path(path).absolute())
        self._places = Destinations(self.git, self._layout, transport or Transport())

    @property
    def git_dir(self) -> str:
        """The hub's git directory."""
        return self._layout.ensure(self.git)

    def fetched(self, watched: WatchedBranch) -> str:
        """The branch's tip, in the hub with all its history; empty where there is no such branch.

        Raises ``RepositoryRefused`` or ``HubUnavailable`` where the repository cannot be read.
        """
        name = "watch-" + hashlib.sha256(repr(watched).encode()).hexdigest()[:24]
        place = self._place(watched)
        git_dir = self._layout.ensure(self.git)
        with self._layout.locked(name) as lock:
            tip = self._tip(place, watched.branch)
            pinned = self.git.run(["rev-parse", "--verify", "--quiet", base_ref(name)], git_dir=git_dir, may_fail=True)
            if not tip or pinned.decode("ascii").strip() == tip:
                return tip
            self._layout.drop_stale_lock(base_ref(name))
            if isinstance(place, LocalSource):
                import_local(self.git, self._layout, place, tip, name, lock)
            else:
                place.fetch(tip, name, lock)
            return tip

    def _place(self, watched: WatchedBranch) -> LocalSource | RemoteAccess:
        if watched.at_remote:
            return self._places.remote(watched.repository, watched.onto)
        return self._places.repository(watched.repository)

    def _tip(self, place: LocalSource | RemoteAccess, branch: str) -> str:
        if isinstance(place, RemoteAccess):
            return place.branch_tip(branch) or ""
        arguments = ["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}"]
        return self.git.run(arguments, git_dir=str(place.common), may_fail=True).decode("ascii").strip()
