"""The ledger on SQLite and PostgreSQL."""

from thirdshift.adapters.ledger.discreet_ledger import DiscreetLedger, open_discreet_ledger
from thirdshift.adapters.ledger.sql_ledger import SqlLedger, open_ledger

__all__ = ["DiscreetLedger", "SqlLedger", "open_discreet_ledger", "open_ledger"]
