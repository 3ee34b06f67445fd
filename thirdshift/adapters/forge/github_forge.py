"""GitHub and GitHub Enterprise, by PyGithub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from github import Auth, Github, GithubException
from github.PullRequest import PullRequest

from thirdshift.adapters.forge.faults import already_there, fault, unreachable
from thirdshift.core.forge import ForgeRequest, RequestDraft

_UNPROCESSABLE = 422


class GitHubForge:
    """Implements ``core.forge.Forge``. ``url`` is the API's, such as ``https://api.github.com``."""

    def __init__(self, url: str, token: str, timeout_seconds: int = 30) -> None:
        self._where = url
        self._client = Github(
            auth=Auth.Token(token),
            base_url=url,
            timeout=timeout_seconds,
            retry=0,  # Temporal tries again, and holds no worker meanwhile
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="thirdshift",
            lazy=True,  # a repository is not asked for before its pull requests are
        )

    def requests_of(self, project: str, head: str) -> tuple[ForgeRequest, ...]:
        """See the port."""
        owner = project.partition("/")[0]
        with self._speaking():
            repository = self._client.get_repo(project)
            found = repository.get_pulls(state="all", head=f"{owner}:{head}", sort="created", direction="desc")
            return tuple(_request(pull) for pull in found)

    def open_request(self, draft: RequestDraft) -> ForgeRequest:
        """See the port. GitHub itself keeps a second open request from the same branch out."""
        try:
            repository = self._client.get_repo(draft.project)
            return _request(
                repository.create_pull(base=draft.base, head=draft.head, title=draft.title, body=draft.body)
            )
        except GithubException as error:
            if error.status == _UNPROCESSABLE and "already exists" in str(error.data):
                raise already_there(self._where) from error
            raise fault(self._where, error.status, _said(error), error.headers) from error
        except requests.RequestException as error:
            raise unreachable(self._where, error) from error

    def rewrite(self, draft: RequestDraft, number: int) -> ForgeRequest:
        """See the port."""
        with self._speaking():
            pull = self._client.get_repo(draft.project).get_pull(number)
            pull.edit(title=draft.title, body=draft.body, base=draft.base)
            return _request(pull)

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except GithubException as error:
            raise fault(self._where, error.status, _said(error), error.headers) from error
        except requests.RequestException as error:
            raise unreachable(self._where, error) from error


def _request(pull: PullRequest) -> ForgeRequest:
    merged = pull.merged_at is not None
    return ForgeRequest(
        number=pull.number,
        url=pull.html_url,
        state="merged" if merged else "closed" if pull.state == "closed" else "open",
        body=(pull.body or "").replace("\r\n", "\n"),
        merge_commit=(pull.merge_commit_sha or "") if merged else "",
    )


def _said(error: GithubException) -> str:
    data = error.data
    if not isinstance(data, dict):
        return str(data or error.message or "")
    details = [str(part.get("message", part)) for part in data.get("errors") or [] if isinstance(part, dict)]
    return "; ".join([str(data.get("message", "")), *details])
