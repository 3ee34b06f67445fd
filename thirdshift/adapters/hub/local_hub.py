"""The hub on local disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thirdshift.adapters.hub.beneath import opened_directory
from thirdshift.adapters.hub.delivery import Delivery, check_branch, make_delivery_commit
from thirdshift.adapters.hub.failures import translated
from thirdshift.adapters.hub.git_process import GitProcess, Transport
from thirdshift.adapters.hub.inner_git import plant_inner_git
from thirdshift.adapters.hub.layout import HubLayout, base_ref
from thirdshift.adapters.hub.local_source import LocalSource, import_local, open_source, resolve_local, why_closed
from thirdshift.adapters.hub.locations import LocalRepository, locate
from thirdshift.adapters.hub.recorder import Recorder
from thirdshift.adapters.hub.remote_repository import RemoteAccess
from thirdshift.adapters.hub.survey import TreeLimits
from thirdshift.adapters.hub.trees import Listing, TreeReader
from thirdshift.adapters.hub.viewer import TreeViewer
from thirdshift.adapters.hub.workspace_clearing import clear, make_enterable
from thirdshift.adapters.hub.workspace_index import Row, WorkspaceIndex, mark_unfinished, save_index
from thirdshift.adapters.hub.workspace_writer import write_tree
from thirdshift.core.errors import HubUnavailable, RepositoryRefused
from thirdshift.core.ports import Base, Snapshot, Trailers
from thirdshift.core.treenames import poison


class LocalHub:
    """A bare repository at ``path``, created on first use. Implements ``core.ports.Hub``.

    Safe to share between threads, and with other processes on the same path. ``git`` is the executable,
    ``transport`` how remote repositories are reached, ``limits`` how large a tree may become. Every method may
    raise ``core.errors.HubUnavailable`` (disk full, no permission, no git), besides what the port names.
    """

    def __init__(
        self,
        path: str,
        *,
        git: str = "git",
        transport: Transport | None = None,
        limits: TreeLimits | None = None,
    ) -> None:
        self._layout = HubLayout(Path(path).absolute())
        self._git = GitProcess(git)
        self._transport = transport or Transport()
        self._limits = limits or TreeLimits()

    def resolve(self, repository: str, base: str) -> Base:
        """See the port.

        ``base`` is a branch before a tag before a remote branch (``origin/main``) before a commit. A
        subdirectory of a repository stands for the whole of it; a linked worktree for its repository.
        """
        place = self._open(repository)
        if isinstance(place, LocalSource):
            return resolve_local(self._git, place, base)
        return place.resolve(base)

    def may_deliver(self, repository: str) -> str:
        """See the port. A remote tells only when it is pushed to."""
        place = self._open(repository)
        return why_closed(place) if isinstance(place, LocalSource) else ""

    def import_base(self, repository: str, commit: str, job: str) -> Base:
        """See the port. Submodules stay what they are: an entry whose directory is left empty."""
        place = self._open(repository)
        git_dir = self._layout.ensure(self._git)
        reader = TreeReader(self._git, git_dir)
        self._layout.sweep()
        with self._layout.locked(f"base of {job}") as lock:
            self._fetch(place, commit, job, lock)
            facts = reader.commit(commit)
            problems = _poisoned(reader.listing(facts.tree))
            if not problems:
                return Base(commit=commit, tree=facts.tree, ref_name=commit)
            self._git.run(["update-ref", "-d", base_ref(job)], git_dir=git_dir)
        shown = "\n".join(f"- {problem}" for problem in problems[:20])
        raise RepositoryRefused(f"The commit {commit} of {repository} holds names that no tree may:\n{shown}")

    def _fetch(self, place: LocalSource | RemoteAccess, commit: str, job: str, lock: int) -> None:
        """Fetch a base, unless an earlier import pinned it: what a ref points to is whole."""
        ref, hub = base_ref(job), str(self._layout.root)
        pinned = self._git.run(["rev-parse", "--verify", "--quiet", ref], git_dir=hub, may_fail=True)
        if pinned.decode("ascii").strip() == commit:
            return
        self._layout.drop_stale_lock(ref)
        if isinstance(place, LocalSource):
            import_local(self._git, self._layout, place, commit, job, lock)
        else:
            place.fetch(commit, job, lock)

    def restore(self, workspace: str, tree: str, loop: str, exclude: tuple[str, ...] = ()) -> None:
        """See the port. No agent process may be alive in the workspace."""
        git_dir = self._layout.ensure(self._git)
        place = Path(workspace).absolute()
        self._must_lie_apart(place)
        reader = TreeReader(self._git, git_dir)
        listing = reader.listing(tree)
        keep = frozenset(path.strip("/") for path in exclude)
        wanted = {path: entry for path, entry in listing.items() if not _within(path, keep)}
        with self._layout.locked(loop), translated(f"restore the workspace {workspace}"):
            mark_unfinished(self._layout.index_file(loop))
            place.mkdir(parents=True, exist_ok=True)
            make_enterable(place)
            with opened_directory(str(place)) as root:
                clear(root, keep)
                rows = write_tree(root, wanted, reader)
            plant_inner_git(self._git, self._layout, place, tree, loop, exclude)
            rows |= {path: Row(entry, None) for path, entry in listing.items() if path not in wanted}
            save_index(self._layout.index_file(loop), WorkspaceIndex(tree=tree, rows=rows))

    def snapshot(
        self,
        workspace: str,
        loop: str,
        parent_commit: str,
        trailers: Trailers,
        exclude: tuple[str, ...] = (),
    ) -> Snapshot:
        """See the port.

        Author, committer and date follow from the parent, so that a repeated snapshot is the same commit. Empty
        directories and the workspace's own ``.git`` are not recorded; ``__pycache__`` and the like are ignored
        even where no ``.gitignore`` says so.
        """
        recorder = Recorder(self._git, self._layout, self._limits)
        return recorder.record(workspace, loop, parent_commit, trailers, exclude)

    def export(self, tree: str, directory: str) -> None:
        """See the port. The directory is made where there is none."""
        reader = TreeReader(self._git, self._layout.ensure(self._git))
        listing = reader.listing(tree)
        with translated(f"export a tree to {directory}"):
            Path(directory).mkdir(parents=True, exist_ok=True)
            with opened_directory(directory) as root:
                if any(Path(directory).iterdir()):
                    raise HubUnavailable(f"{directory} is not empty, so no tree was written there. Empty it first.")
                write_tree(root, listing, reader)

    def changed_paths(self, old_tree: str, new_tree: str) -> tuple[str, ...]:
        """See the port."""
        return self._viewer().changed_paths(old_tree, new_tree)

    def read_file(self, tree: str, path: str, max_bytes: int) -> bytes | None:
        """See the port. A link is followed within the tree."""
        return self._viewer().read_file(tree, path, max_bytes)

    def diff(self, old_tree: str, new_tree: str, max_lines: int) -> str:
        """See the port. Nothing that a tree says of itself hides a change: binary files are shown as text."""
        return self._viewer().diff(old_tree, new_tree, max_lines)

    def list_paths(self, tree: str) -> tuple[str, ...]:
        """See the port. Submodules are no files."""
        return self._viewer().list_paths(tree)

    def paths_holding(self, tree: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        """See the port. Compares by object id, so nothing is read."""
        return self._viewer().paths_holding(tree, contents)

    def deliver(self, tree: str, parent_commit: str, message: str, repository: str, branch: str) -> str:
        """See the port.

        Raises ``RepositoryRefused``, with nothing changed, where the branch is checked out, or holds a commit
        that Thirdshift did not make.
        """
        check_branch(branch)
        place = self._open(repository)
        git_dir = self._layout.ensure(self._git)
        commit = make_delivery_commit(self._git, git_dir, tree, parent_commit, message)
        delivery = Delivery(self._git, self._layout, commit, parent_commit, branch)
        if isinstance(place, LocalSource):
            delivery.to_local(place)
        else:
            delivery.to_remote(place)
        return commit

    def _open(self, repository: str) -> LocalSource | RemoteAccess:
        place = locate(repository)
        if isinstance(place, LocalRepository):
            return open_source(self._git, place.path)
        self._layout.ensure(self._git)
        return RemoteAccess(self._git, self._layout, self._transport, place)

    def _viewer(self) -> TreeViewer:
        return TreeViewer(self._git, self._layout.ensure(self._git))

    def _must_lie_apart(self, workspace: Path) -> None:
        """A restore empties the workspace, so it must not be the hub nor hold it."""
        hub, place = self._layout.root.resolve(), workspace.resolve()
        if hub.is_relative_to(place) or place.is_relative_to(hub):
            raise HubUnavailable(f"The workspace {workspace} and the hub {hub} overlap. Keep them apart.")


def _within(path: str, directories: Sequence[str] | frozenset[str]) -> bool:
    return any(path == directory or path.startswith(f"{directory}/") for directory in directories)


def _poisoned(listing: Listing) -> list[str]:
    found: list[str] = []
    for path in listing:
        problem = next((why for why in map(poison, path.split("/")) if why is not None), None)
        if problem is not None:
            found.append(f"{path!r} {problem}")
    return found
