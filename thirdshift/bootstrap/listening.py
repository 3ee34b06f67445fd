"""From settings to a reception: who is listened to, the books that events go into, and who is told of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from thirdshift.adapters.engine.access import open_engine
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.bootstrap.announcing import Announcer
from thirdshift.bootstrap.books import open_books
from thirdshift.bootstrap.following import FollowingSender
from thirdshift.intake_signatures import IntakeInput
from thirdshift.settings import Settings

_THREADS: Final = 16
"""Writes to the ledger are waits: as many deliveries are stored at once."""
_CAUGHT_UP: Final = 5000
"""Undecided events that are announced when a listener starts, and repositories, if need be, of which one is."""


@dataclass(frozen=True)
class Listening:
    """What a listener needs."""

    ledger: SqlLedger
    announcer: Announcer
    address: str
    """Of the Temporal server."""
    secrets: frozenset[str]


@contextlib.asynccontextmanager
async def open_listening(settings: Settings) -> AsyncIterator[Listening]:
    """Ledger and Temporal, opened; what was not announced when a listener ended is announced now.

    Raises LedgerUnavailable or EngineUnavailable with the remedy. It starts no server: ``thirdshift up`` does.
    """
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="thirdshift")
    asyncio.get_running_loop().set_default_executor(pool)
    ledger = await asyncio.to_thread(open_books, settings)
    try:
        async with open_engine(settings.engine, settings.home, may_start=False) as engine:
            announcer = Announcer(
                FollowingSender(settings, engine.client, engine.address, partial(_input_for, settings))
            )
            newest = await asyncio.to_thread(ledger.newest_undecided, _CAUGHT_UP)
            undecided = await asyncio.to_thread(ledger.events, _CAUGHT_UP, undecided=True)
            for one in (*newest, *undecided):
                announcer.owe([((one.event.repository, one.event.fingerprint), one.number)])
            async with announcer.working():
                yield Listening(ledger, announcer, engine.address, _secrets(settings))
    finally:
        ledger.close()


def _input_for(settings: Settings, repository: str) -> IntakeInput:
    return IntakeInput(
        repository=repository,
        debounce_seconds=settings.intake.debounce_seconds,
        longest_debounce_seconds=settings.intake.longest_debounce_seconds,
    )


def _secrets(settings: Settings) -> frozenset[str]:
    return settings.secret_values | {secret.get_secret_value() for one in settings.sources for secret in one.secrets}
