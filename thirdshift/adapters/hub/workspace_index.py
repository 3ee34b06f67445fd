"""What is known of a loop's workspace, so that an unchanged file is not read twice.

A file counts as unchanged while its seal is: device, inode, mode, size, and both times to the nanosecond. The
agent can set a file's modification time but not its change time. A file whose change time is so recent that
another write could bear the same one gets no seal and is read again next time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from thirdshift.adapters.hub.failures import translated
from thirdshift.adapters.hub.trees import Listing, TreeEntry
from thirdshift.core.errors import HubUnavailable

_VERSION: Final = 1
_TICK_NS: Final = 20_000_000
"""Twice the slowest kernel tick: file times move on in ticks."""
_COARSE_NS: Final = 2_000_000_000
"""For file systems that keep whole seconds."""

Seal = tuple[int, ...]


class Row(NamedTuple):
    """A path's entry in the tree, and the seal under which a file had that content; None: read it again."""

    entry: TreeEntry
    seal: Seal | None


@dataclass(frozen=True)
class WorkspaceIndex:
    """The tree that a workspace was last known to hold. ``commit`` and ``date`` are empty after a restore."""

    tree: str = ""
    commit: str = ""
    date: str = ""
    rows: Mapping[str, Row] = field(default_factory=dict)

    def listing(self) -> Listing:
        """The tree's entries."""
        return {path: row.entry for path, row in self.rows.items()}


def seal_of(stat: os.stat_result, now_ns: int) -> Seal | None:
    """The seal of a file; ``now_ns`` is its file system's time before it was read, or after it was written."""
    slack = _TICK_NS if stat.st_ctime_ns % 1_000_000_000 else _COARSE_NS
    return None if stat.st_ctime_ns >= now_ns - slack else _seal(stat)


def file_system_now(directory: int) -> int:
    """The time by a directory's own file system; 0, which seals nothing, where it cannot be had."""
    try:
        os.utime(directory)
    except OSError:
        return 0
    return os.fstat(directory).st_ctime_ns


def still_sealed(row: Row | None, stat: os.stat_result) -> bool:
    """Whether a file surely has the content that the row says."""
    return row is not None and row.seal is not None and row.seal == _seal(stat)


def mark_unfinished(path: Path) -> None:
    """Say that a restore has begun: until an index is saved, nobody may record what is in the workspace."""
    path.write_bytes(b"")


def load_index(path: Path) -> WorkspaceIndex:
    """The index as it was saved; an empty one where there is none that can be read.

    Raises ``HubUnavailable`` where a restore was begun and not finished.
    """
    try:
        raw = path.read_bytes()
        if not raw:
            raise HubUnavailable("The workspace was half restored when its process died. Restore it again.")
        saved = json.loads(raw)
        if saved["version"] != _VERSION:
            return WorkspaceIndex()
        rows = {
            name: Row(TreeEntry(mode, oid), None if seal is None else tuple(seal))
            for name, mode, oid, seal in saved["rows"]
        }
        return WorkspaceIndex(saved["tree"], saved["commit"], saved["date"], rows)
    except (OSError, ValueError, KeyError, TypeError):
        return WorkspaceIndex()


def save_index(path: Path, index: WorkspaceIndex) -> None:
    """Put the index in place whole. The caller holds the loop's lock."""
    rows = [(name, row.entry.mode, row.entry.oid, row.seal) for name, row in index.rows.items()]
    saved = {
        "version": _VERSION,
        "tree": index.tree,
        "commit": index.commit,
        "date": index.date,
        "rows": rows,
    }
    fresh = path.with_name(f"{path.name}.new")
    with translated("save the workspace index"):
        fresh.write_text(json.dumps(saved, separators=(",", ":")))
        fresh.replace(path)


def _seal(stat: os.stat_result) -> Seal:
    return (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
