"""Which names and link targets may enter a tree.

A tree travels to machines that read names differently: macOS ignores case and invisible characters, Windows
drops trailing dots and spaces, splits at backslashes and knows ``git~1``. A name that is harmless here and
``.git`` there would hand the agent a configuration file to be run on someone's machine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

LINK_HOPS: Final = 40
"""As many links as Linux follows in one path."""

_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters that show as nothing; with the format characters and variation selectors, "default ignorable"."""
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHORT_GIT: Final = re.compile(r"git~[0-9]+")
_LINKS_REFUSED: Final = frozenset({".gitmodules", ".gitattributes", ".gitignore", ".mailmap"})


@lru_cache(maxsize=1 << 16)
def is_git_directory_name(name: str) -> bool:
    """Whether some system takes the name, or a part of it between backslashes, for ``.git``."""
    if name.isascii() and "git" not in name.lower():
        return False
    for part in _fold(name).split("\\"):
        plain = part.split(":", 1)[0].rstrip(". ")
        if plain == ".git" or _SHORT_GIT.fullmatch(plain):
            return True
    return False


def alias_key(name: str) -> str:
    """Names with one key are one file on some system."""
    folded = _fold(name)
    return folded.rstrip(". ") or folded


def aliases(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of names of one directory that are one file on some system, each group sorted."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(alias_key(name), []).append(name)
    return tuple(sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1))


def poison(name: str) -> str | None:
    """Why the name may not even come from a base commit, else None."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        return "is no file name"
    if is_git_directory_name(name):
        return "is a spelling of .git"
    if any(0xD800 <= ord(char) <= 0xDFFF for char in name):
        return "is not UTF-8"
    return None


def name_problem(name: str) -> str | None:
    """Why the name may not be added to a tree, else None."""
    problem = poison(name)
    if problem is not None or (name.isascii() and name.isprintable()):
        return problem
    if any(unicodedata.category(char) == "Cc" for char in name):
        return "holds a control character"
    if any(char in _BIDI for char in name):
        return "holds a character that changes the direction of text"
    return None


def link_problem(path: str, target: str, links: Mapping[str, str]) -> str | None:
    """Why the symbolic link at ``path`` may not be added to a tree, else None.

    ``links`` are all links of the tree, path to target: a target is followed through them, as a kernel would.
    A link that leads nowhere, or round in a circle, stays in the tree and is let be.
    """
    if path.rsplit("/", 1)[-1].lower() in _LINKS_REFUSED:
        return "is a symbolic link under a name that git reads"
    here = path.split("/")[:-1]
    todo = target.split("/")[::-1]
    if target.startswith("/"):
        return "is an absolute symbolic link"
    hops = 0
    while todo:
        part = todo.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not here:
                return "is a symbolic link that leaves the tree"
            here.pop()
            continue
        if is_git_directory_name(part):
            return "is a symbolic link into a .git directory"
        here.append(part)
        onward = links.get("/".join(here))
        if onward is None:
            continue
        hops += 1
        if hops > LINK_HOPS:
            return None
        if onward.startswith("/"):
            return "is a symbolic link that leaves the tree through another one"
        here.pop()
        todo.extend(onward.split("/")[::-1])
    return None


def _fold(name: str) -> str:
    """Case, compatibility forms and invisible characters taken away."""
    if name.isascii():
        return name.lower()
    seen = "".join(char for char in name if not _invisible(char))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


def _invisible(char: str) -> bool:
    return (
        char in _FILLERS
        or unicodedata.category(char) == "Cf"
        or 0xFE00 <= ord(char) <= 0xFE0F
        or 0xE0100 <= ord(char) <= 0xE01EF
    )
