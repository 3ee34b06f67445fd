"""Where a repository may be: a local path, or a URL over https or ssh. Everything else is refused by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from thirdshift.core.errors import RepositoryRefused

_REMEDY: Final = "Give a local path, or a URL that begins with https:// or ssh://."
_HELPER: Final = re.compile(r"[A-Za-z0-9+.-]+::")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST: Final = r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)"
_SCP: Final = re.compile(rf"{_HOST}:(?!-)[^\s]+")
_AUTHORITY: Final = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.+%-]*(?::[^@/\s]*)?@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::[0-9]+)?"
)


@dataclass(frozen=True)
class LocalRepository:
    """A directory on this machine."""

    path: Path


@dataclass(frozen=True)
class RemoteRepository:
    """A repository that git reaches over https or ssh."""

    url: str

    @property
    def shown(self) -> str:
        """The URL without the credentials in it."""
        return redacted(self.url)


def locate(repository: str) -> LocalRepository | RemoteRepository:
    """Read what a person wrote as a repository. Raises ``RepositoryRefused``."""
    if not repository.strip():
        raise RepositoryRefused(f"The repository is empty. {_REMEDY}")
    shown = redacted(repository)
    if any(ord(char) < 32 or ord(char) == 127 for char in repository):
        raise RepositoryRefused(f"The repository {shown!r} holds a control character. {_REMEDY}")
    if repository.startswith("-"):
        raise RepositoryRefused(f"The repository {shown!r} begins with a dash. Write ./{shown} for a path.")
    if helper := _HELPER.match(repository):
        raise RepositoryRefused(
            f"The repository {shown!r} uses the transport {helper[0]!r}, which may run commands. {_REMEDY}"
        )
    if scheme := _SCHEME.match(repository):
        return _by_url(repository, scheme[1].lower(), shown)
    if ":" in repository.split("/", 1)[0] and not Path(repository).exists():
        if not _SCP.fullmatch(repository):
            raise RepositoryRefused(f"The repository {shown!r} is no valid host:path. {_REMEDY}")
        return RemoteRepository(repository)
    return LocalRepository(Path(repository).absolute())


def redacted(text: str) -> str:
    """The text with the user and password of every URL in it taken out."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)


def _by_url(repository: str, scheme: str, shown: str) -> LocalRepository | RemoteRepository:
    parts = urlsplit(repository)
    if scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            raise RepositoryRefused(f"The repository {shown!r} names a host in a file:// URL. {_REMEDY}")
        return LocalRepository(Path(unquote(parts.path)))
    if scheme not in {"https", "ssh"}:
        raise RepositoryRefused(f"The repository {shown!r} uses {scheme}://, which is not allowed. {_REMEDY}")
    if not _AUTHORITY.fullmatch(parts.netloc) or parts.path.startswith("/-"):
        raise RepositoryRefused(f"The repository {shown!r} has no valid host or path. {_REMEDY}")
    return RemoteRepository(repository)
