from __future__ import annotations

import asyncio

import pytest

from tests.fakes.wire.http_server import Recorded, Reply, WireServer
from thirdshift.adapters.notifier import AppriseNotifier
from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.notices import Notice, NoticeNotSent, gate_notice
from thirdshift.core.spec import GateKind

NOTICE = Notice(title="gate 1", body="line one\nline two")


def hook(status: int = 200) -> WireServer:
    def answers(request: Recorded) -> Reply:
        return Reply(chunks=(b"{}",), status=status, framing="length")

    return WireServer(answers)


async def test_a_reviewer_and_everybody_are_told_each_on_their_own_address() -> None:
    async with hook() as server:
        where = f"json://127.0.0.1:{server.port}"
        notifier = AppriseNotifier({"ada": [f"{where}/ada"], "bob": [f"{where}/bob"], "everybody": [f"{where}/all"]})
        await asyncio.to_thread(notifier.send, NOTICE, ["Ada"])
        assert [request.path for request in server.requests] == ["/ada", "/all"]
        assert server.requests[0].json["title"] == "gate 1"
        assert server.requests[0].json["message"] == "line one\nline two"


async def test_a_service_that_refuses_is_named_by_whom_it_was_to_reach_and_not_by_its_address() -> None:
    async with hook(500) as server:
        notifier = AppriseNotifier({"ada": [f"json://user:secret@127.0.0.1:{server.port}/"]})
        with pytest.raises(NoticeNotSent) as refused:
            await asyncio.to_thread(notifier.send, NOTICE, ["ada"])
    assert "ada" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_an_address_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        AppriseNotifier({"ada": ["nosuchservice://token-12345"]})
    assert "address 1 of 'ada'" in str(refused.value)
    assert "token-12345" not in str(refused.value)


def test_a_notice_says_what_waits_and_begins_with_the_gate() -> None:
    notice = gate_notice("Round half up\n", "job-1", 3, GateKind.MERGE, "reminder", ["http://here/gate"])
    assert notice.title == "[thirdshift] gate 3 (merge): Round half up"
    assert "Gate 3 (merge) of job-1 still waits for your decision." in notice.body
    assert notice.body.endswith("http://here/gate")
