"""Delivery: what reaches a repository, how it came there, and the port that takes it there.

A delivery is bound to commits whose hashes follow from its input, and every ref is moved by compare-and-swap from
the commit that was seen. So the same delivery twice, by a retry or by two workers at once, is one delivery.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, Protocol

from thirdshift.core.frozen import Frozen
from thirdshift.core.spec import Delivery

MERGE_ROUNDS: Final = 5
"""How often a merge is made anew because the base branch moved while the last one was judged."""
OTHER_NAMES: Final = 9
"""How many branch names are tried in all when a person already uses the first one."""

_SCHEME_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/@\s]*@)?(\[[^\]]+\]|[^/:\s]+)(?::[0-9]+)?/+(\S+)")
_SCP_URL = re.compile(r"(?:[^/@\s]+@)?([^/:\s]+):/*(\S+)")


class DeliveryTerms(Frozen):
    """How a job's tree is to be delivered, settled when it is submitted."""

    kind: Delivery = Delivery.BRANCH
    onto: str = ""
    """The branch that it is merged onto, or that a pull request asks for; empty where a branch is all."""


class Work(Frozen):
    """An accepted tree on its way. The same work always makes the same commit."""

    job: str
    run: str
    """By which the delivery is known again in the history of its branch."""
    repository: str
    base_commit: str
    tree: str
    message: str
    onto: str = ""
    merge_message: str = ""
    """Of the commit that joins the work and a branch that has moved."""


class MergeState(StrEnum):
    """What a merge would come to."""

    READY = "ready"
    LANDED = "landed"
    """The base branch holds the work already."""
    REFUSED = "refused"
    """There is a conflict, or the branch cannot be moved; ``why`` says which, and what to do."""


class MergePlan(Frozen):
    """The commit that would land on the base branch, provided that the branch is still at ``tip``."""

    state: MergeState
    tip: str = ""
    tip_tree: str = ""
    commit: str = ""
    work: str = ""
    """The work's own commit: ``commit`` itself, or a parent of it."""
    tree: str = ""
    moved: bool = False
    """Whether the base branch is no longer where the job began, so that ``tree`` is one that nobody has judged."""
    why: str = ""


class Delivered(Frozen):
    """What came of a delivery. Where ``done`` is false the work is kept, and ``detail`` says what stood against it."""

    done: bool
    kind: Delivery
    detail: str
    """One sentence for people."""
    branch: str = ""
    commit: str = ""
    work: str = ""
    """The work's own commit, where ``commit`` is one that joins it with what others did."""
    onto: str = ""
    url: str = ""
    """Of the pull request."""


class Deliverer(Protocol):
    """Takes a tree of the hub into a repository; the one holder of git credentials. All methods block.

    Raises ``core.errors.DeliveryRefused`` for what trying again does not mend, and ``HubUnavailable`` or
    ``RepositoryRefused`` for what it may.
    """

    def branch_named(self, repository: str, base: str) -> str:
        """The branch that ``base`` names there; empty where it names a tag or a commit."""
        ...

    def checked_out_in(self, repository: str, branch: str) -> str:
        """The directory in which a local repository's branch is checked out; empty where it is in none."""
        ...

    def remote_url(self, repository: str, branch: str) -> str:
        """Where ``branch`` is pushed to: a path or a URL, without the credentials in it."""
        ...

    def plan_merge(self, work: Work) -> MergePlan:
        """Merge in the hub, where nobody sees it, the work and the tip of its base branch as that now is."""
        ...

    def land(self, work: Work, plan: MergePlan) -> bool:
        """Move the base branch from ``plan.tip`` to ``plan.commit``; False where it has moved in the meantime."""
        ...

    def push(self, work: Work, branch: str) -> str:
        """Set a branch of the remote to the work's commit, which is returned.

        Raises ``RepositoryRefused`` where somebody else's commit is on that branch.
        """
        ...


def branch_names(job_id: str, *, accepted: bool) -> tuple[str, ...]:
    """The names that a job's branch may get, in the order in which they are tried."""
    name = f"thirdshift/{job_id}" + ("" if accepted else "-unfinished")
    return (name, *(f"{name}-{number}" for number in range(2, OTHER_NAMES + 1)))


def forge_address(url: str) -> tuple[str, str] | None:
    """The host and the project's path, ``owner/name``, in a repository's URL; None where it has none."""
    found = _SCHEME_URL.fullmatch(url) or _SCP_URL.fullmatch(url)
    if found is None:
        return None
    path = found[2].strip("/").removesuffix(".git").strip("/")
    return (found[1].lower(), path) if "/" in path else None
