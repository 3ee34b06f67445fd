"""Paths that a model may name: relative to the workspace, and the same file for everybody who reads them."""

from __future__ import annotations

import re

from thirdshift.core.errors import ThirdshiftError
from thirdshift.core.text import has_hidden, one_line
from thirdshift.core.treenames import is_git_directory_name

WORKSPACE = "/workspace/"
"""Where the agent sees its tree; a path below it is taken as relative."""
_LONGEST_PATH_BYTES = 1024
_LONGEST_NAME_BYTES = 255


class TreePathRefused(ThirdshiftError):
    """A path cannot be used; the text is for the model."""


def tree_path(text: str) -> str:
    """The path in its one spelling: no ``./``, no double slashes, no ``/workspace/`` before it.

    Raises TreePathRefused for an absolute path, ``..``, a backslash, a drive, ``~``, hidden characters, names with
    blanks or dots at their end (other file systems drop them), anything inside ``.git`` in any spelling, a
    directory, and names or paths that are too long.
    """
    shown = one_line(text)
    path = text.removeprefix(WORKSPACE)
    if has_hidden(path) or "\n" in path or "\t" in path:
        raise TreePathRefused(f"{shown!r} holds hidden or control characters; use a plain path")
    if "\\" in path:
        raise TreePathRefused(f"{shown!r} holds a backslash; separate the parts of a path with /")
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path):
        raise TreePathRefused(f"{shown!r} is not relative to the workspace; use a path like src/app.py")
    if path.endswith("/"):
        raise TreePathRefused(f"{shown!r} names a directory; name a file in it")
    names = [name for name in path.split("/") if name not in ("", ".")]
    if not names:
        raise TreePathRefused(f"{shown!r} names no file; use a path like src/app.py")
    for name in names:
        _refuse_name(name, shown)
    joined = "/".join(names)
    if len(joined.encode()) > _LONGEST_PATH_BYTES:
        raise TreePathRefused(f"{shown!r} is longer than {_LONGEST_PATH_BYTES} bytes; use a shorter path")
    return joined


def _refuse_name(name: str, shown: str) -> None:
    if name == "..":
        raise TreePathRefused(f"{shown!r} leaves the workspace: '..' is not allowed in a path")
    if is_git_directory_name(name):
        raise TreePathRefused(f"{shown!r} is inside .git, which tools do not touch")
    if name != name.strip() or name.endswith("."):
        raise TreePathRefused(f"{shown!r} has a name that begins or ends with a blank or ends with a dot")
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        raise TreePathRefused(f"{shown!r} has a name longer than {_LONGEST_NAME_BYTES} bytes")
