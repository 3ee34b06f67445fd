"""Stamps on the events of a history, made by hand: the embedded server has no authorizer, so it sets none."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from temporalio.api.common.v1 import Payload, Payloads, Principal
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.testing import WorkflowEnvironment

from tests.workflows.time_skipping import time_skipping_server
from thirdshift.adapters.engine.principals import PrincipalReader, vouched
from thirdshift.core.gates import GateAnswer, GateVerdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TREE = "a" * 40


def accepted(update: str, given: object, principal: str = "") -> HistoryEvent:
    """What a server writes down when a workflow has accepted an update."""
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
    asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
    asked.name = update
    asked.args.CopyFrom(Payloads(payloads=[Payload(data=json.dumps(given).encode())]))
    if principal:
        event.principal.CopyFrom(Principal(type="jwt", name=principal))
    return event


def decision(gate: int, verdict: str, reviewer: str, principal: str = "") -> HistoryEvent:
    given = {"gate": gate, "verdict": verdict, "tree": TREE, "reviewer": reviewer, "note": "because"}
    return accepted("decide", given, principal)


def answer(reviewer: str, verdict: GateVerdict = GateVerdict.APPROVE) -> GateAnswer:
    return GateAnswer(verdict=verdict, reviewer=reviewer, at=NOW)


def names(events: list[HistoryEvent], seq: int, *answers: GateAnswer) -> list[str]:
    return [one.verified_as for one in vouched(reversed(events), seq, answers)]


def test_an_answer_is_whose_the_server_says_it_is() -> None:
    events = [
        accepted("approve-g3-aaaaaaaaaaaa", "ada", "ada@example.org"),
        decision(3, "reject", "Bob", "bob@example.org"),
    ]
    assert names(events, 3, answer("ada"), answer("bob", GateVerdict.REJECT)) == ["ada@example.org", "bob@example.org"]


def test_without_a_stamp_a_name_stays_a_claim() -> None:
    assert names([decision(3, "approve", "ada")], 3, answer("ada")) == [""]


def test_stamps_on_other_gates_and_other_updates_vouch_for_nothing() -> None:
    events = [
        decision(2, "approve", "ada", "ada@example.org"),
        accepted("approve-g31-aaaaaaaaaaaa", "ada", "ada@example.org"),
        accepted("steer", {"reviewer": "ada", "text": "x"}, "ada@example.org"),
        accepted("decide", "no answer", "ada@example.org"),
        HistoryEvent(principal=Principal(name="ada@example.org")),
    ]
    assert names(events, 3, answer("ada")) == [""]


def test_a_name_that_somebody_else_used_is_told_with_the_name_of_who_used_it() -> None:
    assert names([decision(3, "approve", "ada", "mallory@example.org")], 3, answer("ada")) == ["mallory@example.org"]


def test_the_newest_acceptance_counts_and_each_vouches_for_one_answer() -> None:
    events = [decision(3, "approve", "ada", "old@example.org"), decision(3, "approve", "ada", "new@example.org")]
    assert names(events, 3, answer("ada")) == ["new@example.org"]
    assert names(events, 3, answer("ada"), answer("ada")) == ["old@example.org", "new@example.org"]


@pytest.fixture(name="server")
async def _server() -> object:
    async with time_skipping_server() as environment:
        yield environment


async def test_a_server_that_tells_nothing_leaves_answers_as_they_were(server: WorkflowEnvironment) -> None:
    reader = PrincipalReader(server.client)
    assert await reader.vouched("nobody", "", 1, (answer("ada"),)) == (answer("ada"),)
