from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bench.synthetic_night import make_month
from tests.cli.conftest import Shell
from thirdshift.adapters.ledger import SqlLedger, open_ledger


def books_of(tmp_path: Path) -> SqlLedger:
    (tmp_path / "home").mkdir(exist_ok=True)
    return open_ledger(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}?synchronous=normal")


@pytest.fixture
def booked(shell: Shell, tmp_path: Path) -> Shell:
    """A shell in whose ledger a shift has had three nights."""
    with closing(books_of(tmp_path)) as ledger:
        make_month(ledger, nights=3)
    return shell


def test_the_newest_night_is_told_first_with_what_to_decide(booked: Shell) -> None:
    code, out, err = booked("shift", "report")
    assert (code, err) == (0, "")
    assert out.startswith("night     nightly, Sat 21 Nov 2026\n")
    assert "TO DECIDE NOW\n  1. merge gate 1, open " in out
    assert booked("shift", "report", "nightly")[1].splitlines()[0] == out.splitlines()[0]


def test_a_night_is_named_by_its_day(booked: Shell) -> None:
    code, found = booked.json("shift", "report", "nightly", "--night", "2026-11-20")
    assert code == 0
    assert (found["schema"], found["night"]["id"]) == ("thirdshift-morning-1", "nightly|2026-11-20")
    assert found["budget"]["limit_usd"] == "40"


def test_the_page_goes_into_a_file_and_a_remark_says_so(booked: Shell) -> None:
    code, _, err = booked("shift", "report", "--html", "morning.html")
    assert (code, err) == (0, "wrote morning.html\n")
    assert (booked.directory / "morning.html").read_text().startswith("<!doctype html>")
    code, out, _ = booked("shift", "report", "--html", "-")
    assert (code, out.startswith("<!doctype html>")) == (0, True)


def test_a_page_that_cannot_be_a_file_is_refused_by_name(booked: Shell) -> None:
    code, _, err = booked("shift", "report", "--html", "nowhere/morning.html")
    assert code == 64
    assert "nowhere/morning.html: there is no directory nowhere; make it, or name another file" in err
    code, _, err = booked("report", "--csv", ".")
    assert (code, ".: is a directory; name a file in it" in err) == (64, True)


def test_a_night_that_nobody_ran_is_said(booked: Shell) -> None:
    code, out, err = booked("shift", "report", "nightly", "--night", "2026-11-01")
    assert (code, out) == (64, "")
    assert "nobody ran: no night of `nightly` on 2026-11-01 is in the books; the newest are 2026-11-21" in err


def test_a_shift_without_nights_is_said(booked: Shell) -> None:
    code, _, err = booked("shift", "report", "weekly")
    assert code == 64
    assert "nights are there of: nightly" in err


def test_books_without_a_night_say_so(shell: Shell) -> None:
    code, out, _ = shell("shift", "report")
    assert (code, out.startswith("no night is in the books yet")) == (0, True)
    assert shell.json("shift", "report") == (0, {"night": None})


def test_several_shifts_on_a_day_have_to_be_told_apart(booked: Shell, tmp_path: Path) -> None:
    with closing(books_of(tmp_path)) as ledger:
        row = ledger.night("nightly|2026-11-21").row
        night = row.night.model_copy(update={"id": "weekly|2026-11-21", "shift": "weekly"})
        ledger.open_night(row.model_copy(update={"night": night}))
    code, _, err = booked("shift", "report", "--night", "2026-11-21")
    assert code == 64
    assert "several shifts had a night on 2026-11-21: nightly, weekly; name one of them" in err
    _, _, err = booked("shift", "report")
    assert "other shifts with nights in the books: nightly" in err
    assert "no Temporal server is running, so nothing of this night moves" in err, "its books were never closed"
