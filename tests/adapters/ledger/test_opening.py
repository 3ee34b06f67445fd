from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, text

from tests.adapters.ledger.books import job_row
from tests.fakes.postgres import Postgres
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.adapters.ledger.migrate import config_for
from thirdshift.adapters.ledger.opening import HEAD, open_database
from thirdshift.adapters.ledger.tables import metadata
from thirdshift.core.errors import LedgerUnavailable, SettingsInvalid

ROOT = os.geteuid() == 0
needs_permissions = pytest.mark.skipif(ROOT, reason="root may write everywhere")


def sqlite_url(directory: Path) -> str:
    return f"sqlite:///{directory / 'ledger.sqlite'}"


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    engine = create_engine(ledger_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_known_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config_for(None)).get_current_head() == HEAD


def test_many_threads_may_open_new_books_at_once(ledger_url: str) -> None:
    opened: list[bool] = []

    def use(number: int) -> None:
        ledger = open_ledger(ledger_url)
        opened.append(ledger.open_job(job_row(f"job-{number}")))
        ledger.close()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [True] * 6


def test_many_processes_may_open_new_books_at_once(ledger_url: str) -> None:
    code = (
        "import sys; from thirdshift.adapters.ledger import open_ledger\n"
        "print(len(open_ledger(sys.argv[1]).list_jobs(9)))"
    )
    command = [sys.executable, "-c", code, ledger_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in running] == ["0\n"] * 3


def test_books_of_a_newer_thirdshift_are_refused_with_the_remedy(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    engine.dispose()
    with pytest.raises(LedgerUnavailable, match=r"schema 0999, made by a newer Thirdshift.*Upgrade Thirdshift"):
        open_ledger(ledger_url)


def test_sqlite_books_are_durable_private_and_in_wal_mode(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))
    with database.read() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o077 == 0
    database.close()


def test_slow_disks_may_have_normal_durability_by_url(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path) + "?synchronous=normal")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    database.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ledger.sqlite", "no database URL"),
        ("mysql://localhost/x", "runs on sqlite and on postgresql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "cannot live in memory"),
        ("sqlite:////tmp/never-made/x.sqlite?synchronous=off", "use full, normal or extra"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(url: str, says: str) -> None:
    with pytest.raises(SettingsInvalid, match=says):
        open_ledger(url)


def test_a_directory_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnavailable, match=r"cannot be made.*name another one"):
        open_ledger(sqlite_url(tmp_path / "file" / "below"))
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(LedgerUnavailable, match="cannot be opened"):
        open_ledger(sqlite_url(tmp_path))


@needs_permissions
def test_a_directory_without_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerUnavailable, match="make the directory writable"):
        open_ledger(sqlite_url(tmp_path))
    tmp_path.chmod(0o700)


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_a_directory_of_somebody_else_is_said(tmp_path: Path) -> None:
    code = (
        "import os, sys; from thirdshift.adapters.ledger import open_ledger\n"
        "from thirdshift.core.errors import LedgerUnavailable\n"
        "import thirdshift.adapters.ledger.migrate\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: open_ledger(sys.argv[1])\n"
        "except LedgerUnavailable as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, sqlite_url(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "make" in done.stdout, done
    assert "writable for this user" in done.stdout


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("Dear diary, " * 400)
    with pytest.raises(LedgerUnavailable, match="is not a database; name another file"):
        open_ledger(sqlite_url(tmp_path))


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))

    @event.listens_for(database.engine, "connect")
    def fill_the_disk(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")

    database.engine.dispose()
    ledger = SqlLedger(database)
    with pytest.raises(LedgerUnavailable, match="the disk is full; free some space"):
        ledger.open_job(job_row("job-2", title="x" * 1_000_000))
    assert ledger.list_jobs(9) == ()
    ledger.close()


def test_a_ledger_locked_by_another_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thirdshift.adapters.ledger.database.BUSY_SECONDS", 0.05)
    ledger = open_ledger(sqlite_url(tmp_path))
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LedgerUnavailable, match="another program has kept it locked"):
        ledger.open_job(job_row("job-1"))
    other.execute("ROLLBACK")
    assert ledger.open_job(job_row("job-1"))
    other.close()
    ledger.close()


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    with pytest.raises(LedgerUnavailable, match="PostgreSQL server cannot be used") as caught:
        open_ledger("postgresql://ada:hunter2@127.0.0.1:1/books")
    assert "hunter2" not in str(caught.value)


def test_a_database_that_is_not_there_is_said(postgres: Postgres) -> None:
    url = postgres.url("nowhere")
    with pytest.raises(LedgerUnavailable, match=r"does not exist|no such database"):
        open_ledger(url)
