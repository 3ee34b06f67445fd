"""Telling whoever follows a job that it has come to a gate: how to answer, and where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from thirdshift.cli.open_gates import how_to_answer
from thirdshift.core.ui_links import user_metadata_link, waiting_view_link

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.cli.invocation import Invocation
    from thirdshift.core.gate_book import GateRecord
    from thirdshift.core.ledger import JournalEntry


class GateCalls:
    """Says once for each gate that is still open how it is answered, and once where all of them are."""

    def __init__(
        self, call: Invocation, ledger: SqlLedger, engine: Engine, job_id: str, say: Callable[[str], None]
    ) -> None:
        self.reached = asyncio.Event()
        """Whether the job was seen waiting at a gate."""
        self._call = call
        self._ledger = ledger
        self._engine = engine
        self._job_id = job_id
        self._say = say
        self._view_told = False
        self._telling: set[asyncio.Task[None]] = set()

    def note(self, entry: JournalEntry) -> None:
        """Take note of what the journal says."""
        if entry.kind == "gate":
            task = asyncio.create_task(self._tell(entry.data.get("gate")))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Say what is still to be said."""
        await asyncio.gather(*self._telling)

    async def _tell(self, number: object) -> None:
        found = await asyncio.to_thread(self._ledger.gates, self._job_id, only_open=True)
        for gate in found:
            if gate.seq == number:
                self._say(how_to_answer(self._call, gate, await self._page(gate)))
                self._tell_view()
                self.reached.set()

    async def _page(self, gate: GateRecord) -> str:
        from temporalio.service import RPCError

        client = self._engine.client
        with suppress(RPCError):
            run = (await client.get_workflow_handle(gate.owner_id).describe()).run_id
            return user_metadata_link(self._engine.ui_url, client.namespace, gate.owner_id, run)
        return ""

    def _tell_view(self) -> None:
        if not self._view_told:
            self._view_told = True
            link = waiting_view_link(self._engine.ui_url, self._engine.client.namespace)
            self._say(f"  everything that waits, as a view that the UI keeps: {link}")
