"""What people and checks are shown of trees. What a tree says of itself hides nothing from them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final, cast

from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.hub.trees import GITLINK, TreeReader
from thirdshift.core.errors import HubUnavailable

LINE_BYTES: Final = 2000
"""Longer lines of a diff are cut, with the cut said."""
_DIFF: Final = (
    *("diff-tree", "-r", "-p", "--text", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color"),
    *("--full-index", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3"),
)


@dataclass(frozen=True)
class TreeViewer:
    """Compares and reads trees of the hub."""

    git: GitProcess
    git_dir: str

    def changed_paths(self, old_tree: str, new_tree: str) -> tuple[str, ...]:
        """See ``core.ports.Hub``."""
        arguments = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", old_tree, new_tree]
        try:
            out = self.git.run(arguments, git_dir=self.git_dir)
        except GitFailed as error:
            raise _no_tree(self.git_dir, error.stderr) from error
        return tuple(path.decode("utf-8", "surrogateescape") for path in out.split(b"\0") if path)

    def list_paths(self, tree: str) -> tuple[str, ...]:
        """See ``core.ports.Hub``; submodules are no files."""
        listing = TreeReader(self.git, self.git_dir).listing(tree)
        return tuple(path for path, entry in listing.items() if entry.mode != GITLINK)

    def paths_holding(self, tree: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        r"""See ``core.ports.Hub``. git's id of a blob is the hash of ``blob <size>\0<content>`` (git-hash-object)."""
        wanted = set[str]()
        for content in contents:
            blob = b"blob %d\0" % len(content) + content
            wanted |= {hashlib.sha1(blob, usedforsecurity=False).hexdigest(), hashlib.sha256(blob).hexdigest()}
        listing = TreeReader(self.git, self.git_dir).listing(tree)
        return tuple(path for path, entry in listing.items() if entry.oid in wanted)

    def read_file(self, tree: str, path: str, max_bytes: int) -> bytes | None:
        """See ``core.ports.Hub``. Links are followed within the tree; None for one that leads out of it."""
        parts = path.split("/")
        if not path or "\n" in path or any(part in {"", ".", ".."} for part in parts):
            return None
        arguments = ["cat-file", "--batch", "--follow-symlinks"]
        with self.git.started(arguments, git_dir=self.git_dir, stdin=subprocess.PIPE) as process:
            sink, source = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            sink.write(f"{tree}:{path}\n".encode("utf-8", "surrogateescape"))
            sink.close()
            header = source.readline().split()
            if len(header) != 3 or header[1] != b"blob" or int(header[2]) > max_bytes:
                return None
            content = source.read(int(header[2]))
        if len(content) != int(header[2]):
            raise HubUnavailable(f"The hub {self.git_dir} cannot read {path!r} of the tree {tree}.")
        return content

    def diff(self, old_tree: str, new_tree: str, max_lines: int) -> str:
        """See ``core.ports.Hub``. Binary content is shown as text: what is hidden is not reviewed."""
        lines: list[str] = []
        omitted = 0
        with self.git.started([*_DIFF, old_tree, new_tree], git_dir=self.git_dir) as process:
            source = cast(IO[bytes], process.stdout)
            for line in source:
                if len(lines) < max_lines:
                    lines.append(_shortened(line))
                else:
                    omitted += 1
            _, err = process.communicate(timeout=self.git.timeout_seconds)
        if process.returncode != 0:
            raise _no_tree(self.git_dir, err.decode("utf-8", "replace"))
        if omitted:
            lines.append(f"... {omitted} more lines of {omitted + max_lines}; the diff was cut here\n")
        return "".join(lines)


def _shortened(line: bytes) -> str:
    if len(line) <= LINE_BYTES:
        return line.decode("utf-8", "replace")
    return line[:LINE_BYTES].decode("utf-8", "replace") + f" ... {len(line) - LINE_BYTES} more bytes in this line\n"


def _no_tree(git_dir: str, said: str) -> HubUnavailable:
    return HubUnavailable(
        f"The hub {git_dir} could not compare trees ({said.strip()}). "
        "If the hub was replaced or cleaned, submit the spec again."
    )
