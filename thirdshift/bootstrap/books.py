"""The ledger and the clock alone, for commands that only look: they start without any other adapter."""

from __future__ import annotations

from datetime import UTC, datetime

from thirdshift.adapters.ledger import SqlLedger, open_discreet_ledger
from thirdshift.core.text import Redactor
from thirdshift.settings import Settings


def now() -> datetime:
    """The time, aware and in UTC; the clock that adapters and activities are given."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


def open_books(settings: Settings) -> SqlLedger:
    """The ledger that the settings name; no secret that they hold gets into it."""
    return open_discreet_ledger(settings.ledger_url, redactor_of(settings))


def redactor_of(settings: Settings) -> Redactor:
    """What takes the settings' secrets, and whatever looks like one, out of a text."""
    return Redactor(settings.secret_values)
