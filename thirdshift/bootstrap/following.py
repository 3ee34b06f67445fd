"""Signals to a Temporal server that may come back elsewhere: an embedded one that was killed may get other ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from temporalio.client import Client

from thirdshift.adapters.engine.access import find_running
from thirdshift.adapters.engine.connection import connect
from thirdshift.bootstrap.announcing import signal_intake
from thirdshift.core.engine import EngineTarget
from thirdshift.core.errors import EngineUnavailable
from thirdshift.intake_signatures import Arrival, IntakeInput
from thirdshift.settings import Settings

InputFor = Callable[[str], IntakeInput]


class FollowingSender:
    """Sends to the server at ``address``; where that is gone, to the one that runs under this home now."""

    def __init__(self, settings: Settings, client: Client, address: str, input_for: InputFor) -> None:
        self._settings = settings
        self._address = address
        self._input_for = input_for
        self._send = signal_intake(client, input_for)
        self._looking = asyncio.Lock()

    async def __call__(self, repository: str, arrival: Arrival) -> None:
        """Send one signal. Raises as every ``Send`` does."""
        send = self._send
        try:
            await send(repository, arrival)
        except EngineUnavailable:
            async with self._looking:
                if self._send is send and not await self._found_elsewhere():
                    raise
            await self._send(repository, arrival)

    async def _found_elsewhere(self) -> bool:
        if self._settings.engine.kind != "embedded":
            return False
        state = await asyncio.to_thread(find_running, self._settings.home)
        if state is None or state.address == self._address:
            return False
        client = await connect(EngineTarget(kind="address", address=state.address))
        self._address, self._send = state.address, signal_intake(client, self._input_for)
        return True
