"""Opening files beneath a directory without ever following a symbolic link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

DIRECTORY_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextmanager
def opened_directory(name: str, parent: int | None = None) -> Iterator[int]:
    """A directory's descriptor; ``OSError`` where the name is a link or no directory."""
    descriptor = os.open(name, DIRECTORY_FLAGS, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_file(root: int, path: str) -> int:
    """A descriptor of the file at ``path`` below ``root``; no part of the path may be a link."""
    *directories, name = path.split("/")
    here = os.dup(root)
    try:
        for part in directories:
            below = os.open(part, DIRECTORY_FLAGS, dir_fd=here)
            os.close(here)
            here = below
        return os.open(name, FILE_FLAGS, dir_fd=here)
    finally:
        os.close(here)


def names_in(directory: int) -> list[str]:
    """The sorted names in an open directory."""
    return sorted(os.listdir(directory))
