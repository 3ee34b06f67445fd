"""Opening the books: create or migrate the schema, once, whoever comes first."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from thirdshift.adapters.free_space import why_full
from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.faults import speaking_plainly
from thirdshift.core.errors import LedgerUnavailable, SettingsInvalid

HEAD = "0006"
"""The newest revision in ``migrations/versions``; a test holds the two together."""

_ADVISORY_LOCK = 0x7468_6972_6473_6866  # spells "thirdshf"


def open_database(url: str) -> Database:
    """Open the database at an SQLAlchemy URL, creating it and bringing its schema up to date.

    Several processes may do so at once: one migrates, the others wait. Raises SettingsInvalid for a URL that
    cannot be meant, LedgerUnavailable for a database that cannot be used.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        database = Database(parsed)
        with database.write() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            _bring_up_to_date(connection, database.where)
        return database
    path = Path(str(parsed.database)).expanduser().absolute()
    database = Database(parsed.set(database=str(path)))
    _make_directory(path.parent)
    if not path.exists() and (full := why_full(path.parent)):
        raise LedgerUnavailable(full)
    with _only_opener(path), speaking_plainly(database.where):
        with database.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            # Outside any transaction, and not honoured by the busy handler: hence the lock around it.
            raw.rollback()
            raw.execute("PRAGMA journal_mode=WAL")
        with database.write() as connection:
            _bring_up_to_date(connection, database.where)
    path.chmod(0o600)
    return database


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsInvalid(
            f"ledger url {url!r} is no database URL; write sqlite:////absolute/path/ledger.sqlite or "
            "postgresql+psycopg://user@host/database"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise SettingsInvalid(f"ledger url names {backend!r}; the ledger runs on sqlite and on postgresql+psycopg")
    if backend == "sqlite" and not parsed.database:
        raise SettingsInvalid("ledger url names no file; write sqlite:////absolute/path/ledger.sqlite")
    if backend == "sqlite" and ":memory:" in str(parsed.database):
        raise SettingsInvalid("the ledger cannot live in memory: several processes share it; name a file")
    return parsed


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise LedgerUnavailable(
            f"the ledger's directory {directory} cannot be made ({error.strerror}); "
            "make it writable for this user, or name another one in [ledger] url"
        ) from error


@contextmanager
def _only_opener(path: Path) -> Iterator[None]:
    """Let one process at a time create or migrate the file."""
    lock = path.with_name(path.name + ".lock")
    try:
        file = lock.open("a")
    except OSError as error:
        raise LedgerUnavailable(
            f"the ledger at {path}: {lock} cannot be written ({error.strerror}); make the directory writable for "
            "this user (and free some disk space if it is full), or name another file in [ledger] url"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bring_up_to_date(connection: Connection, where: str) -> None:
    if inspect(connection).has_table("alembic_version"):
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if version == HEAD:
            return
        if isinstance(version, str) and version > HEAD:
            raise LedgerUnavailable(
                f"the ledger {where} has schema {version}, made by a newer Thirdshift; this one knows up to {HEAD}. "
                "Upgrade Thirdshift, or name another ledger in [ledger] url"
            )
    from thirdshift.adapters.ledger.migrate import upgrade  # Alembic takes a tenth of a second to import.

    upgrade(connection)
