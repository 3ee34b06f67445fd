"""The books as an auditor sees them: sums, flat rows, and what a vendor's bill decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from thirdshift.adapters.ledger import (
    exporting,
    exporting_nights,
    price_lists,
    reconciliation,
    repricing,
    standing,
    verifying,
)
from thirdshift.adapters.ledger.database import Database
from thirdshift.core.audit import Audit, Repriced
from thirdshift.core.calls import ScopeTotals
from thirdshift.core.rates import Rates
from thirdshift.core.reconciling import BookedCall, NeverBilled, SettleByBill


class AuditBook:
    """A part of ``SqlLedger``."""

    _database: Database

    def scope_totals(self, kind: str, key: str) -> ScopeTotals:
        """A budget as it stands, all zero if nothing was ever booked on it."""
        with self._database.read() as connection:
            return standing.scope_totals(connection, kind, key)

    def verify(self) -> Audit:
        """Recompute every total from the calls."""
        with self._database.snapshot() as connection:
            return verifying.verify(connection)

    def exported_calls(self, job_id: str | None) -> Iterator[dict[str, exporting.Cell]]:
        """Every call, or a job's, as flat rows; see ``exporting``."""
        with self._database.snapshot() as connection:
            yield from exporting.exported_calls(connection, job_id)

    def exported_nights(self) -> Iterator[dict[str, exporting.Cell]]:
        """Every night with what it came to, as flat rows."""
        with self._database.snapshot() as connection:
            yield from exporting_nights.exported_nights(connection)

    def exported_lines(self) -> Iterator[dict[str, exporting.Cell]]:
        """Every line of every night's list, as flat rows."""
        with self._database.snapshot() as connection:
            yield from exporting_nights.exported_lines(connection)

    def exported_events(self) -> Iterator[dict[str, exporting.Cell]]:
        """Every event with its decision, as flat rows."""
        with self._database.snapshot() as connection:
            yield from exporting_nights.exported_events(connection)

    def booked_calls(self, providers: Collection[str], since: datetime, until: datetime) -> tuple[BookedCall, ...]:
        """Calls of these providers that were under way between two times."""
        with self._database.snapshot() as connection:
            return reconciliation.booked_calls(connection, providers, since, until)

    def settle_by_bill(self, decision: SettleByBill | NeverBilled, at: datetime) -> bool:
        """Settle or release a call that is still unknown, by a vendor's bill; whether it was."""
        with self._database.write() as connection:
            return reconciliation.apply(connection, decision, at)

    def price_lists(self) -> dict[str, tuple[Rates, str]]:
        """Every price list that calls were priced by, and where it was from, by hash."""
        with self._database.read() as connection:
            return price_lists.read_all(connection)

    def models_called(self) -> tuple[str, ...]:
        """Every ``provider/model`` that has a settled call."""
        with self._database.read() as connection:
            return repricing.models_called(connection)

    def repriced(self, model: str, rates: Rates | None, why: str = "") -> Repriced:
        """What a model's settled calls cost, and would cost by another price list, or by their own (None)."""
        with self._database.snapshot() as connection:
            return repricing.repriced(connection, model, rates, why)
