"""Names of branches, tags and commits, as people write them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

from thirdshift.core.errors import RepositoryRefused

_HEX: Final = re.compile(r"[0-9a-fA-F]{4,40}")
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def ref_problem(name: str) -> str | None:
    """Why git would not take the name for a ref (git-check-ref-format(1)), else None."""
    if not name or name == "@":
        return "is no name"
    if name.startswith("-"):
        return "begins with a dash"
    if _FORBIDDEN.search(name):
        return "holds what no ref may hold (space, control character, one of ~^:?*[\\, two dots, @{ or //)"
    if name.startswith("/") or name.endswith(("/", ".")):
        return "begins or ends with what no ref may begin or end with"
    if any(part.startswith(".") or part.endswith(".lock") for part in name.split("/")):
        return "has a part that begins with a dot or ends with .lock"
    return None


def candidates(base: str) -> tuple[str, ...]:
    """What ``base`` may stand for, best first: a branch, a tag, a remote branch, a full ref, a commit.

    Raises ``RepositoryRefused`` for what is none of them.
    """
    problem = ref_problem(base)
    if problem is not None:
        raise RepositoryRefused(f"The base {base!r} {problem}. Give a branch, a tag or a commit.")
    if base == "HEAD" or base.startswith("refs/"):
        return (base,)
    names = [f"refs/heads/{base}", f"refs/tags/{base}", f"refs/remotes/{base}"]
    return (*names, base.lower()) if _HEX.fullmatch(base) else tuple(names)


def is_full_hash(base: str) -> bool:
    """Whether it is a commit in full."""
    return len(base) == 40 and _HEX.fullmatch(base) is not None


def no_such_base(where: str, base: str, branches: Sequence[str]) -> RepositoryRefused:
    """The refusal, with the names that come close."""
    if not branches:
        return RepositoryRefused(f"{where} has no {base!r}. Give a branch, a tag or a commit that it has.")
    close = difflib.get_close_matches(base, branches, n=3, cutoff=0.5)
    if close:
        hint = f"did you mean {' or '.join(repr(name) for name in close)}?"
    else:
        hint = f"its branches are {', '.join(branches[:10])}{' ...' if len(branches) > 10 else ''}."
    return RepositoryRefused(f"{where} has no branch, tag or commit {base!r}; {hint}")
