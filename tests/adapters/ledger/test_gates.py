from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.adapters.ledger.books import JOB, LOOP, NOW, Books
from thirdshift.core.gate_book import GateOpening, verified_reviewers
from thirdshift.core.gates import GateAnswer, GateEnd, GateVerdict
from thirdshift.core.spec import GateKind


def opening(key: str = "run/1", **fields: Any) -> GateOpening:
    values: dict[str, Any] = {
        "open_key": key,
        "job_id": JOB,
        "owner_id": LOOP,
        "kind": GateKind.FRONTIER,
        "tree": "a" * 40,
        "reason": "every cheap attempt failed",
        "reviewers": ("ada", "bob"),
        "opened_at": NOW,
    }
    return GateOpening(**(values | fields))


def answer(reviewer: str = "ada", verdict: GateVerdict = GateVerdict.APPROVE, **fields: Any) -> GateAnswer:
    return GateAnswer(verdict=verdict, reviewer=reviewer, at=NOW + timedelta(minutes=1), **fields)


def told(books: Books) -> list[str]:
    return [entry.text for entry in books.ledger.journal(JOB, 0) if entry.kind.startswith("gate")]


def test_gates_of_a_job_are_numbered_through_whoever_opens_them(books: Books) -> None:
    assert books.ledger.open_gate(opening("run/1")) == 1
    assert books.ledger.open_gate(opening("run/2", owner_id=JOB, kind=GateKind.MERGE)) == 2
    assert [(g.seq, g.owner_id, g.kind, g.end) for g in books.ledger.gates(JOB)] == [
        (1, LOOP, GateKind.FRONTIER, None),
        (2, JOB, GateKind.MERGE, None),
    ]


def test_a_retried_opening_is_the_same_gate(books: Books) -> None:
    assert books.ledger.open_gate(opening()) == books.ledger.open_gate(opening())
    assert len(books.ledger.gates(JOB)) == 1
    assert len(told(books)) == 1


def test_answers_and_the_end_are_kept_once_and_told_once(books: Books) -> None:
    seq = books.ledger.open_gate(opening())
    first, second = answer("ada"), answer("bob", usd_nano=500_000_000, note="go on")
    books.ledger.decide_gate(JOB, seq, [first], None, NOW)
    for _ in range(2):
        books.ledger.decide_gate(JOB, seq, [second], GateEnd.APPROVED, NOW)
    (gate,) = books.ledger.gates(JOB)
    assert [given.answer for given in gate.answers] == [first, second]
    assert {given.identity for given in gate.answers} == {"claimed"}
    assert (gate.end, gate.closed_at) == (GateEnd.APPROVED, NOW)
    assert told(books)[1:] == [
        "gate 1: approve by ada (claimed)",
        "gate 1: approve by bob (claimed), raises by $0.5: go on",
        "gate 1 (frontier): approved",
    ]


def test_open_gates_are_listed_oldest_first_and_closed_ones_left_out(books: Books) -> None:
    late = books.ledger.open_gate(opening("run/1", opened_at=NOW + timedelta(days=1)))
    early = books.ledger.open_gate(opening("run/2"))
    closed = books.ledger.open_gate(opening("run/3"))
    books.ledger.decide_gate(JOB, closed, [], GateEnd.WITHDRAWN, NOW)
    assert [gate.seq for gate in books.ledger.gates(only_open=True)] == [early, late]


def test_a_gate_of_no_job_and_an_answer_to_no_gate_are_refused(books: Books) -> None:
    with pytest.raises(KeyError, match="no job"):
        books.ledger.open_gate(opening(job_id="job-none"))
    with pytest.raises(KeyError, match="no gate 7"):
        books.ledger.decide_gate(JOB, 7, [answer()], None, NOW)


def test_an_answer_that_the_server_vouches_for_is_kept_under_that_name(books: Books) -> None:
    seq = books.ledger.open_gate(opening())
    same, other = answer("ada", verified_as="Ada"), answer("bob", verified_as="mallory@example.org", note="go on")
    for _ in range(2):
        books.ledger.decide_gate(JOB, seq, [same, other], GateEnd.APPROVED, NOW)
    (gate,) = books.ledger.gates(JOB)
    kept = [(given.answer.reviewer, given.identity, given.answer.note) for given in gate.answers]
    assert kept == [
        ("Ada", "verified", ""),
        ("mallory@example.org", "verified", "[claimed to be bob] go on"),
    ]
    assert told(books)[1:3] == [
        "gate 1: approve by Ada (verified)",
        "gate 1: approve by mallory@example.org (verified): [claimed to be bob] go on",
    ]


def test_only_verified_approvals_of_the_very_tree_that_is_merged_are_named_in_a_delivery(books: Books) -> None:
    merge = books.ledger.open_gate(opening(kind=GateKind.MERGE))
    given = [answer("ada", verified_as="ada"), answer("bob"), answer("eve", GateVerdict.REJECT, verified_as="eve")]
    books.ledger.decide_gate(JOB, merge, given, GateEnd.REJECTED, NOW)
    gates = books.ledger.gates(JOB)
    assert verified_reviewers(gates, "a" * 40) == ("ada",)
    assert verified_reviewers(gates, "b" * 40) == ()
