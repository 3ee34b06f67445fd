from __future__ import annotations

from pathlib import Path

from bench.synthetic_books import make_books
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.periods import Period
from thirdshift.core.reckoning import reckon


def test_made_up_books_add_up_and_every_question_has_something_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    made = make_books(path, calls=4_000)
    ledger = open_ledger(f"sqlite:///{path}")
    audit = ledger.verify()
    answers = reckon(ledger.facts(Period()), Period())
    ledger.close()
    assert audit.adds_up
    assert audit.calls == made >= 4_000
    assert answers.total.metered == audit.metered_nano
    assert answers.waste.total == answers.total.money
    assert answers.accepted > 0
    assert answers.stops
