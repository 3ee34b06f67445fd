"""``OutcomesSync``: one look at what became of delivered work. A Temporal Schedule starts it once a day."""

from __future__ import annotations

from temporalio import workflow

from thirdshift import intake_signatures as signatures
from thirdshift.signatures import DELIVERY_QUEUE
from workflows import options


@workflow.defn(name="OutcomesSync")
class OutcomesSync:
    """What it finds is in the ledger; its result says how much that was."""

    @workflow.run
    async def run(self) -> str:
        """Look once."""
        looked = await workflow.execute_activity(
            signatures.look_at_outcomes,
            task_queue=DELIVERY_QUEUE,
            start_to_close_timeout=options.TOOLS,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
        )
        return looked.words
