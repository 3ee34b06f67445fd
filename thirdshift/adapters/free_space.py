"""Whether a disk has room enough to begin on."""

from __future__ import annotations

import shutil
from pathlib import Path

LEAST_FREE_BYTES = 64 << 20


def why_full(directory: Path) -> str:
    """Why nothing should be begun in the directory, with the remedy; empty where there is room.

    The directory need not be there yet.
    """
    there = next((place for place in (directory, *directory.parents) if place.exists()), directory)
    free = shutil.disk_usage(there).free
    if free >= LEAST_FREE_BYTES:
        return ""
    return (
        f"{directory}: the disk is full: {free >> 20} MiB are free and {LEAST_FREE_BYTES >> 20} are needed to"
        " begin; free some space, or set THIRDSHIFT_HOME to a directory on another disk"
    )
