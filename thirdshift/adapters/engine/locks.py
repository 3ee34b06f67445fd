"""Locks that the kernel lets go of when their holders are gone, however they went."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_WORKERS = "workers.lock"


class FileLock:
    """An exclusive ``flock`` on a file. A child that inherits the descriptor holds it as well."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def try_take(cls, path: Path, *, shared: bool = False) -> Self | None:
        """The lock, or None while somebody else has it. A shared one excludes only exclusive ones."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Let go of this process's share; children that inherited the lock keep it. Twice does nothing more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@contextmanager
def worker_mark(home: Path) -> Iterator[None]:
    """Show, while the block lasts, that a worker of this home is up."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Whoever asks holds the lock exclusively for an instant; a worker that starts just then tries again.
    lock = None
    while lock is None:
        lock = FileLock.try_take(home / _WORKERS, shared=True)
    try:
        yield
    finally:
        lock.release()


def worker_is_marked(home: Path) -> bool:
    """Whether a worker of this home is up on this machine."""
    if not (home / _WORKERS).exists():
        return False
    lock = FileLock.try_take(home / _WORKERS)
    if lock is None:
        return True
    lock.release()
    return False
