from __future__ import annotations

import pytest

from tests.adapters.ledger.books import JOB, LOOP, NOW, Books, attempt_row, job_row, later, loop_row, verdict
from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.ledger import AttemptClosing, JobClosing, JournalEntry, SpecDoc


def kinds(books: Books, after: int = 0) -> list[str]:
    return [entry.kind for entry in books.ledger.journal(JOB, after)]


def last(books: Books) -> JournalEntry:
    return books.ledger.journal(JOB, 0)[-1]


def ended(**fields: object) -> AttemptClosing:
    values: dict[str, object] = {
        "owner_id": LOOP,
        "number": 1,
        "end": AttemptEnd.FINISHED,
        "evidence": "",
        "verdict_id": None,
        "closed_at": NOW,
    }
    return AttemptClosing.model_validate({**values, **fields})


def closed(reason: StopReason = StopReason.ACCEPTED, **fields: object) -> JobClosing:
    values: dict[str, object] = {
        "job_id": JOB,
        "stop_reason": reason,
        "evidence": "all checks pass",
        "branch": "thirdshift/job-1",
        "commit": "k" * 40,
        "tree": "n" * 40,
        "remedy": "",
        "closed_at": later(60),
    }
    return JobClosing.model_validate({**values, **fields})


def test_specs_are_kept_by_content(books: Books) -> None:
    doc = SpecDoc(id="abc", text="---\ntitle: x\n---\n", holdout={"test_cents.py": "YWJj"})
    books.ledger.put_spec(doc)
    books.ledger.put_spec(doc)
    assert books.ledger.get_spec("abc") == doc
    with pytest.raises(KeyError, match="no spec ffff"):
        books.ledger.get_spec("ffff")


def test_a_job_is_opened_once_and_read_back_as_it_was(books: Books) -> None:
    assert books.ledger.open_job(job_row("job-2", budget_nano=None)) is True
    assert books.ledger.open_job(job_row("job-2", title="another", submitted_at=later(5))) is False
    assert books.ledger.read_job("job-2") == job_row("job-2", budget_nano=None)
    with pytest.raises(KeyError, match="no job job-3"):
        books.ledger.read_job("job-3")


def test_a_loop_or_an_attempt_of_no_job_is_refused(books: Books) -> None:
    with pytest.raises(KeyError):
        books.ledger.open_loop(loop_row("loop-9", "job-9"))
    with pytest.raises(KeyError):
        books.ledger.open_attempt(attempt_row("loop-9", 1, "job-9"))
    with pytest.raises(KeyError):
        books.ledger.conversation("loop-9", 1)


def test_a_verdict_is_kept_once_for_each_tree_of_an_attempt(books: Books) -> None:
    first = books.ledger.put_verdict(LOOP, 1, verdict(), NOW)
    assert books.ledger.put_verdict(LOOP, 1, verdict(unit=False), NOW) == first
    assert books.ledger.put_verdict(LOOP, 1, verdict("m" * 40), NOW) != first
    assert books.ledger.put_verdict(LOOP, 0, verdict(), NOW) != first
    assert books.ledger.get_verdict(first) == verdict()
    with pytest.raises(KeyError):
        books.ledger.get_verdict(999)


def test_a_plan_is_kept_and_told_once(books: Books) -> None:
    assert books.ledger.get_plan(JOB) is None
    books.ledger.put_plan(JOB, '{"approach": "x"}', NOW)
    books.ledger.put_plan(JOB, '{"approach": "x"}', NOW)
    assert books.ledger.get_plan(JOB) == '{"approach": "x"}'
    assert kinds(books).count("plan") == 1
    with pytest.raises(KeyError):
        books.ledger.put_plan("job-9", "{}", NOW)


def test_closing_an_attempt_twice_keeps_the_first_end_and_gives_its_cost(books: Books) -> None:
    books.step(1, cost_nano=400)
    assert books.ledger.close_attempt(ended()) == 400
    assert books.ledger.close_attempt(ended(end=AttemptEnd.STOPPED)) == 400
    assert books.ledger.job_view(JOB).attempts[0].end is AttemptEnd.FINISHED
    assert kinds(books).count("attempt_end") == 1


def test_a_later_end_of_a_job_replaces_the_first_which_stays_in_the_journal(books: Books) -> None:
    books.ledger.close_job(closed(StopReason.BUDGET, branch="thirdshift/job-1-unfinished"))
    books.ledger.close_job(closed(StopReason.BUDGET, branch="thirdshift/job-1-unfinished"))
    books.ledger.close_job(closed())
    view = books.ledger.job_view(JOB)
    assert (view.stop_reason, view.branch) == (StopReason.ACCEPTED, "thirdshift/job-1")
    stops = [entry.data["stop_reason"] for entry in books.ledger.journal(JOB, 0) if entry.kind == "stop"]
    assert stops == ["budget", "accepted"]
    with pytest.raises(KeyError):
        books.ledger.close_job(closed(job_id="job-9"))


def test_the_journal_tells_a_whole_job_in_order_with_no_gap(books: Books) -> None:
    books.step(1)
    number = books.ledger.put_verdict(LOOP, 1, verdict(unit=False), NOW)
    books.ledger.close_attempt(ended(verdict_id=number))
    books.ledger.note(JOB, "stop", "asked to stop", {"by": "ada"}, NOW)
    books.ledger.close_job(closed(StopReason.STOPPED_BY_PERSON))
    entries = books.ledger.journal(JOB, 0)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert kinds(books) == ["job", "attempt", "step", "tools", "verdict", "attempt_end", "stop", "stop"]
    assert kinds(books, after=5) == ["attempt_end", "stop", "stop"]
    with pytest.raises(KeyError):
        books.ledger.note("job-9", "stop", "x", {}, NOW)


def test_a_step_entry_has_place_tokens_and_the_jobs_money(books: Books) -> None:
    books.step(1, cost_nano=400)
    step = next(entry for entry in books.ledger.journal(JOB, 0) if entry.kind == "step")
    expected = {
        "owner": LOOP,
        "attempt": 1,
        "role": "code",
        "tier": "economy",
        "model": "local/small",
        "step": 1,
        "state": "settled",
        "stop": "tools",
        "call_cost_nano": 400,
        "input_tokens": 1000,
        "cached_tokens": 900,
        "output_tokens": 50,
        "cost_nano": 400,
        "held_nano": 0,
        "unknown_nano": 0,
        "budget_nano": 1_500_000_000,
    }
    assert {name: step.data[name] for name in expected} == expected
    assert step.text == "step 1: 1,000 in (900 cached), 50 out, $0.0000"


def test_a_verdict_entry_names_the_checks(books: Books) -> None:
    books.ledger.put_verdict(LOOP, 1, verdict(unit=False), NOW)
    data = last(books).data
    assert (data["passed"], data["checks_passed"], data["checks_failed"]) == (False, "lint", "unit")
    assert last(books).text == "1 of 2 checks pass; failed: unit"


def test_notes_carry_the_jobs_money_too(books: Books) -> None:
    books.step(1, cost_nano=400)
    books.ledger.note(JOB, "gate", "waiting", {"gate": "merge"}, NOW)
    assert (last(books).data["gate"], last(books).data["cost_nano"]) == ("merge", 400)
