"""``open_loop``, ``open_attempt`` and ``close_attempt``: what stands around an attempt's steps."""

from __future__ import annotations

import asyncio
from functools import partial

from temporalio import activity

from activities.beating import beating, this_workflow, whole
from activities.context import LoopContext, read_context, sandbox_plan
from activities.refusing import refusal
from activities.services import Services
from thirdshift.core.conversation import said_by_user
from thirdshift.core.errors import SetupFailed
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import AttemptClosing, AttemptRow, LoopRow
from thirdshift.core.plan import Plan
from thirdshift.core.ports import StopKind
from thirdshift.core.prompt import opening_text, system_text
from thirdshift.core.relevant_files import relevant_files
from thirdshift.core.spec import Spec
from thirdshift.core.text_protocol import files_in_answer
from thirdshift.core.tools import tools_for
from thirdshift.core.verdict import Verdict
from thirdshift.core.window import room_beside, room_for_evidence
from thirdshift.signatures import (
    AttemptClosed,
    AttemptOpened,
    CloseAttempt,
    LoopOpened,
    OpenAttempt,
    OpenLoop,
)

AGENTS_MD_BYTES = 64 << 10
SHOWN_FILE_BYTES = 64 << 10
LABEL_BYTES = 48
"""About what the path and the fences take that a file is shown with."""


def opening_mark(number: int) -> str:
    """Names the state of a workspace that an attempt starts from."""
    return f"{number}:0"


class AttemptActivities:
    """``open_loop`` runs on whichever host claims the loop, the others there or near the ledger."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="open_loop")
    async def open_loop(self, given: OpenLoop) -> LoopOpened:
        """Claim the loop for this host."""
        services = self._services
        row = LoopRow(
            loop_id=this_workflow(),
            job_id=given.job_id,
            packet=given.packet,
            base_tree=given.start.tree,
            checks=given.checks,
            opened_at=services.clock(),
        )
        await whole(services.ledger.open_loop, row)
        return LoopOpened(queue=services.queue)

    @activity.defn(name="open_attempt")
    async def open_attempt(self, given: OpenAttempt) -> AttemptOpened:
        """Restore the best tree, open a sandbox on it, and write the conversation's opening."""
        services, loop_id = self._services, this_workflow()
        async with beating():
            context = await asyncio.to_thread(read_context, services, loop_id)
            row = await asyncio.to_thread(self._row, loop_id, context, given)
            await whole(services.ledger.open_attempt, row)
            await services.workspaces.rest(loop_id)
            mark = opening_mark(given.number)
            try:
                async with services.workspaces.stand_on(
                    loop_id, given.start.tree, mark, lambda directory: sandbox_plan(services, context, directory)
                ):
                    return AttemptOpened(host=services.host)
            except SetupFailed as failure:
                raise refusal(StopReason.SETUP_FAILED, str(failure)) from failure

    def _row(self, loop_id: str, context: LoopContext, given: OpenAttempt) -> AttemptRow:
        services, spec, tree = self._services, context.spec, given.start.tree
        stored = services.ledger.get_plan(given.job_id)
        plan = Plan.model_validate_json(stored) if stored else None
        agents_md = services.hub.read_file(context.job.base_tree, "AGENTS.md", AGENTS_MD_BYTES)
        system = system_text(spec, (agents_md or b"").decode(errors="replace"), plan, given.rung, context.criteria)
        return AttemptRow(
            owner_id=loop_id,
            job_id=given.job_id,
            number=given.number,
            role="code",
            rung=given.rung,
            reason=given.reason,
            start_tree=tree,
            start_commit=given.start.commit,
            host=services.host,
            opened_at=services.clock(),
            system=system,
            tools=tools_for(given.rung),
            opening=(said_by_user(self._opening(loop_id, spec, plan, system, given)),),
        )

    def _opening(self, loop_id: str, spec: Spec, plan: Plan | None, system: str, given: OpenAttempt) -> str:
        """A rung that cannot look for itself is shown as much of the repository as its window holds."""
        rung, tree = given.rung, given.start.tree
        room = room_for_evidence(rung, _bytes(system))
        say = partial(
            opening_text,
            spec,
            attempt=given.number,
            of=given.of,
            verdict=self._verdict(given.verdict),
            baseline=self._verdict(given.baseline),
        )
        if rung.tools != "text":
            return say(room=room)
        paths = self._services.hub.list_paths(tree)
        say = partial(say, unused=self._unused(loop_id, given.number - 1, paths))
        room = room_beside(room, rung, _bytes(system) + _bytes(say(room=room)), sum(map(_bytes, paths)) + len(paths))
        files = relevant_files(paths, spec, plan, lambda path: self._text(tree, path), room.files, LABEL_BYTES)
        return say(files=files, paths=paths if room.paths else (), room=room)

    def _unused(self, loop_id: str, number: int, known: tuple[str, ...]) -> tuple[str, ...]:
        """What of an earlier text answer was not used; nothing where there was no such answer."""
        ledger = self._services.ledger
        try:
            told_whole = ledger.conversation(loop_id, number).attempt.rung.tools == "text"
        except KeyError:
            return ()
        last_call, _, _ = ledger.standing(loop_id, number)
        if not told_whole or not last_call:
            return ()
        answer = ledger.answer(last_call)
        return files_in_answer(answer.message.text, known, cut=answer.stop is StopKind.MAX_TOKENS).problems

    def _verdict(self, number: int | None) -> Verdict | None:
        return None if number is None else self._services.ledger.get_verdict(number)

    def _text(self, tree: str, path: str) -> str | None:
        content = self._services.hub.read_file(tree, path, SHOWN_FILE_BYTES)
        try:
            return None if content is None else content.decode()
        except UnicodeDecodeError:
            return None

    @activity.defn(name="close_attempt")
    async def close_attempt(self, given: CloseAttempt) -> AttemptClosed:
        """Note how the attempt ended, and what it cost."""
        services = self._services
        closing = AttemptClosing(
            owner_id=this_workflow(),
            number=given.n,
            end=given.end,
            evidence=given.evidence,
            verdict_id=given.verdict,
            closed_at=services.clock(),
        )
        try:
            return AttemptClosed(cost_nano=await whole(services.ledger.close_attempt, closing))
        except KeyError:
            # It was stopped before it was opened.
            return AttemptClosed(cost_nano=0)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
