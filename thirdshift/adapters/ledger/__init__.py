"""The ledger on SQLite and PostgreSQL."""

from thirdshift.adapters.ledger.sql_ledger import SqlLedger, open_ledger

__all__ = ["SqlLedger", "open_ledger"]
