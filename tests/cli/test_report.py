from __future__ import annotations

import csv
import gc
import io
from pathlib import Path

import pytest

from tests.adapters.ledger.books import LOOP, NOW, Books
from tests.cli.conftest import Shell
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobClosing


@pytest.fixture
def booked(shell: Shell, tmp_path: Path) -> Shell:
    """A shell in whose ledger one job spent 900 nano-dollars and was accepted."""
    (tmp_path / "home").mkdir()
    ledger = open_ledger(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}")
    books = Books(ledger, "").begin()
    books.step(1, cost_nano=400)
    books.step(2, cost_nano=500)
    ledger.close_job(
        JobClosing(
            job_id="job-1", stop_reason=StopReason.ACCEPTED, evidence="", branch="b", commit="c", tree="t", remedy="",
            closed_at=NOW,
        )
    )  # fmt: skip
    ledger.close()
    return shell


def test_the_report_answers_for_people(booked: Shell) -> None:
    code, out, err = booked("report")
    assert (code, err) == (0, "")
    assert "for each of 1 accepted outcome" in out
    assert "WHERE THE MONEY WENT" in out
    assert gc.isenabled()


def test_json_and_csv_say_the_same_money(booked: Shell) -> None:
    code, found = booked.json("report")
    assert code == 0
    assert found["total"]["metered_usd"] == "0.0000009"
    code, out, _ = booked("report", "--csv", "-")
    assert code == 0
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["run"], row["metered_usd"], row["output"]) == ("job-1", "0.0000009", "accepted")


def test_the_page_and_the_table_go_into_files_and_a_remark_says_so(booked: Shell) -> None:
    code, out, err = booked("report", "--html", "r.html", "--csv", "r.csv")
    assert code == 0
    assert "WHERE THE MONEY WENT" in out
    assert err == "wrote r.csv\nwrote r.html\n"
    assert (booked.directory / "r.html").read_text().startswith("<!doctype html>")
    assert (booked.directory / "r.csv").read_bytes().endswith(b"\r\n")


def test_one_breakdown_in_each_form(booked: Shell) -> None:
    code, out, _ = booked("report", "--by", "tier")
    assert code == 0
    assert "economy" in out
    assert "WORKFLOWS" not in out
    _, found = booked.json("report", "--by", "tier_path")
    assert [(row["tier_path"], row["accepted"]) for row in found["groups"]] == [("economy", 1)]
    _, out, _ = booked("report", "--by", "week", "--csv", "-")
    assert out.startswith("week,calls,")
    _, found = booked.json("report", "--by", "model")
    assert not {"runs", "accepted"} & set(found["groups"][0])


def test_a_period_is_that_of_the_configured_time_zone(booked: Shell) -> None:
    # The calls were made at 22:30 in UTC on March 1.
    _, found = booked.json("report", "--since", "2026-03-02")
    assert found["total"]["calls"] == 0
    (booked.directory / "thirdshift.toml").write_text('time_zone = "Asia/Kolkata"\n')
    _, found = booked.json("report", "--since", "2026-03-02", "--until", "2026-03-02")
    assert found["total"]["calls"] == 2
    assert found["period"] == {
        "since": "2026-03-01T18:30:00+00:00",
        "until": "2026-03-02T18:30:00+00:00",
        "zone": "Asia/Kolkata",
    }


def test_a_time_zone_that_is_none_is_refused(booked: Shell) -> None:
    (booked.directory / "thirdshift.toml").write_text('time_zone = "Mars/Olympus"\n')
    code, _, err = booked("report")
    assert code == 64
    assert "is not a time zone known here" in err


def test_an_empty_ledger_says_so(shell: Shell) -> None:
    code, out, _ = shell("report")
    assert (code, out.splitlines()[-1]) == (0, "nothing in the ledger for this period")
    code, found = shell.json("report")
    assert (code, found["runs"]) == (0, [])


def test_people_are_no_dimension(booked: Shell) -> None:
    code, _, err = booked("report", "--by", "submitter")
    assert code == 64
    assert "spend is not broken down by people" in err
    code, _, err = booked("report", "--by", "colour")
    assert code == 64
    assert "tier-path" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "soon"), "write a day"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "is not before"),
        (("--csv", "-", "--html", "-"), "standard output takes one"),
        (("no-such-job", "--csv", "-"), "no job `no-such-job`"),
    ],
)
def test_what_cannot_be_meant_is_refused(booked: Shell, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = booked("report", *arguments)
    assert (code, out) == (64, "")
    assert says in err


def test_one_job_has_its_own_report_and_its_own_rows(booked: Shell) -> None:
    code, out, _ = booked("report", "job-1")
    assert code == 0
    assert out.startswith("ACCEPTED")
    _, out, _ = booked("report", "job-1", "--csv", "-")
    assert len(out.splitlines()) == 2
    assert LOOP not in out
