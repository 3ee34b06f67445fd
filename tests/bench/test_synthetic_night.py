from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.synthetic_books import make_books
from bench.synthetic_night import make_month
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.mornings import Fate, tell_night


def test_the_made_up_night_adds_up_and_has_something_of_everything(tmp_path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}?synchronous=normal")) as ledger:
        night_id = make_month(ledger, nights=4)
        now = ledger.night(night_id).row.night.closes_at + timedelta(minutes=1)
        told = tell_night(ledger.night_facts(night_id, now), now)
        assert ledger.verify().adds_up
    assert all(
        told.counts[fate]
        for fate in (Fate.ACCEPTED, Fate.WAITING, Fate.PARKED, Fate.STOPPED, Fate.REFUSED, Fate.PASSED_OVER)
    )
    assert told.waste.total == told.spent
    assert told.troubles
    assert told.compared.month_nights == 3


def test_made_up_books_with_nights_add_up(tmp_path: Path) -> None:
    make_books(tmp_path / "books.db", calls=3_000, nights=True)
    with closing(open_ledger(f"sqlite:///{tmp_path / 'books.db'}")) as ledger:
        newest = next(one for one in ledger.nights("nightly", 200) if ledger.night_sums(one.row.night.id).calls)
        now = newest.row.night.closes_at
        told = tell_night(ledger.night_facts(newest.row.night.id, now), now)
        assert ledger.verify().adds_up
    assert told.ran
    assert told.waste.total == told.spent
