from __future__ import annotations

import pytest

from thirdshift.core.delivery import branch_names, forge_address
from thirdshift.core.forge import ForgeRequest, RequestDraft, ensure_request


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/team/app.git", ("github.com", "team/app")),
        ("https://user:secret@GitLab.example:8443/group/sub/app", ("gitlab.example", "group/sub/app")),
        ("ssh://git@far.example:22/team/app.git/", ("far.example", "team/app")),
        ("git@github.com:team/app.git", ("github.com", "team/app")),
        ("github.com:/team/app", ("github.com", "team/app")),
        ("ssh://***@far.example/team/app", ("far.example", "team/app")),
        ("https://github.com/app", None),
        ("/srv/git/app.git", None),
        ("../far.git", None),
    ],
)
def test_host_and_project_are_read_from_the_url_of_a_repository(url: str, found: tuple[str, str] | None) -> None:
    assert forge_address(url) == found


def test_unfinished_work_has_a_name_that_nobody_takes_for_accepted() -> None:
    assert branch_names("job-1", accepted=True)[:2] == ("thirdshift/job-1", "thirdshift/job-1-2")
    assert branch_names("job-1", accepted=False)[0] == "thirdshift/job-1-unfinished"
    assert len(branch_names("job-1", accepted=True)) == 9


class PlayedForge:
    """Implements ``core.forge.Forge`` on a list."""

    def __init__(self, *held: ForgeRequest) -> None:
        self.held = list(held)
        self.did: list[str] = []

    def requests_of(self, project: str, head: str) -> tuple[ForgeRequest, ...]:
        return tuple(self.held)

    def open_request(self, draft: RequestDraft) -> ForgeRequest:
        self.did.append("open")
        return ForgeRequest(number=99, url="u", state="open", body=draft.body)

    def rewrite(self, draft: RequestDraft, number: int) -> ForgeRequest:
        self.did.append(f"rewrite {number}")
        return ForgeRequest(number=number, url="u", state="open", body=draft.body)


DRAFT = RequestDraft(project="a/b", head="h", base="main", title="t", body="x\nRun-Id: 1\n", marker="Run-Id: 1")


@pytest.mark.parametrize("state", ["open", "closed", "merged"])
def test_a_request_of_the_same_run_is_taken_as_it_is(state: str) -> None:
    held = ForgeRequest.model_validate({"number": 3, "url": "u", "state": state, "body": "edited\nRun-Id: 1\nmore"})
    forge = PlayedForge(held)
    assert ensure_request(forge, DRAFT) == held
    assert forge.did == []


def test_a_marker_that_only_begins_the_same_is_another_runs() -> None:
    forge = PlayedForge(ForgeRequest(number=3, url="u", state="closed", body="Run-Id: 12"))
    assert ensure_request(forge, DRAFT).number == 99
    assert forge.did == ["open"]


def test_an_open_request_of_another_run_is_rewritten_and_not_doubled() -> None:
    forge = PlayedForge(
        ForgeRequest(number=4, url="u", state="closed", body=""),
        ForgeRequest(number=3, url="u", state="open", body="Run-Id: 0"),
    )
    assert ensure_request(forge, DRAFT).number == 3
    assert forge.did == ["rewrite 3"]
