"""The Schedules of shifts, wired: their workflows' input and queue are of this layer's knowledge."""

from __future__ import annotations

from temporalio.client import Client

from thirdshift.adapters.engine.schedules import ShiftSchedules
from thirdshift.core.shifts import ShiftPlan
from thirdshift.night_signatures import ShiftInput
from thirdshift.signatures import WORKFLOW_QUEUE


def shift_schedules(client: Client) -> ShiftSchedules:
    """The shifts of this server."""

    def wrap(plan: ShiftPlan) -> ShiftInput:
        return ShiftInput(plan=plan)

    return ShiftSchedules(client, WORKFLOW_QUEUE, ShiftInput, wrap)
