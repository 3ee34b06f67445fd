"""Where a job's repository is delivered to: the repository itself, or the remote that its branch belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thirdshift.adapters.hub.git_process import GitProcess, Transport
from thirdshift.adapters.hub.layout import HubLayout
from thirdshift.adapters.hub.local_source import LocalSource, open_source
from thirdshift.adapters.hub.locations import LocalRepository, RemoteRepository, locate
from thirdshift.adapters.hub.remote_repository import RemoteAccess
from thirdshift.core.errors import DeliveryRefused, RepositoryRefused


@dataclass(frozen=True)
class Destinations:
    """Finds and opens them."""

    git: GitProcess
    layout: HubLayout
    transport: Transport

    def repository(self, repository: str) -> LocalSource | RemoteAccess:
        """The job's own repository."""
        return self._opened(locate(repository))

    def remote(self, repository: str, branch: str) -> LocalSource | RemoteAccess:
        """The remote of a local repository's branch; a repository behind a URL is its own remote."""
        return self._opened(self.remote_place(repository, branch))

    def remote_place(self, repository: str, branch: str) -> LocalRepository | RemoteRepository:
        """Where the branch's remote is. Raises ``DeliveryRefused`` where there is none."""
        place = locate(repository)
        if isinstance(place, RemoteRepository):
            return place
        source = open_source(self.git, place.path)
        name = self._configured(source, f"branch.{branch}.remote") or "origin"
        if name == ".":
            name = "origin"
        url = self._configured(source, f"remote.{name}.pushurl") or self._configured(source, f"remote.{name}.url")
        if not url:
            raise DeliveryRefused(
                f"The repository {source.top} has no remote {name!r}, so there is nowhere to push to. "
                f"Add it: git -C {source.top} remote add {name} URL"
            )
        found = locate(url)
        if isinstance(found, LocalRepository) and not url.startswith("file:"):
            return LocalRepository(Path(source.top, Path(url).expanduser()).absolute())
        return found

    def _configured(self, source: LocalSource, key: str) -> str:
        out = self.git.run(["config", "--get", key], git_dir=str(source.common), may_fail=True)
        return out.decode("utf-8", "surrogateescape").rstrip("\n")

    def _opened(self, place: LocalRepository | RemoteRepository) -> LocalSource | RemoteAccess:
        if isinstance(place, RemoteRepository):
            self.layout.ensure(self.git)
            return RemoteAccess(self.git, self.layout, self.transport, place)
        return self._bare(place.path) or open_source(self.git, place.path)

    def _bare(self, path: Path) -> LocalSource | None:
        """A bare repository on this disk, such as one that a team pushes to; None for what is none."""
        if not (path / "objects").is_dir() or not (path / "HEAD").is_file():
            return None
        asked = ["rev-parse", "--is-bare-repository", "--show-object-format"]
        answers = self.git.run(asked, git_dir=str(path), may_fail=True).decode("ascii", "replace").split()
        if answers[:1] != ["true"]:
            return None
        if answers[1:] != ["sha1"]:
            raise RepositoryRefused(f"The repository {path} does not use sha1 hashes, which the hub holds.")
        return LocalSource(path, path, path.resolve())


def shown(place: LocalSource | RemoteAccess) -> str:
    """The place as a person may read it, without credentials."""
    return str(place.top) if isinstance(place, LocalSource) else place.remote.shown
