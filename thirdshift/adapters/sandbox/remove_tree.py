"""Removing directories that hostile or careless programs filled."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a directory whose content may have been made unwritable; nothing there is no error."""

    def unlock(_function: object, failed: str, _error: object) -> None:
        place = Path(failed)
        for directory in (place.parent, place):
            if directory.is_dir() and not directory.is_symlink():
                directory.chmod(directory.stat().st_mode | stat.S_IRWXU)

    for _ in range(2):
        if path.exists():
            shutil.rmtree(path, onerror=unlock)
    if path.exists():
        shutil.rmtree(path)
