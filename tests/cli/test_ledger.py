import csv
import io
import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.adapters.ledger.books import NOW, USAGE, Books, answer, held, later, opening
from tests.adapters.ledger.nights import event, line, night_row
from tests.cli.conftest import Shell
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.pricing import cost_nano
from thirdshift.core.rates import Band, Rates

CONFIG = """\
[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
[[tiers.economy]]
model = "local/small"
[prices."local/small"]
input = "1"
cache_read = "0.1"
output = "10"
"""
USD = 1_000_000_000
RATES = Rates(bands=(Band(input=USD, cache_read=USD // 10, cache_write_5m=USD, output=10 * USD, reasoning=10 * USD),))


@pytest.fixture
def spent(shell: Shell, tmp_path: Path) -> Callable[[], Books]:
    """Books at the place where the command line looks for them: two settled calls and one that is unknown."""

    def make() -> Books:
        (shell.directory / "thirdshift.toml").write_text(CONFIG)
        url = f"sqlite:///{tmp_path / 'home' / 'ledger.db'}"
        books = Books(open_ledger(url), url).begin()
        books.ledger.put_rates("p" * 16, RATES, "thirdshift.toml", NOW)
        for step in (1, 2):
            call_id = held(books.ledger.place_hold(opening(5_000_000, step=step)))
            books.ledger.settle(call_id, answer(), cost_nano(RATES, USAGE), 1.0, later(2))
        books.ledger.mark_unknown(held(books.ledger.place_hold(opening(5_000_000, step=3))), "=cut", later(2))
        return books

    return make


def test_books_that_add_up_are_said_to(shell: Shell, spent: Callable[[], Books]) -> None:
    spent()
    code, out, _ = shell("ledger", "verify")
    assert (code, out.splitlines()[-1]) == (0, "the books add up")
    code, told = shell.json("ledger", "verify")
    assert (code, told["adds_up"], told["calls"], told["unknown_usd"]) == (0, True, 3, "0.005")


def test_books_that_do_not_add_up_are_a_failure_that_names_each_difference(
    shell: Shell, spent: Callable[[], Books], tmp_path: Path
) -> None:
    spent()
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as connection:
        connection.execute("UPDATE scopes SET settled_nano = settled_nano + 1 WHERE kind = 'job'")
    code, out, _ = shell("ledger", "verify")
    assert code == 1
    assert "job job-1 (metered): settled_nano is booked as" in out
    code, told = shell.json("ledger", "verify")
    assert (code, told["adds_up"]) == (1, False)


def test_every_call_is_exported_and_no_cell_can_be_a_formula(shell: Shell, spent: Callable[[], Books]) -> None:
    spent()
    code, out, err = shell("ledger", "export")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, [row["state"] for row in rows]) == (0, ["settled", "settled", "unknown"])
    assert rows[2]["note"] == "'=cut"
    assert "3 calls exported" in err
    shell("ledger", "export", "--format", "json", "--output", "calls.json", "--job", "job-1")
    lines = (shell.directory / "calls.json").read_text().splitlines()
    assert json.loads(lines[2])["charged_usd"] == "0.005"


def test_nights_lists_and_events_are_exported_by_name(shell: Shell, spent: Callable[[], Books]) -> None:
    books = spent()
    books.ledger.open_night(night_row())
    books.ledger.put_lines([line("specs/a.md")])
    books.ledger.put_event(event(title="=1+1"))
    code, out, err = shell("ledger", "export", "events")
    assert (code, [row["title"] for row in csv.DictReader(io.StringIO(out))]) == (0, ["'=1+1"])
    assert "1 events exported" in err
    assert json.loads(shell("ledger", "export", "nights", "--format", "json")[1])["shift"] == "nightly"
    assert json.loads(shell("ledger", "export", "lines", "--format", "json")[1])["key"] == "specs/a.md"
    code, _, err = shell("ledger", "export", "events", "--job", "job-1")
    assert code == 64
    assert "--job chooses calls" in err


def export_of(directory: Path, input_tokens: int, cached: int, output_tokens: int) -> Path:
    start = int((NOW - timedelta(minutes=1)).timestamp())
    result = {
        "input_tokens": input_tokens,
        "input_cached_tokens": cached,
        "output_tokens": output_tokens,
        "num_model_requests": 3,
        "model": "small",
    }
    path = directory / "usage.json"
    path.write_text(json.dumps({"data": [{"start_time": start, "end_time": start + 3600, "results": [result]}]}))
    return path


def test_a_bill_settles_the_unknown_call_once(shell: Shell, spent: Callable[[], Books]) -> None:
    books = spent()
    bill = str(export_of(shell.directory, 3000, 2700, 150))
    code, told = shell.json("ledger", "reconcile", bill, "--provider", "local", "--dry-run")
    assert (code, told["dry_run"], [done["call"] for done in told["settled"]]) == (0, True, [3])
    assert books.ledger.call(3).state == "unknown"
    code, out, _ = shell("ledger", "reconcile", bill, "--provider", "local")
    assert "call 3 settled at $0.00069" in out
    assert books.ledger.call(3).usage == USAGE
    code, told = shell.json("ledger", "reconcile", bill, "--provider", "local")
    assert (told["settled"], told["released"], told["not_matched"]) == ([], [], [])
    assert shell("ledger", "verify")[0] == 0


def test_what_a_bill_does_not_decide_is_said_and_left(shell: Shell, spent: Callable[[], Books]) -> None:
    books = spent()
    bill = str(export_of(shell.directory, 900_000, 0, 150))
    _, out, _ = shell("ledger", "reconcile", bill, "--provider", "local")
    assert "not matched" in out
    assert books.ledger.call(3).state == "unknown"


def test_a_file_that_is_no_bill_is_refused(shell: Shell, spent: Callable[[], Books]) -> None:
    spent()
    (shell.directory / "odd.csv").write_text("a,b\n1,2\n")
    code, _, err = shell("ledger", "reconcile", "odd.csv")
    assert code == 64
    assert "not a usage export of Anthropic" in err


def test_history_is_priced_by_other_prices_and_the_difference_is_said(shell: Shell, spent: Callable[[], Books]) -> None:
    spent()
    assert shell.json("ledger", "reprice")[1]["difference_usd"] == "0"
    (shell.directory / "other.toml").write_text(
        '[prices."local/small"]\ninput = "2"\ncache_read = "0.1"\noutput = "10"\n'
    )
    code, told = shell.json("ledger", "reprice", "--prices", "other.toml")
    assert (code, told["booked_usd"], told["difference_usd"]) == (0, "0.00138", "0.0002")
    (shell.directory / "none.toml").write_text("[prices]\n")
    assert shell.json("ledger", "reprice", "--prices", "none.toml")[1]["not_priced"] == ["local/small"]


def test_a_cost_that_its_own_price_list_does_not_make_is_a_failure(
    shell: Shell, spent: Callable[[], Books], tmp_path: Path
) -> None:
    spent()
    assert shell("ledger", "reprice", "--own")[0] == 0
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as connection:
        connection.execute("UPDATE calls SET cost_nano = cost_nano + 1 WHERE call_id = 1")
    assert shell("ledger", "reprice", "--own")[0] == 1
    assert shell("ledger", "reprice", "--own", "--as-of", "2026-01-01")[0] == 64
