"""Writing the files of a tree into a directory, byte for byte: no filter and no attribute has a say."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from typing import Final

from thirdshift.adapters.hub.beneath import DIRECTORY_FLAGS
from thirdshift.adapters.hub.trees import EXECUTABLE, GITLINK, LINK, Listing, TreeReader
from thirdshift.adapters.hub.workspace_index import Row, file_system_now, seal_of

_WRITE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_tree(root: int, listing: Listing, reader: TreeReader) -> dict[str, Row]:
    """Write all entries below the directory open at ``root``, where none of them is yet; their rows.

    A submodule becomes an empty directory, as in a clone without ``--recurse-submodules``.
    """
    stats: dict[str, os.stat_result] = {}
    paths = sorted(listing)
    wanted = [listing[path].oid for path in paths if listing[path].mode != GITLINK]
    with reader.blobs(wanted) as contents, closing(_Descent(root)) as descent:
        for path in paths:
            *directories, name = path.split("/")
            mode = listing[path].mode
            if mode == GITLINK:
                descent.enter([*directories, name])
                continue
            here = descent.enter(directories)
            content = next(contents)
            if mode == LINK:
                os.symlink(content, os.fsencode(name), dir_fd=here)
            else:
                stats[path] = _write(here, name, content, 0o755 if mode == EXECUTABLE else 0o644)
    now_ns = file_system_now(root)
    seals = {path: seal_of(stat, now_ns) for path, stat in stats.items()}
    return {path: Row(entry, seals.get(path)) for path, entry in listing.items()}


def _write(here: int, name: str, content: bytes, mode: int) -> os.stat_result:
    descriptor = os.open(name, _WRITE_FLAGS, mode, dir_fd=here)
    with open(descriptor, "wb", buffering=0) as sink:  # noqa: PTH123 - a descriptor
        left = memoryview(content)
        while left:
            left = left[sink.write(left) :]
        os.fchmod(descriptor, mode)  # whatever the umask says
        return os.fstat(descriptor)


class _Descent:
    """The directories on the way to the file written last, kept open since the next one mostly lies there too."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._open: list[tuple[str, int]] = []

    def enter(self, directories: list[str]) -> int:
        """The descriptor of a directory below the root, made where it is not there."""
        shared = 0
        for (name, _), wanted in zip(self._open, directories, strict=False):
            if name != wanted:
                break
            shared += 1
        while len(self._open) > shared:
            os.close(self._open.pop()[1])
        for name in directories[shared:]:
            here = self._open[-1][1] if self._open else self._root
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=here)
            self._open.append((name, os.open(name, DIRECTORY_FLAGS, dir_fd=here)))
        return self._open[-1][1] if self._open else self._root

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            os.close(self._open.pop()[1])
