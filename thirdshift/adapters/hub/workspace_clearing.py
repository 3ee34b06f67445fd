"""Clearing a directory that an agent filled.

Nothing is followed: names are opened one by one from the directory down. It gets through directories without
permissions, nesting deeper than any path may be long, and files marked immutable or append-only.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat as statmod
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from thirdshift.adapters.hub.beneath import FILE_FLAGS, names_in, opened_directory

_GET_FLAGS: Final = 0x80086601  # FS_IOC_GETFLAGS of linux/fs.h
_SET_FLAGS: Final = 0x40086602  # FS_IOC_SETFLAGS
_LOCKED_FLAGS: Final = 0x10 | 0x20  # immutable, append-only


def make_enterable(directory: Path) -> None:
    """Give its owner full permission on a directory; a link is left for others to refuse."""
    mode = directory.lstat().st_mode
    if statmod.S_ISDIR(mode) and mode & 0o700 != 0o700:
        directory.chmod(0o755)


def clear(root: int, keep: frozenset[str] = frozenset()) -> None:
    """Remove everything below the directory open at ``root``, but for the paths in ``keep``."""
    kept_parents = {path[:at] for path in keep for at in range(len(path)) if path[at] == "/"}
    _clear(root, "", keep, kept_parents)


def _clear(here: int, prefix: str, keep: frozenset[str], kept_parents: set[str]) -> None:
    doomed: list[str] = []
    _make_writable(here)
    for name in names_in(here):
        path = f"{prefix}{name}"
        if path in keep:
            continue
        if not _is_directory(here, name):
            _insist(partial(os.unlink, name, dir_fd=here), here, name)
        elif path in kept_parents:
            _open_up(here, name)
            with opened_directory(name, here) as below:
                _clear(below, f"{path}/", keep, kept_parents)
        else:
            doomed.append(name)
    if doomed:
        _remove_directories(here, doomed)


def _remove_directories(here: int, names: list[str]) -> None:
    """Remove directories of any depth with no recursion: what they hold moves up one level, again and again."""
    pit = f".thirdshift-{secrets.token_hex(8)}"
    os.mkdir(pit, 0o700, dir_fd=here)
    with opened_directory(pit, here) as bottom:
        for name in names:
            _move(here, name, bottom)
        while left := names_in(bottom):
            for name in left:
                _flatten(bottom, name)
    os.rmdir(pit, dir_fd=here)


def _flatten(bottom: int, directory: str) -> None:
    with opened_directory(directory, bottom) as here:
        for name in names_in(here):
            if _is_directory(here, name):
                _move(here, name, bottom)
            else:
                _insist(partial(os.unlink, name, dir_fd=here), here, name)
    os.rmdir(directory, dir_fd=bottom)


def _move(here: int, name: str, bottom: int) -> None:
    """Move a directory into the pit under a name that is not taken."""
    _open_up(here, name)
    fresh = secrets.token_hex(8)
    _insist(partial(os.rename, name, fresh, src_dir_fd=here, dst_dir_fd=bottom), here, name)


def _is_directory(here: int, name: str) -> bool:
    return statmod.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode)


def _open_up(here: int, name: str) -> None:
    """Let its owner list and change a directory; a moved one must be writable itself."""
    mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
    if mode & 0o700 != 0o700:
        _insist(partial(os.chmod, name, 0o700, dir_fd=here), here, name)


def _make_writable(directory: int) -> None:
    if os.fstat(directory).st_mode & 0o700 != 0o700:
        os.fchmod(directory, 0o700)


def _insist(operation: Callable[[], None], here: int, name: str) -> None:
    """Do it; where it is not permitted, take the locks off the directory and the file, and do it again."""
    try:
        operation()
    except PermissionError:
        _unlock(here)
        with suppress(OSError):
            descriptor = os.open(name, FILE_FLAGS, dir_fd=here)
            try:
                _unlock(descriptor)
            finally:
                os.close(descriptor)
        operation()


def _unlock(descriptor: int) -> None:
    with suppress(OSError):
        flags = struct.unpack("l", fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0)))[0]
        if flags & _LOCKED_FLAGS:
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", flags & ~_LOCKED_FLAGS))
