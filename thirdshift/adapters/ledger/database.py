"""One open database: connections, transactions, and what differs between SQLite and PostgreSQL.

SQLite runs in WAL mode with ``synchronous=FULL``: a committed charge survives a power cut, for a quarter of a
millisecond a commit on a solid-state disk. ``?synchronous=normal`` in the URL trades that away on slow disks:
committed charges then survive the death of every process, but not of the machine.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from thirdshift.adapters.ledger.faults import BUSY_SECONDS, speaking_plainly
from thirdshift.core.errors import SettingsInvalid

_MODE = "ledger_mode"


class Database:
    """Transactions on one database, from any number of threads."""

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.where = f"at {url.database}" if self.is_sqlite else f"at {url.render_as_string(hide_password=True)}"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._writer = self.engine.execution_options(**{_MODE: "write"})
        # One writer at a time is SQLite's rule. Queueing for it inside the process is fair and wakes at once,
        # while its busy handler sleeps and polls.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for several reads."""
        with speaking_plainly(self.where), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One unmoving view for reads that must agree with each other, however long they take."""
        # SQLite's read transactions are such views by themselves.
        engine = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        with speaking_plainly(self.where), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it happens, or none."""
        with speaking_plainly(self.where), self._turn, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _sqlite_engine(url: URL) -> Engine:
    query = dict(url.query)
    synchronous = str(query.pop("synchronous", "full")).lower()
    if synchronous not in ("full", "normal", "extra"):
        raise SettingsInvalid(f"ledger url asks for synchronous={synchronous!r}; use full, normal or extra")
    engine = create_engine(
        url.set(query=query),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=56,
        pool_timeout=BUSY_SECONDS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver would begin its own transactions, and only before writes; ours begin below.
        connection.isolation_level = None
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads first and writes later can fail half way through with a stale view.
        writing = connection.get_execution_options().get(_MODE) == "write"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgres_engine(url: URL) -> Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        pool_size=8,
        max_overflow=24,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": 10},
    )
