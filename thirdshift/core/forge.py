"""The port to a forge: pull requests on GitHub, merge requests on GitLab."""

from __future__ import annotations

from typing import Literal, Protocol

from thirdshift.core.frozen import Frozen


class RequestDraft(Frozen):
    """A request to merge ``head`` into ``base``, both branches of ``project`` (``owner/name``)."""

    project: str
    head: str
    base: str
    title: str
    body: str
    marker: str
    """A line of ``body`` that names the run. A request with this line is this run's, whatever became of it."""


class ForgeRequest(Frozen):
    """A request as the forge has it."""

    number: int
    url: str
    state: Literal["open", "closed", "merged"]
    body: str = ""
    merge_commit: str = ""


class Forge(Protocol):
    """One forge, spoken to with one token. Methods block and never retry by themselves.

    Raises ``core.errors.DeliveryRefused`` for what trying again does not mend (no right, no such project), and
    ``ForgeUnavailable`` for what it may (no answer, overload, a rate limit).
    """

    def requests_of(self, project: str, head: str) -> tuple[ForgeRequest, ...]:
        """Every request ever made from that branch, the newest first."""
        ...

    def open_request(self, draft: RequestDraft) -> ForgeRequest:
        """Make a request."""
        ...

    def rewrite(self, draft: RequestDraft, number: int) -> ForgeRequest:
        """Give an open request another title and body."""
        ...


def ensure_request(forge: Forge, draft: RequestDraft) -> ForgeRequest:
    """The run's request, made where there is none. Done twice, or again after a crash, there is one.

    An open request of an earlier run from the same branch becomes this run's: a branch has one open request.
    """
    found = forge.requests_of(draft.project, draft.head)
    ours = next((request for request in found if draft.marker in request.body.splitlines()), None)
    if ours is not None:
        return ours
    open_one = next((request for request in found if request.state == "open"), None)
    return forge.open_request(draft) if open_one is None else forge.rewrite(draft, open_one.number)
