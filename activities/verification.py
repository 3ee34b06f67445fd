"""``verify``: the verdict on a tree, from commands alone."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.beating import beating, this_workflow, whole
from activities.context import read_context
from activities.judging import judge, known_base
from activities.refusing import refusal
from activities.services import Services
from thirdshift.core.errors import SetupFailed
from thirdshift.core.failure_signature import brief
from thirdshift.core.history import StopReason
from thirdshift.core.unrunnable import what_cannot_run
from thirdshift.core.verdict import VerdictBrief
from thirdshift.signatures import Verify


class VerificationActivities:
    """Runs on the host that has the loop's workspace, after the agent's processes there are dead."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="verify")
    async def verify(self, given: Verify) -> VerdictBrief:
        """Judge ``given.tree`` and keep the verdict; the same attempt and tree again gives the same number.

        A check that cannot run on base refuses the job: every attempt would fail it, whatever it wrote.
        """
        services, loop_id = self._services, this_workflow()
        async with beating():
            await services.workspaces.rest(loop_id)
            context = await asyncio.to_thread(read_context, services, loop_id)
            try:
                at_base = given.tree == context.job.base_tree
                base = None if at_base else await known_base(services, context)
                verdict = await judge(services, context, given.tree, base)
            except SetupFailed as failure:
                raise refusal(StopReason.SETUP_FAILED, str(failure)) from failure
            number = await whole(services.ledger.put_verdict, loop_id, given.n, verdict, services.clock())
            if given.n == 0:
                commands = {check.id: check.run for check in context.checks}
                if why := what_cannot_run(verdict, commands):
                    raise refusal(StopReason.SETUP_FAILED, why)
            return brief(verdict, number)
