"""Putting files of one directory back as they are in another, without following any link.

The checkout that is put right holds an agent's tree: a directory on the way may have become a link or a file.
Whatever stands where a directory belongs is taken away; nothing outside the checkout is ever touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def restore_files(root: str, source: str, paths: Iterable[str]) -> None:
    """Make each path below ``root`` what it is below ``source``: a file with its mode, or a link."""
    for path in paths:
        *parents, name = path.split("/")
        with _directory(root, parents, make=True) as directory:
            _take_away(directory, name)
            _copy(Path(source, path), directory, name)


def remove_files(root: str, paths: Iterable[str]) -> None:
    """Take each path below ``root`` away; one that is not there is no error."""
    for path in paths:
        *parents, name = path.split("/")
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), _directory(root, parents) as directory:
            _take_away(directory, name)


@contextlib.contextmanager
def _directory(root: str, names: list[str], *, make: bool = False) -> Iterator[int]:
    current = os.open(root, _DIRECTORY)
    try:
        for name in names:
            below = _step(current, name, make=make)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def _step(current: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=current)
    except OSError:
        if not make:
            raise NotADirectoryError(name) from None
    _take_away(current, name)
    os.mkdir(name, 0o755, dir_fd=current)
    return os.open(name, _DIRECTORY, dir_fd=current)


def _take_away(directory: int, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        shutil.rmtree(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)


def _copy(source: Path, directory: int, name: str) -> None:
    if source.is_symlink():
        os.symlink(source.readlink(), name, dir_fd=directory)
        return
    reading = os.open(source, _READ)
    with os.fdopen(reading, "rb") as file:
        mode = os.fstat(reading).st_mode & 0o777
        writing = os.open(name, _WRITE, 0o600, dir_fd=directory)
        with os.fdopen(writing, "wb") as copy:
            shutil.copyfileobj(file, copy)
            os.fchmod(writing, mode)
