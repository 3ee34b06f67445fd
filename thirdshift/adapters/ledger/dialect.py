"""The few statements that SQLAlchemy spells differently for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def _insert_or_ignore(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def add_if_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one of its keys is taken, whichever key it is; whether it was inserted."""
    # What drivers report as the row count of an insert differs; a returned row does not.
    statement = _insert_or_ignore(connection, table).returning(*table.primary_key.columns)
    return connection.execute(statement, dict(row)).first() is not None


def add_all_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those rows whose keys are free."""
    connection.execute(_insert_or_ignore(connection, table), [dict(row) for row in rows])


def wait_for(connection: Connection, statement: Any) -> Any:
    """The same select, taking row locks where the database does not already let one writer in at a time."""
    return statement if connection.dialect.name == "sqlite" else statement.with_for_update()
