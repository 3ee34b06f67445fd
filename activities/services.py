"""What activities act through: the ports, wired once by ``thirdshift.bootstrap``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from thirdshift.adapters.prices import Prices
from thirdshift.adapters.sandbox.setup_cache import SetupCache
from thirdshift.adapters.workspace.workspaces import Workspaces
from thirdshift.core.event_book import EventBook
from thirdshift.core.gate_book import GateBook
from thirdshift.core.ledger import Ledger
from thirdshift.core.morning_facts import MorningBook
from thirdshift.core.night_book import NightBook
from thirdshift.core.outcomes import OutcomeBooks
from thirdshift.core.ports import Hub, Model, Sandbox
from thirdshift.core.scopes import BudgetLimits
from thirdshift.core.views import BooksReader
from thirdshift.signatures import host_queue


@dataclass(frozen=True)
class ProviderTerms:
    """What is agreed with a provider: how its models are priced and paid."""

    kind: str
    base_url: str = ""


class Books(Ledger, BooksReader, OutcomeBooks, GateBook, NightBook, EventBook, MorningBook, Protocol):
    """The ledger, written and read."""


@dataclass(frozen=True)
class Services:
    """Every port, and the few settings that activities need. One for each worker process."""

    host: str
    clock: Callable[[], datetime]
    ledger: Books
    hub: Hub
    sandbox: Sandbox
    setups: SetupCache
    workspaces: Workspaces
    models: Mapping[str, Model]
    terms: Mapping[str, ProviderTerms]
    prices: Prices
    scratch: str
    """Directory for checkouts that live as long as one check."""
    limits: BudgetLimits
    zone: tzinfo = UTC
    setup_network: str = "none"
    setup_hosts: tuple[str, ...] = ()
    output_floor_tokens: int = 256
    """A budget that leaves room for fewer output tokens than this leaves room for no call."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def queue(self) -> str:
        """This host's own task queue."""
        return host_queue(self.host)
