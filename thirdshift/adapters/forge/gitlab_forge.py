"""GitLab, its own or one's own, by python-gitlab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from gitlab import Gitlab
from gitlab.exceptions import GitlabError
from gitlab.v4.objects import ProjectMergeRequest, ProjectMergeRequestManager

from thirdshift.adapters.forge.faults import already_there, fault, unreachable
from thirdshift.core.forge import ForgeRequest, RequestDraft

_CONFLICT = 409
_ONCE: dict[str, Any] = {"obey_rate_limit": False, "retry_transient_errors": False}
"""Temporal tries again, and holds no worker meanwhile."""


class GitLabForge:
    """Implements ``core.forge.Forge``. ``url`` is the server's, such as ``https://gitlab.com``."""

    def __init__(self, url: str, token: str, timeout_seconds: int = 30) -> None:
        self._where = url
        self._client = Gitlab(
            url, private_token=token, timeout=timeout_seconds, keep_base_url=True, user_agent="thirdshift"
        )

    def requests_of(self, project: str, head: str) -> tuple[ForgeRequest, ...]:
        """See the port."""
        with self._speaking():
            found = self._requests(project).list(
                source_branch=head, state="all", order_by="created_at", sort="desc", get_all=True, **_ONCE
            )
            return tuple(_request(one) for one in found)

    def open_request(self, draft: RequestDraft) -> ForgeRequest:
        """See the port. GitLab itself keeps a second open request from the same branch out."""
        fields = {
            "source_branch": draft.head,
            "target_branch": draft.base,
            "title": draft.title,
            "description": draft.body,
        }
        try:
            return _request(self._requests(draft.project).create(fields, **_ONCE))
        except GitlabError as error:
            if error.response_code == _CONFLICT:
                raise already_there(self._where) from error
            raise self._fault(error) from error
        except requests.RequestException as error:
            raise unreachable(self._where, error) from error

    def rewrite(self, draft: RequestDraft, number: int) -> ForgeRequest:
        """See the port."""
        with self._speaking():
            requests_ = self._requests(draft.project)
            changes = {"title": draft.title, "description": draft.body, "target_branch": draft.base}
            requests_.update(number, changes, **_ONCE)
            return _request(requests_.get(number, **_ONCE))

    def _requests(self, project: str) -> ProjectMergeRequestManager:
        return self._client.projects.get(project, lazy=True).mergerequests

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except GitlabError as error:
            raise self._fault(error) from error
        except requests.RequestException as error:
            raise unreachable(self._where, error) from error

    def _fault(self, error: GitlabError) -> Exception:
        if error.response_code is None:
            return unreachable(self._where, error)
        return fault(self._where, error.response_code, str(error.error_message))


def _request(found: ProjectMergeRequest) -> ForgeRequest:
    facts = found.attributes
    state = facts["state"]
    return ForgeRequest(
        number=facts["iid"],
        url=facts["web_url"],
        state="merged" if state == "merged" else "closed" if state == "closed" else "open",
        body=(facts.get("description") or "").replace("\r\n", "\n"),
        merge_commit=facts.get("squash_commit_sha") or facts.get("merge_commit_sha") or "",
    )
