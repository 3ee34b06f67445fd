"""Books of an older schema: everything that was in them is in them afterwards."""

from __future__ import annotations

from typing import Any

from alembic import command
from sqlalchemy import MetaData, create_engine, inspect, select, text

from tests.adapters.ledger.books import JOB, Books
from tests.adapters.ledger.nights import event, night_row
from thirdshift.adapters.ledger import open_ledger
from thirdshift.adapters.ledger.migrate import config_for
from thirdshift.adapters.ledger.opening import HEAD

NEW_TABLES = {"nights", "night_lines", "queued_specs", "events"}


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the database itself describes them."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = MetaData()
        found.reflect(connection)
        rows = {
            name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for name, table in found.tables.items()
            if name != "alembic_version"
        }
    engine.dispose()
    return rows


def test_an_older_database_is_brought_up_to_date_with_everything_in_it(books: Books) -> None:
    for step in (1, 2):
        books.step(step)
    before = books.ledger.job_view(JOB), books.ledger.verify()
    books.ledger.close()
    engine = create_engine(books.url)
    with engine.begin() as connection:
        command.downgrade(config_for(connection), "0005")
        assert not NEW_TABLES & set(inspect(connection).get_table_names())
        assert "team" not in {column["name"] for column in inspect(connection).get_columns("jobs")}
    engine.dispose()
    old = rows_of(books.url)
    assert len(old["calls"]) == 2

    ledger = open_ledger(books.url)
    new = rows_of(books.url)
    assert set(new) - set(old) == NEW_TABLES
    assert {name: rows for name, rows in new.items() if name in old and name != "jobs"} == {
        name: rows for name, rows in old.items() if name != "jobs"
    }
    assert [row[: len(old["jobs"][0])] for row in new["jobs"]] == old["jobs"]
    assert (ledger.job_view(JOB), ledger.verify()) == before
    assert (ledger.read_job(JOB).team, ledger.read_job(JOB).night) == ("default", "")
    assert ledger.open_night(night_row())
    assert ledger.put_event(event())[1]
    ledger.close()
    engine = create_engine(books.url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
    engine.dispose()
