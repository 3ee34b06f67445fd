"""The ledger and the clock alone, for commands that only look: they start without any other adapter."""

from __future__ import annotations

from datetime import UTC, datetime

from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.settings import Settings


def now() -> datetime:
    """The time, aware and in UTC; the clock that adapters and activities are given."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


def open_books(settings: Settings) -> SqlLedger:
    """The ledger that the settings name."""
    return open_ledger(settings.ledger_url)
