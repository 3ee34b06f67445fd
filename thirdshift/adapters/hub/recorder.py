"""Recording a workspace as a commit of the hub: look, compare, and let one git process write what changed.

Git never reads the workspace. Files are opened here, beneath the workspace and through no link, and their bytes
go to ``git fast-import`` as they are: no filter, no attribute, no end-of-line conversion has a say.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Final, cast

from thirdshift.adapters.hub.beneath import open_file, opened_directory
from thirdshift.adapters.hub.failures import GitFailed, translated
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.hub.layout import HubLayout, loop_ref
from thirdshift.adapters.hub.survey import Survey, Surveyor, TreeLimits
from thirdshift.adapters.hub.trees import GITLINK, LINK, Listing, TreeEntry, TreeReader
from thirdshift.adapters.hub.workspace_index import Row, WorkspaceIndex, load_index, save_index
from thirdshift.core.errors import HubUnavailable, TreeRefused
from thirdshift.core.ports import Snapshot, Trailers

IDENTITY: Final = "Thirdshift <thirdshift@localhost>"
_SHOWN_PROBLEMS: Final = 50


@dataclass(frozen=True)
class Recorder:
    """Turns workspaces into commits."""

    git: GitProcess
    layout: HubLayout
    limits: TreeLimits

    def record(
        self, workspace: str, loop: str, parent_commit: str, trailers: Trailers, exclude: tuple[str, ...]
    ) -> Snapshot:
        """See ``core.ports.Hub.snapshot``."""
        git_dir = self.layout.ensure(self.git)
        with (
            self.layout.locked(loop) as lock,
            translated(f"read the workspace {workspace}"),
            opened_directory(workspace) as root,
        ):
            saved = load_index(self.layout.index_file(loop))
            parent = self._parent(saved, parent_commit, TreeReader(self.git, git_dir))
            survey = Surveyor(parent.listing(), saved.rows, exclude, self.limits).look(root)
            _refuse(workspace, survey)
            found = replace(parent, rows=survey.rows)
            changed = found.listing() != parent.listing()
            if changed:
                self.layout.drop_stale_lock(loop_ref(loop))
                stream = _commit_stream(root, survey, parent, loop, trailers)
                commit, tree = self._import(git_dir, stream, lock)
                found = replace(found, commit=commit, tree=tree)
            if found != saved:
                save_index(self.layout.index_file(loop), found)
            return Snapshot(tree=found.tree, commit=found.commit, changed=changed)

    def _parent(self, saved: WorkspaceIndex, commit: str, reader: TreeReader) -> WorkspaceIndex:
        """The parent commit's tree, from memory where it is the one that the workspace last held."""
        if saved.commit == commit:
            return saved
        facts = reader.commit(commit)
        if saved.tree == facts.tree:
            return replace(saved, commit=commit, date=facts.date)
        rows = _unsealed(reader.listing(facts.tree))
        return WorkspaceIndex(facts.tree, commit, facts.date, rows)

    def _import(self, git_dir: str, stream: Iterator[bytes], lock: int) -> tuple[str, str]:
        """Feed a fast-import stream to git; the new commit and its tree. All of it happens, or nothing."""
        arguments = ["fast-import", "--quiet", "--force", "--done", "--date-format=raw-permissive", "--depth=0"]
        with self.git.started(arguments, git_dir=git_dir, stdin=subprocess.PIPE, pass_fds=(lock,)) as process:
            sink = cast(IO[bytes], process.stdin)
            try:
                for piece in stream:
                    sink.write(piece)
                sink.flush()
            except BrokenPipeError:
                pass  # git has ended early, and says below why
            out, err = process.communicate(timeout=self.git.timeout_seconds)
        if process.returncode != 0:
            said = err.decode("utf-8", "replace")
            self.layout.drop_wreckage(said, process.pid)
            raise GitFailed("fast-import", process.returncode, said)
        commit, _, tree_line = out.decode("ascii").partition("\n")
        return commit, tree_line.split()[2]


def commit_message(trailers: Trailers) -> str:
    """The message of a step's commit."""
    return (
        f"Step {trailers.step} of attempt {trailers.attempt}\n\n"
        f"Job: {_one_line(trailers.job)}\nLoop: {_one_line(trailers.loop)}\n"
        f"Attempt: {trailers.attempt}\nStep: {trailers.step}\n"
        f"Model: {_one_line(trailers.model)}\nCost-Usd: {_one_line(trailers.cost_usd)}\n"
    )


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _unsealed(listing: Listing) -> dict[str, Row]:
    return {path: Row(entry, None) for path, entry in listing.items()}


def _refuse(workspace: str, survey: Survey) -> None:
    problems = sorted(survey.problems)
    if not problems:
        return
    shown = [f"- {problem}" for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > len(shown):
        shown.append(f"- and {len(problems) - len(shown)} more")
    raise TreeRefused("\n".join(["The workspace holds what may not be recorded:", *shown]))


def _commit_stream(root: int, survey: Survey, parent: WorkspaceIndex, loop: str, trailers: Trailers) -> Iterator[bytes]:
    message = commit_message(trailers).encode()
    yield (
        f"commit {loop_ref(loop)}\nmark :1\nauthor {IDENTITY} {parent.date}\ncommitter {IDENTITY} {parent.date}\n"
        f"data {len(message)}\n"
    ).encode() + message
    yield f"from {parent.commit}\n".encode()
    for path in parent.rows.keys() - survey.rows.keys():
        yield b"D " + _quoted(path) + b"\n"
    for path, row in survey.rows.items():
        before = parent.rows.get(path)
        if before is None or before.entry != row.entry:
            yield from _change(root, path, row.entry, survey.links)
    yield b'\nget-mark :1\nls :1 ""\ndone\n'


def _change(root: int, path: str, entry: TreeEntry, links: dict[str, str]) -> Iterator[bytes]:
    """One path's new content. It must still be what was looked at, or the commit would lie."""
    if entry.mode == GITLINK:
        return
    yield f"M {entry.mode} inline ".encode() + _quoted(path) + b"\n"
    if entry.mode == LINK:
        target = os.fsencode(links[path])
        yield b"data %d\n" % len(target) + target + b"\n"
        return
    with open(open_file(root, path), "rb") as source:  # noqa: PTH123 - a descriptor
        size = os.fstat(source.fileno()).st_size
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        yield b"data %d\n" % size
        while size > 0 and (chunk := source.read(min(size, 1 << 20))):
            digest.update(chunk)
            size -= len(chunk)
            yield chunk
    if digest.hexdigest() != entry.oid:
        raise HubUnavailable(f"{path!r} changed while it was recorded. Something still runs in the workspace; stop it.")
    yield b"\n"


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it. Only a leading quote and a line end need quoting."""
    if path.startswith('"') or "\n" in path:
        path = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        path = f'"{path}"'
    return path.encode("utf-8", "surrogateescape")
