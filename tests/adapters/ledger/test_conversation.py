from __future__ import annotations

import pytest

from tests.adapters.ledger.books import LOOP, NOW, USAGE, Books, answer, attempt_row, held, key, opening, results_of
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.conversation import said_by_user
from thirdshift.core.ledger import Answered


def texts(books: Books, before_step: int | None = None) -> list[str]:
    found = books.ledger.conversation(LOOP, 1, before_step).messages
    return [message.text or message.parts[0].text for message in found]  # type: ignore[union-attr]


def test_a_conversation_is_its_opening_then_answers_and_results_in_order(books: Books) -> None:
    books.step(1)
    books.step(2)
    assert texts(books) == ["Make the totals right.", "answer 1", "result 1", "answer 2", "result 2"]
    conversation = books.ledger.conversation(LOOP, 1)
    assert conversation.steps == 2
    assert conversation.attempt == attempt_row()


def test_a_conversation_that_was_never_opened_is_a_key_error(books: Books) -> None:
    with pytest.raises(KeyError, match="no attempt 4 of loop-1"):
        books.ledger.conversation(LOOP, 4)


def test_the_same_attempt_opened_twice_is_one(books: Books) -> None:
    books.ledger.open_attempt(attempt_row(opening=(said_by_user("something else"),)))
    assert texts(books) == ["Make the totals right."]


def test_a_step_asked_for_again_sees_what_its_first_request_saw(books: Books) -> None:
    books.step(1)
    before = books.ledger.conversation(LOOP, 1)
    books.step(2)
    books.ledger.say(LOOP, 1, said_by_user("Try the other file."), "ada")
    books.step(3)
    assert books.ledger.conversation(LOOP, 1, before_step=2) == before


def test_words_that_arrive_while_tools_run_come_after_the_results(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(step=1)))
    books.ledger.settle(call_id, answer("answer 1", tool="bash"), 400, 1.0, NOW)
    books.ledger.say(LOOP, 1, said_by_user("Mind the rounding."), "ada")
    books.ledger.put_tool_run(results_of(call_id, "result 1"), NOW)
    assert texts(books)[1:] == ["answer 1", "result 1", "Mind the rounding."]


def test_words_that_arrive_while_a_call_is_in_flight_do_not_change_what_was_sent(books: Books) -> None:
    books.step(1)
    sent = texts(books)
    call_id = held(books.ledger.place_hold(opening(step=2, sent_messages=len(sent))))
    books.ledger.say(LOOP, 1, said_by_user("Mind the rounding."), "ada")
    books.ledger.settle(call_id, answer("answer 2"), 400, 1.0, NOW)
    assert texts(books) == [*sent, "answer 2", "Mind the rounding."]


def test_the_same_words_after_the_same_step_are_said_once(books: Books) -> None:
    for _ in range(2):
        books.ledger.say(LOOP, 1, said_by_user("Go on."), "thirdshift")
    books.step(1)
    books.ledger.say(LOOP, 1, said_by_user("Go on."), "thirdshift")
    assert texts(books).count("Go on.") == 2


def test_bytes_since_usage_are_those_of_what_the_last_reported_request_did_not_carry(books: Books) -> None:
    first = books.ledger.conversation(LOOP, 1)
    assert first.last_usage is None
    assert first.bytes_since_usage == len(first.messages[0].model_dump_json().encode())
    books.step(1)
    books.step(2)
    after = books.ledger.conversation(LOOP, 1)
    assert after.last_usage == USAGE
    appended = after.messages[3:]
    assert after.bytes_since_usage == sum(len(message.model_dump_json().encode()) for message in appended)


def test_words_that_may_have_missed_the_request_count_as_appended(books: Books) -> None:
    books.step(1)
    books.ledger.say(LOOP, 1, said_by_user("Mind the rounding."), "ada")
    call_id = held(books.ledger.place_hold(opening(step=2)))
    books.ledger.settle(call_id, answer("answer 2"), 400, 1.0, NOW)
    messages = books.ledger.conversation(LOOP, 1).messages
    expected = sum(len(message.model_dump_json().encode()) for message in messages[3:])
    assert books.ledger.conversation(LOOP, 1).bytes_since_usage == expected


def test_what_another_process_adds_is_seen_at_the_next_read(books: Books) -> None:
    assert texts(books) == ["Make the totals right."]
    other = open_ledger(books.url)
    Books(other, books.url).step(1)
    other.close()
    assert texts(books) == ["Make the totals right.", "answer 1", "result 1"]


def test_results_of_an_answer_that_does_not_stand_stay_out_of_the_conversation(books: Books) -> None:
    first = held(books.ledger.place_hold(opening(step=1)))
    second = held(books.ledger.place_hold(opening(step=1, key=key("step-1", attempt=2))))
    books.ledger.settle(second, answer("answer 2", tool="bash"), 400, 1.0, NOW)
    books.ledger.settle(first, answer("late", tool="bash"), 400, 1.0, NOW)
    books.ledger.put_tool_run(results_of(first, "late result"), NOW)
    books.ledger.put_tool_run(results_of(second, "result"), NOW)
    assert texts(books)[1:] == ["answer 2", "result"]


def test_tool_runs_are_stored_once(books: Books) -> None:
    call_id = books.step(1)
    books.ledger.put_tool_run(results_of(call_id, "again"), NOW)
    stored = books.ledger.tool_run(call_id)
    assert stored is not None
    assert stored.results == results_of(call_id, "result 1").results
    assert len(texts(books)) == 3
    assert books.ledger.tool_run(999) is None


def test_an_answer_survives_reopening_the_books(books: Books) -> None:
    call_id = books.step(1)
    books.ledger.close()
    again = open_ledger(books.url)
    assert again.answer(call_id) == answer("answer 1", tool="bash")
    assert again.place_hold(opening(step=1, key=key("step-1", attempt=2))) == Answered(call_id=call_id)
    again.close()
