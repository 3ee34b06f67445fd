"""Reading and writing an agent's files from the host without ever following a link out of the tree.

The agent owns every name below the root and may swap any of them for a link at any moment. So no path is ever
handed to the system whole: each directory is opened from the one above it with ``O_NOFOLLOW``, and the last name
is opened from there, likewise.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from thirdshift.core.errors import ThirdshiftError
from thirdshift.core.tree_path import tree_path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FileRefused(ThirdshiftError):
    """A file cannot be read or written; the text is for the model."""


@contextlib.contextmanager
def _parent(root: str, names: list[str], *, create: bool) -> Iterator[int]:
    current = os.open(root, _DIRECTORY)
    try:
        for name in names[:-1]:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=current)
            below = os.open(name, _DIRECTORY, dir_fd=current)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise FileRefused(f"{path} is or goes through a symbolic link; use the file it points to") from error
        if error.errno == errno.ENOENT:
            raise FileRefused(f"{path} does not exist") from error
        if error.errno == errno.ENOTDIR:
            raise FileRefused(f"{path}: a part of the path is a file or a symbolic link, not a directory") from error
        if error.errno == errno.EISDIR:
            raise FileRefused(f"{path} is a directory") from error
        if error.errno == errno.ENAMETOOLONG:
            raise FileRefused(f"{path[:80]}... is too long a name") from error
        if error.errno == errno.EACCES:
            raise FileRefused(f"{path} cannot be opened: its permissions forbid it") from error
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE):
            # A socket, a device or whatever else was made there: the agent's doing, and for the agent to know.
            raise FileRefused(f"{path} cannot be opened: {error.strerror}") from error
        raise


def read_beneath(root: str, path: str, max_bytes: int) -> bytes:
    """Content of a regular file below ``root``, at most ``max_bytes``. Raises FileRefused and TreePathRefused."""
    names = tree_path(path).split("/")
    with _explained(path), _parent(root, names, create=False) as parent:
        # O_NONBLOCK: opening a fifo that the agent made must not wait for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(names[-1], flags, dir_fd=parent)
        with os.fdopen(handle, "rb") as file:
            kind = os.fstat(handle).st_mode
            if stat.S_ISDIR(kind):
                raise FileRefused(f"{path} is a directory; list it with bash")
            if not stat.S_ISREG(kind):
                raise FileRefused(f"{path} is not a regular file")
            return file.read(max_bytes + 1)[: max_bytes + 1]


def write_beneath(root: str, path: str, content: bytes) -> None:
    """Replace or create a regular file below ``root``, with its directories. Raises FileRefused.

    The new content goes to a new file that takes the name in one rename, so that a reader never sees half of it;
    an existing file's permission bits are kept.
    """
    names = tree_path(path).split("/")
    with _explained(path), _parent(root, names, create=True) as parent:
        mode = 0o644
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(names[-1], dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                raise FileRefused(f"{path} is a directory")
            if stat.S_ISLNK(found.st_mode):
                raise FileRefused(f"{path} is a symbolic link; write the file it points to")
            if not stat.S_ISREG(found.st_mode):
                raise FileRefused(f"{path} is not a regular file")
            mode = found.st_mode & 0o777
        staged = f".{names[-1][:200]}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(staged, dir_fd=parent)
        handle = os.open(
            staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=parent
        )
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
        os.replace(staged, names[-1], src_dir_fd=parent, dst_dir_fd=parent)
