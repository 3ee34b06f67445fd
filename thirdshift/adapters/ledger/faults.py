"""What a database error means to a person, and what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from thirdshift.core.errors import LedgerUnavailable

BUSY_SECONDS = 30
"""How long a write waits for another program's write before it gives up."""

_SQLITE = {
    "SQLITE_FULL": "the disk is full; free some space and try again, nothing was half written",
    "SQLITE_READONLY": "it cannot be written; make the file and its directory writable for this user",
    "SQLITE_PERM": "this user may not open it; make the file and its directory readable and writable for this user",
    "SQLITE_AUTH": "this user may not open it; make the file and its directory readable and writable for this user",
    "SQLITE_CANTOPEN": "it cannot be opened; check that its directory exists and is writable for this user",
    "SQLITE_BUSY": f"another program has kept it locked for more than {BUSY_SECONDS} s; "
    "end that program (a database shell? a backup?) and try again",
    "SQLITE_LOCKED": "another connection has it locked; try again",
    "SQLITE_CORRUPT": "its content is damaged; put back a backup, or move it away to begin new books",
    "SQLITE_NOTADB": "it is not a database; name another file, or move this one away to begin new books",
    "SQLITE_IOERR": "the disk failed to read or write it; check the disk and its free space",
    "SQLITE_PROTOCOL": "its lock protocol failed; it must be on a local disk, not on a network share",
}

_POSTGRES = {
    "53100": "the server's disk is full; free some space there and try again, nothing was half written",
    "42501": "this user lacks a privilege there; grant it CREATE and USAGE on the schema and all on its tables",
    "3D000": "there is no such database; create it with createdb",
    "28P01": "the password was refused; check the ledger's URL",
    "28000": "the log-in was refused; check the ledger's URL and the server's pg_hba.conf",
    "25006": "the server takes no writes (a standby?); name the primary",
    "53300": "the server has no free connection; raise its max_connections or run fewer workers",
}


def explain(error: DBAPIError, where: str) -> LedgerUnavailable | None:
    """The error as a person should read it, or None where it is this program's own mistake."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _explain_sqlite(cause, where)
    import psycopg  # Books on SQLite never need it, and it takes a tenth of a second.

    if isinstance(cause, psycopg.Error):
        remedy = _POSTGRES.get(cause.sqlstate or "")
        if remedy:
            return LedgerUnavailable(f"the ledger {where}: {remedy}")
        if isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)):
            first = str(cause).strip().partition("\n")[0]
            return LedgerUnavailable(
                f"the ledger {where}: the PostgreSQL server cannot be used ({first}); check that it runs and that "
                "the ledger's URL in thirdshift.toml is right"
            )
    return None


def _explain_sqlite(cause: sqlite3.Error, where: str) -> LedgerUnavailable | None:
    name = getattr(cause, "sqlite_errorname", "") or ""
    remedy = _SQLITE.get("_".join(name.split("_")[:2]))
    return LedgerUnavailable(f"the ledger {where}: {remedy} ({cause})") if remedy else None


@contextmanager
def speaking_plainly(where: str) -> Iterator[None]:
    """Turn database errors that a person can do something about into LedgerUnavailable."""
    try:
        yield
    except DBAPIError as error:
        plain = explain(error, where)
        if plain is None:
            raise
        raise plain from error
    except sqlite3.Error as error:  # of a connection that is used directly, while the books are opened
        raise _explain_sqlite(error, where) or error from error
    except PoolTimeoutError as error:
        raise LedgerUnavailable(f"the ledger {where}: no free connection for {BUSY_SECONDS} s; try again") from error
