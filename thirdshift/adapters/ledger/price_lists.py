"""The price lists that calls were priced by, under the hashes that the calls carry."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.tables import price_lists
from thirdshift.core.rates import Rates


def keep(connection: Connection, snapshot: str, rates: Rates, source: str, at: datetime) -> None:
    """Keep a price list; one that is there already stays as it is."""
    row = {"snapshot": snapshot, "rates": rates.model_dump_json(), "source": source, "first_used_at": at}
    add_if_new(connection, price_lists, row)


def read_all(connection: Connection) -> dict[str, tuple[Rates, str]]:
    """Every price list and where it was from, by hash."""
    return {
        row.snapshot: (Rates.model_validate_json(row.rates), row.source)
        for row in connection.execute(select(price_lists))
    }
