"""Both clients against loopback servers that speak the real APIs: one conformance suite, run on each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.forge.github_api import github_api
from tests.fakes.forge.gitlab_api import gitlab_api
from tests.fakes.forge.server import TOKEN, Answer, Asked, ForgeServer, Mishap, serving
from thirdshift.adapters.forge.build import build_forge
from thirdshift.core.errors import DeliveryRefused, ForgeUnavailable
from thirdshift.core.forge import Forge, RequestDraft, ensure_request

APIS = {"github": github_api, "gitlab": gitlab_api}
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=APIS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str) -> Iterator[ForgeServer]:
    with serving(APIS[kind]) as forge:
        yield forge


@pytest.fixture
def forge(kind: str, server: ForgeServer) -> Forge:
    return build_forge(kind, server.url, TOKEN)


def draft(run: str = "run-1", **changes: str) -> RequestDraft:
    fields = {
        "project": "team/app",
        "head": "thirdshift/job-1",
        "base": "main",
        "title": "Say hello",
        "body": f"## Acceptance\n\nTree: x\nRun-Id: {run}\n",
        "marker": f"Run-Id: {run}",
    }
    return RequestDraft(**{**fields, **changes})


def test_a_request_is_made_with_its_branches_title_and_body(forge: Forge, server: ForgeServer) -> None:
    made = ensure_request(forge, draft())
    (found,) = server.requests
    assert (found.project, found.head, found.base) == ("team/app", "thirdshift/job-1", "main")
    assert (found.title, found.body) == ("Say hello", draft().body)
    assert (made.number, made.state) == (1, "open")
    assert made.url.endswith("/1")


def test_the_same_request_again_is_no_second_one(forge: Forge, server: ForgeServer) -> None:
    first = ensure_request(forge, draft())
    assert ensure_request(forge, draft()) == first
    assert len(server.requests) == 1


def test_a_request_whose_answer_was_lost_is_found_again(forge: Forge, server: ForgeServer) -> None:
    server.mishaps["POST"] = ["drop_after"]
    with pytest.raises(ForgeUnavailable, match="gave no answer"):
        ensure_request(forge, draft())
    assert ensure_request(forge, draft()).number == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize("mishap", ["drop_before", "500", "html"])
def test_a_forge_that_is_down_is_to_be_asked_again_and_is_asked_once(
    forge: Forge, server: ForgeServer, mishap: Mishap
) -> None:
    for method in ("GET", "POST"):
        server.asked.clear()
        server.mishaps[method] = [mishap]
        with pytest.raises(ForgeUnavailable):
            ensure_request(forge, draft())
        assert [asked.method for asked in server.asked].count(method) == 1
    assert ensure_request(forge, draft()).number == 1


def test_a_rate_limit_says_how_long_to_wait(kind: str, forge: Forge, server: ForgeServer) -> None:
    server.mishaps["GET"] = ["rate_limit"] if kind == "github" else ["429"]
    with pytest.raises(ForgeUnavailable) as told:
        forge.requests_of("team/app", "thirdshift/job-1")
    if kind == "github":
        assert told.value.retry_after_seconds == 7


@pytest.mark.parametrize(("mishap", "words"), [("401", "make a new one"), ("403", "give it the right")])
def test_a_token_that_may_not_is_said_once_and_for_all(
    forge: Forge, server: ForgeServer, mishap: Mishap, words: str
) -> None:
    server.mishaps["GET"] = [mishap]
    with pytest.raises(DeliveryRefused, match=words):
        ensure_request(forge, draft())


def test_a_project_that_the_token_may_not_see_is_said(forge: Forge) -> None:
    with pytest.raises(DeliveryRefused, match="no such project"):
        ensure_request(forge, draft(project="hidden/app"))


def test_a_wrong_token_never_appears_in_what_is_said(kind: str, server: ForgeServer) -> None:
    with pytest.raises(DeliveryRefused) as told:
        build_forge(kind, server.url, "another-secret").requests_of("team/app", "x")
    assert "another-secret" not in str(told.value)


def test_a_request_that_a_person_closed_is_not_made_again(forge: Forge, server: ForgeServer) -> None:
    ensure_request(forge, draft())
    server.requests[0].state = "closed"
    assert ensure_request(forge, draft()).state == "closed"
    assert len(server.requests) == 1


def test_a_merged_request_is_known_with_its_commit(forge: Forge, server: ForgeServer) -> None:
    ensure_request(forge, draft())
    server.requests[0].state, server.requests[0].merge_commit = "merged", "a" * 40
    (found,) = forge.requests_of("team/app", "thirdshift/job-1")
    assert (found.state, found.merge_commit) == ("merged", "a" * 40)


def test_an_open_request_of_an_earlier_run_becomes_this_runs(forge: Forge, server: ForgeServer) -> None:
    ensure_request(forge, draft("run-1"))
    made = ensure_request(forge, draft("run-2", title="Say hello again"))
    assert made.number == 1
    (found,) = server.requests
    assert (found.title, "Run-Id: run-2" in found.body) == ("Say hello again", True)


def test_a_new_run_after_a_closed_request_makes_another(forge: Forge, server: ForgeServer) -> None:
    ensure_request(forge, draft("run-1"))
    server.requests[0].state = "closed"
    assert ensure_request(forge, draft("run-2")).number == 2


def test_requests_of_other_branches_and_projects_are_not_taken_for_ours(forge: Forge, server: ForgeServer) -> None:
    ensure_request(forge, draft(head="other"))
    ensure_request(forge, draft(project="team/other"))
    assert ensure_request(forge, draft()).number == 3
    assert len(server.requests) == 3


def test_two_workers_at_once_make_one_request(kind: str, server: ForgeServer) -> None:
    """Both look, and see none; then both ask. The forge lets one in, and the other one finds it."""
    both_looked = threading.Barrier(2)
    found: list[int] = []

    def work() -> None:
        forge = build_forge(kind, server.url, TOKEN)
        assert not forge.requests_of("team/app", "thirdshift/job-1")
        both_looked.wait(30)
        try:
            found.append(forge.open_request(draft()).number)
        except ForgeUnavailable:
            found.append(ensure_request(forge, draft()).number)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [1, 1]
    assert len(server.requests) == 1


KILLED = """
import sys
from thirdshift.adapters.forge.build import build_forge
from thirdshift.core.forge import RequestDraft, ensure_request
ensure_request(build_forge(sys.argv[1], sys.argv[2], sys.argv[3]), RequestDraft.model_validate_json(sys.argv[4]))
"""


@pytest.mark.parametrize("moment", ["looking", "before it is made", "after it is made"])
def test_a_worker_killed_at_any_moment_leaves_one_request(kind: str, moment: str) -> None:
    process: list[subprocess.Popen[bytes]] = []

    def api(forge: ForgeServer, asked: Asked) -> Answer:
        at = "looking" if asked.method == "GET" else "before it is made"
        made = APIS[kind](forge, asked) if at != moment else Answer(500, {})
        if process and (at == moment or (moment == "after it is made" and asked.method == "POST")):
            process.pop().send_signal(signal.SIGKILL)
        return made

    with serving(api) as server:
        command = [sys.executable, "-c", KILLED, kind, server.url, TOKEN, draft().model_dump_json()]
        environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
        started = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        process.append(started)
        assert started.wait(60) == -signal.SIGKILL
        moment = "never"
        assert ensure_request(build_forge(kind, server.url, TOKEN), draft()).number == 1
        assert len(server.requests) == 1
