"""What is written into the books has lost its secrets before, once, and stays the same bytes from then on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.ledger.books import JOB, LOOP, NOW, Books, answer, held, opening, results_of
from thirdshift.adapters.ledger import open_discreet_ledger
from thirdshift.core.conversation import Text, ToolCall, said_by_user
from thirdshift.core.delivery import Delivered
from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.ledger import AttemptClosing, JobClosing
from thirdshift.core.outcomes import DeliveryRow
from thirdshift.core.spec import Delivery
from thirdshift.core.text import REDACTED, Redactor

KEY = "operator-key-3391-fox"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def books(place: Path) -> Iterator[Books]:
    ledger = open_discreet_ledger(f"sqlite:///{place}", Redactor([KEY]))
    made = Books(ledger, f"sqlite:///{place}")
    made.begin()
    yield made
    ledger.close()


def everything(place: Path) -> str:
    with sqlite3.connect(place) as connection:
        return "\n".join(connection.iterdump())


def settled(books: Books, step: int, text: str) -> int:
    call_id = held(books.ledger.place_hold(opening(step=step)))
    given = answer(text)
    parts = (Text(text=text), ToolCall(id=f"c{step}", name="bash", arguments={"command": f"echo {text}"}))
    given = given.model_copy(update={"message": given.message.model_copy(update={"parts": parts})})
    return books.ledger.settle(call_id, given, 400, 1.0, NOW)


def test_nothing_that_a_job_writes_into_the_books_holds_a_known_value(books: Books, place: Path) -> None:
    ledger = books.ledger
    call_id = settled(books, 1, f"the key is {KEY}")
    ledger.put_tool_run(results_of(call_id, f"I saw {KEY}"), NOW)
    ledger.say(LOOP, 1, said_by_user(f"use {KEY}"), "ada")
    ledger.note(JOB, "note", f"note of {KEY}", {"where": KEY}, NOW)
    lost = held(ledger.place_hold(opening(step=2)))
    ledger.mark_unknown(lost, f"401: {KEY} is wrong", NOW)
    ledger.release(lost, f"401: {KEY} is wrong", NOW)
    ledger.close_attempt(
        AttemptClosing(owner_id=LOOP, number=1, end=AttemptEnd.STOPPED, evidence=KEY, verdict_id=None, closed_at=NOW)
    )
    delivered = Delivered(done=False, kind=Delivery.PUSH, detail=f"no push with {KEY}")
    ledger.put_delivery(
        DeliveryRow(
            job_id=JOB, run_id="r", repository="/srv/invoices", base_commit="c" * 40, delivered=delivered, at=NOW
        )
    )
    ledger.close_job(
        JobClosing(
            job_id=JOB,
            stop_reason=StopReason.UNDELIVERED,
            evidence=f"no push with {KEY}",
            branch="",
            commit="",
            tree="t" * 40,
            remedy="",
            closed_at=NOW,
        )
    )
    dump = everything(place)
    assert KEY not in dump
    assert dump.count(REDACTED) >= 9


def test_the_prefix_of_a_conversation_stays_the_same_bytes_from_step_to_step_and_process_to_process(
    books: Books, place: Path
) -> None:
    before: list[str] = []
    for step in range(1, 6):
        call_id = settled(books, step, f"step {step} with {KEY} and sk-proj-0123456789abcdefghij{step}")
        books.ledger.put_tool_run(results_of(call_id, f"result {step}"), NOW)
        other = open_discreet_ledger(f"sqlite:///{place}", Redactor())
        for ledger in (books.ledger, other):
            now = [message.model_dump_json() for message in ledger.conversation(LOOP, 1).messages]
            assert now[: len(before)] == before
        other.close()
        before = now
    assert len(before) == 11


def test_the_stored_answer_is_the_one_that_the_conversation_has(books: Books) -> None:
    call_id = settled(books, 1, f"the key is {KEY}")
    stored = books.ledger.answer(call_id).message
    assert stored == books.ledger.conversation(LOOP, 1).messages[-1]
    assert stored.text == f"the key is {REDACTED}"
