"""Whose a night is: opened once, taken over from a workflow that was ended, refused where another one has it."""

from __future__ import annotations

import asyncio

from activities.beating import whole
from activities.listing import NightDesk
from activities.services import Services
from thirdshift.adapters.engine.workflow_state import WorkflowState
from thirdshift.core.night_book import NightRecord, NightRow, ParkedJob
from thirdshift.core.nights import Night

NIGHTS_LOOKED_AT = 30
"""How many of a shift's last nights are looked through for one that nobody has closed."""


async def claimed(services: Services, desk: NightDesk, row: NightRow) -> NightRow | str:
    """The night as it is open now for the workflow that asks; why not, where it is another one's or over for good."""
    ledger = services.ledger
    if row.night.by_hand and (other := await _beside(services, desk, row.night)):
        # The Schedule takes no second start, but one that was deleted and made again knows nothing of the first.
        return f"night {other.row.night.id} is under way already, in workflow {other.row.workflow_id}"
    if await whole(ledger.open_night, row):
        return row
    there = await asyncio.to_thread(ledger.night, row.night.id)
    if there.closed_at is None and await _is_lost(services, desk, there):
        await _close_for_it(services, there)
        there = await asyncio.to_thread(ledger.night, row.night.id)
    if there.closed_at is not None:
        later = _after(row, there)
        if await whole(ledger.open_night, later):
            return later
        there = await asyncio.to_thread(ledger.night, later.night.id)
    if there.closed_at is not None:
        return (
            f"night {there.row.night.id} was over at {there.closed_at:%H:%M:%S} UTC ({there.how}); a night is one night"
        )
    return f"night {there.row.night.id} is under way already, in workflow {there.row.workflow_id}"


def _after(row: NightRow, there: NightRecord) -> NightRow:
    """The same night again; one of its own where the shift's window was moved, and this one begins after that ended."""
    if row.night.opens_at < there.row.night.closes_at:
        return row
    night = row.night.model_copy(update={"id": f"{row.night.id}#{row.night.opens_at:%H:%M:%S}"})
    return row.model_copy(update={"night": night})


async def _beside(services: Services, desk: NightDesk, night: Night) -> NightRecord | None:
    """Another night of the shift that is under way."""
    for record in await asyncio.to_thread(services.ledger.nights, night.shift, NIGHTS_LOOKED_AT):
        is_other = record.row.night.id != night.id and record.closed_at is None
        if is_other and await desk.state_of(record.row.workflow_id) is WorkflowState.RUNNING:
            return record
    return None


async def close_lost(services: Services, desk: NightDesk, now_open: Night) -> None:
    """Close the shift's other nights whose workflows somebody ended in Temporal: nobody else would."""
    for record in await asyncio.to_thread(services.ledger.nights, now_open.shift, NIGHTS_LOOKED_AT):
        if record.row.night.id != now_open.id and record.closed_at is None and await _is_lost(services, desk, record):
            await _close_for_it(services, record)


async def _is_lost(services: Services, desk: NightDesk, record: NightRecord) -> bool:
    """Whether the workflow that had a night has ended without closing it."""
    state = await desk.state_of(record.row.workflow_id)
    is_past = record.row.night.closes_at <= services.clock()
    return state.closed or (is_past and state is WorkflowState.UNKNOWN)


async def _close_for_it(services: Services, record: NightRecord) -> None:
    at = min(services.clock(), record.row.night.closes_at)
    why = f"its workflow {record.row.workflow_id} ended without closing it"
    await whole(services.ledger.close_night, record.row.night.id, "stopped", why, at)


async def still_in(services: Services, desk: NightDesk, night: Night) -> list[ParkedJob]:
    """Jobs that run in a night which is opened once more: it hears of them, halts them and counts them again."""
    mine = [job for job in await asyncio.to_thread(services.ledger.open_jobs) if job.night == night.id]
    return [
        ParkedJob(
            **{name: getattr(job, name) for name in ParkedJob.model_fields if name != "parked_at"},
            parked_at=services.clock(),
        )
        for job in mine
        if await desk.state_of(job.job_id) is WorkflowState.RUNNING
    ]


async def other_night_of(services: Services, desk: NightDesk, job_id: str, night_id: str) -> str:
    """The other night that has this job now, and is under way; empty where none is."""
    job = await asyncio.to_thread(services.ledger.read_job, job_id)
    if job.night in ("", night_id):
        return ""
    record = await asyncio.to_thread(services.ledger.night, job.night)
    over = record.closed_at is not None or record.row.night.closes_at <= services.clock()
    if over or await desk.state_of(record.row.workflow_id) is not WorkflowState.RUNNING:
        return ""
    return job.night
