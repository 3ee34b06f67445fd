"""Where things lie in the hub directory, and its creation.

<hub>/                         a bare git repository
  thirdshift-index/<loop>      what is known of a loop's workspace (``workspace_index``)
  thirdshift-index/<loop>.lock held with flock while a loop's workspace is read or written
  thirdshift-tmp/              half-made things; whatever lies here belongs to a lock's holder or to nobody
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from thirdshift.adapters.hub.failures import translated
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.core.errors import HubUnavailable

LOCK_SECONDS: Final = 60.0
_SWEEP_SECONDS: Final = 86_400.0
_PLAIN_ATTRIBUTES: Final = "* !text !eol !crlf !filter !ident !working-tree-encoding !diff !merge !whitespace\n"
"""Attributes that a tree sets for itself are unset: nothing is converted, and nothing hides from a diff."""
_CONFIG: Final = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[gc]
\tauto = 0
\tpruneExpire = never
[maintenance]
\tauto = false
[receive]
\tdenyNonFastForwards = false
"""


@dataclass(frozen=True)
class HubLayout:
    """Paths and names inside one hub directory."""

    root: Path

    def ensure(self, git: GitProcess) -> str:
        """The hub's git directory, created where there is none yet."""
        if not (self.root / "HEAD").is_file():
            with translated(f"create the hub in {self.root}"):
                self._create(git)
        return str(self.root)

    def _create(self, git: GitProcess) -> None:
        if self.root.exists() and any(self.root.iterdir()):
            raise HubUnavailable(
                f"{self.root} is not empty and no hub. Move it away, or set [hub] path to another directory."
            )
        self.root.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{self.root.name}-", dir=self.root.parent))
        try:
            git.run(["init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(fresh)], git_dir=None)
            (fresh / "config").write_text(_CONFIG)
            (fresh / "info").mkdir(exist_ok=True)
            (fresh / "info" / "attributes").write_text(_PLAIN_ATTRIBUTES)
            (fresh / "thirdshift-index").mkdir()
            (fresh / "thirdshift-tmp").mkdir()
            try:
                fresh.rename(self.root)  # onto nothing or an empty directory
            except OSError:
                if not (self.root / "HEAD").is_file():  # else another process was first
                    raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def index_file(self, loop: str) -> Path:
        """Where the loop's workspace index is kept."""
        return self.root / "thirdshift-index" / file_name(loop)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """An empty directory of that name, gone afterwards. The caller holds the lock that the name belongs to."""
        path = self.root / "thirdshift-tmp" / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def unique_scratch(self) -> Iterator[Path]:
        """An empty directory of a name that nobody else has, gone afterwards."""
        with translated("make room in the hub"):
            path = Path(tempfile.mkdtemp(dir=self.root / "thirdshift-tmp"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def drop_stale_lock(self, ref: str) -> None:
        """Remove the lock file of a git process that was killed. The caller holds the lock that the ref belongs to.

        No live git can own it: whoever works on the ref, git included, holds the caller's lock.
        """
        with translated(f"unlock {ref}"):
            (self.root / f"{ref}.lock").unlink(missing_ok=True)

    def drop_wreckage(self, said: str, process_id: int) -> None:
        """Remove what a failed fast-import left: on a full disk its half pack holds the space that is missing."""
        for name in re.findall(r"objects/pack/(tmp_pack_\w+)", said):
            (self.root / "objects" / "pack" / name).unlink(missing_ok=True)
        (self.root / f"fast_import_crash_{process_id}").unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the half packs and scratch of processes that were killed more than a day ago."""
        with translated("sweep the hub"), self.unique_scratch() as fresh:
            before = fresh.stat().st_mtime - _SWEEP_SECONDS
            half_packs = (self.root / "objects" / "pack").glob("tmp_*")
            scratch = (self.root / "thirdshift-tmp").iterdir()
            for path in [*half_packs, *scratch]:
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime > before:
                        continue
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink()

    @contextmanager
    def locked(self, loop: str) -> Iterator[int]:
        """Hold the loop's lock; yields its descriptor.

        The kernel lets go of it when the last holder dies. Git is given the descriptor too, so that a git process
        that outlives a killed worker still keeps the next one out until it has ended.
        """
        path = self.root / "thirdshift-index" / f"{file_name(loop)}.lock"
        with translated(f"lock the loop {loop}"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait_for(descriptor, loop)
            yield descriptor
        finally:
            os.close(descriptor)


def loop_ref(loop: str) -> str:
    """The ref of a loop's latest commit."""
    return f"refs/thirdshift/{file_name(loop)}"


def base_ref(job: str) -> str:
    """The ref that pins a job's base commit."""
    return f"refs/thirdshift/{file_name(job)}/base"


def file_name(name: str) -> str:
    """The name as a file and a component of a ref: itself for plain names, else percent-encoded.

    Long names are cut and told apart by a hash, since a file name has at most 255 bytes.
    """
    if not name:
        raise ValueError("a loop or job needs a name")
    encoded = quote(name, safe="-_").replace(".", "%2E").replace("~", "%7E")
    if len(encoded) <= 150:
        return encoded
    return f"{encoded[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _wait_for(descriptor: int, loop: str) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise HubUnavailable(
                    f"Another process has held the loop {loop} for {LOCK_SECONDS:.0f} s. "
                    "See whether a second worker runs on this hub, and stop it."
                ) from error
            time.sleep(0.02)
        else:
            return
