"""Reading trees, commits and blobs of the hub."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, NamedTuple, cast

from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.core.errors import HubUnavailable

FILE = "100644"
EXECUTABLE = "100755"
LINK = "120000"
GITLINK = "160000"


class TreeEntry(NamedTuple):
    """A file (``100644``, ``100755``), a symbolic link (``120000``) or a submodule (``160000``) of a tree."""

    mode: str
    oid: str


Listing = dict[str, TreeEntry]


class CommitFacts(NamedTuple):
    """A commit's tree and its committer date as git writes it (``1700000000 +0000``)."""

    tree: str
    date: str


@dataclass(frozen=True)
class TreeReader:
    """Reads objects of one repository."""

    git: GitProcess
    git_dir: str

    def listing(self, tree: str) -> Listing:
        """All entries of a tree, by path. Raises ``HubUnavailable`` where the hub has no such tree."""
        try:
            out = self.git.run(["ls-tree", "-r", "-z", "--full-tree", tree], git_dir=self.git_dir)
        except GitFailed as error:
            raise HubUnavailable(
                f"The hub {self.git_dir} has no tree {tree} ({error.stderr}). "
                "If the hub was replaced or cleaned, submit the spec again."
            ) from error
        return dict(_parse_entry(row) for row in out.split(b"\0") if row)

    def commit(self, commit: str) -> CommitFacts:
        """A commit's facts. Raises ``HubUnavailable`` where the hub has no such commit."""
        try:
            out = self.git.run(["cat-file", "commit", commit], git_dir=self.git_dir)
        except GitFailed as error:
            raise HubUnavailable(
                f"The hub {self.git_dir} has no commit {commit} ({error.stderr}). "
                "If the hub was replaced or cleaned, submit the spec again."
            ) from error
        return parse_commit(out)

    @contextmanager
    def blobs(self, oids: Sequence[str]) -> Iterator[Iterator[bytes]]:
        """The contents of blobs, in order, one in memory at a time."""
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{oid}\n" for oid in oids).encode())
            wanted.seek(0)
            arguments = ["cat-file", "--batch", "--buffer"]
            with self.git.started(arguments, git_dir=self.git_dir, stdin=wanted) as process:
                yield self._contents(cast(IO[bytes], process.stdout), oids)

    def _contents(self, source: IO[bytes], oids: Sequence[str]) -> Iterator[bytes]:
        for oid in oids:
            header = source.readline().split()
            if len(header) != 3 or header[1] != b"blob":
                raise HubUnavailable(f"The hub {self.git_dir} lacks the file content {oid}.")
            content = source.read(int(header[2]) + 1)
            if len(content) != int(header[2]) + 1:
                raise HubUnavailable(f"The hub {self.git_dir} cannot read the file content {oid}.")
            yield content[:-1]


def parse_commit(raw: bytes) -> CommitFacts:
    """The facts of a raw commit object."""
    header = raw.split(b"\n\n", 1)[0].decode("utf-8", "surrogateescape").split("\n")
    tree = next(line for line in header if line.startswith("tree "))
    committer = next(line for line in header if line.startswith("committer "))
    return CommitFacts(tree.removeprefix("tree "), _sane_date(committer.rsplit("> ", 1)[-1]))


def _sane_date(date: str) -> str:
    """The date, or the epoch where old tools left one that git refuses to write again."""
    seconds, _, zone = date.partition(" ")
    plain = seconds.isdigit() and len(seconds) <= 12 and len(zone) == 5 and zone[1:].isdigit() and zone[0] in "+-"
    return date if plain else "0 +0000"


def _parse_entry(row: bytes) -> tuple[str, TreeEntry]:
    facts, _, path = row.partition(b"\t")
    mode, _, oid = facts.decode("ascii").split(" ")
    plain = FILE if mode.startswith("100") and mode != EXECUTABLE else mode  # 100664 is in old trees
    return path.decode("utf-8", "surrogateescape"), TreeEntry(plain, oid)
