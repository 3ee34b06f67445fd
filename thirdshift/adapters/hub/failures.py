"""What went wrong on disk or in git, said to a person: what, which, remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from thirdshift.core.errors import HubUnavailable

_FULL: Final = "the disk is full. Free some space; nothing was half done, so run it again."
_SIGNS: Final = (
    ("No space left on device", _FULL),
    ("Out of diskspace", _FULL),
    ("Disk quota exceeded", "the disk quota is used up. Free some space and run it again."),
    ("Read-only file system", "the file system is read-only. Remount it, or set [hub] path to another one."),
    ("Permission denied", "permission is denied. Give this user read and write permission there."),
    ("Too many open files", "too many files are open. Raise the limit (ulimit -n)."),
)
_ERRNO_SIGNS: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _SIGNS[2][1],
    errno.EROFS: _SIGNS[3][1],
    errno.EACCES: _SIGNS[4][1],
    errno.EPERM: "the operation is not permitted. See who owns the file, and whether it is immutable (lsattr).",
    errno.EMFILE: _SIGNS[5][1],
}


class GitFailed(HubUnavailable):
    """A git command failed. ``stderr`` is what git said; callers that know better say it better."""

    def __init__(self, command: str, status: int, stderr: str) -> None:
        self.stderr = stderr.strip()
        cause = next((remedy for sign, remedy in _SIGNS if sign in stderr), None)
        said = self.stderr.splitlines()[-1] if self.stderr else "it said nothing"
        super().__init__(f"git {command} failed (exit {status}): {cause or said}")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn an ``OSError`` into ``HubUnavailable`` that says what was being done."""
    try:
        yield
    except FileNotFoundError as error:
        raise HubUnavailable(f"Could not {doing}: {error.filename or error} is not there.") from error
    except OSError as error:
        cause = _ERRNO_SIGNS.get(error.errno or 0, f"{error.strerror or error}.")
        where = f" ({error.filename})" if error.filename else ""
        raise HubUnavailable(f"Could not {doing}{where}: {cause}") from error
