"""``run_tools``: what an answer asked for, done in the workspace, stored, and snapshotted to the hub."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field

from temporalio import activity

from activities.beating import beating, this_workflow, whole
from activities.context import LoopContext, read_context, sandbox_plan
from activities.refusing import refusal
from activities.services import Services
from thirdshift.adapters.workspace.toolbox import Outcome, use
from thirdshift.adapters.workspace.workspaces import Workspace
from thirdshift.core.conversation import Message, Part, Text, ToolCall, ToolResult
from thirdshift.core.errors import SetupFailed, TreeRefused
from thirdshift.core.history import StopReason
from thirdshift.core.ladder import Rung
from thirdshift.core.ledger import CallRow, ToolRun
from thirdshift.core.money import format_usd
from thirdshift.core.ports import ModelAnswer, StopKind, Trailers
from thirdshift.core.text import redact, visible
from thirdshift.core.text_protocol import files_in_answer
from thirdshift.core.tools import CallRefused, WriteFile, read_call
from thirdshift.signatures import RunTools, ToolsRan

CUT_OFF = (
    "Your answer was cut off at the limit of output tokens, so nothing in it was run. "
    "Go on in smaller pieces: one tool call in an answer, and shorter files."
)


@dataclass
class Done:
    """What the tools of one answer gave so far."""

    asked: list[object] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    touched: bool = False
    finished: bool = False


@dataclass(frozen=True)
class Facts:
    """What a step begins with."""

    context: LoopContext
    rung: Rung
    known: tuple[str, ...]
    """Paths of the tree, where the text protocol needs them to recognise labels."""
    call: CallRow
    answer: ModelAnswer
    last_call: int
    standing: tuple[str, str]
    """Tree and commit that the step starts from."""


class ToolActivities:
    """Runs on the host that has the loop's workspace."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="run_tools")
    async def run_tools(self, given: RunTools) -> ToolsRan:
        """Run them once: a retry of a step that finished finds its results, and one that did not starts it over."""
        loop_id = this_workflow()
        async with beating():
            facts = await asyncio.to_thread(self._facts, loop_id, given)
            stored = facts if isinstance(facts, ToolRun) else await self._step(loop_id, given, facts)
        return ToolsRan(
            tree=stored.tree,
            commit=stored.commit if stored.changed else "",
            sig=stored.signature,
            finished=stored.finished,
        )

    def _facts(self, loop_id: str, given: RunTools) -> Facts | ToolRun:
        """Everything that the step needs from the books, in one go; or its outcome, if it has one."""
        ledger = self._services.ledger
        if stored := ledger.tool_run(given.call):
            return stored
        last_call, tree, commit = ledger.standing(loop_id, given.n)
        attempt = ledger.conversation(loop_id, given.n).attempt
        return Facts(
            context=read_context(self._services, loop_id),
            rung=attempt.rung,
            known=self._services.hub.list_paths(attempt.start_tree) if attempt.rung.tools == "text" else (),
            call=ledger.call(given.call),
            answer=ledger.answer(given.call),
            last_call=last_call,
            standing=(tree, commit),
        )

    async def _step(self, loop_id: str, given: RunTools, facts: Facts) -> ToolRun:
        services, ledger, context = self._services, self._services.ledger, facts.context
        began = time.monotonic()
        try:
            async with services.workspaces.stand_on(
                loop_id,
                facts.standing[0],
                f"{given.n}:{facts.last_call}",
                lambda directory: sandbox_plan(services, context, directory),
            ) as workspace:
                workspace.begin()
                done = await self._answered(facts, workspace)
                run = await self._recorded(facts, done, workspace, time.monotonic() - began)
                await whole(ledger.put_tool_run, run, services.clock())
                workspace.finish(f"{given.n}:{given.call}")
                return run
        except SetupFailed as failure:
            raise refusal(StopReason.SETUP_FAILED, str(failure)) from failure

    async def _answered(self, facts: Facts, workspace: Workspace) -> Done:
        """Do what the answer asks for. A tool runs only where the model stopped in order to have it run."""
        answer, rung = facts.answer, facts.rung
        if answer.stop is StopKind.MAX_TOKENS and rung.tools != "text":
            return _cut_off(answer.message)
        done = Done(asked=[(call.name, call.arguments, call.raw) for call in answer.message.tool_calls])
        if rung.tools == "text":
            await self._written_out(answer, facts.known, workspace, done)
        elif answer.stop is StopKind.TOOLS:
            for call in answer.message.tool_calls:
                request = (
                    CallRefused(text="Not run: `finish` came before it.") if done.finished else read_call(call, rung)
                )
                if isinstance(request, CallRefused):
                    self._note(done, call, Outcome(text=request.text, is_error=True))
                else:
                    self._note(done, call, await use(request, workspace.directory, workspace.open_session))
        else:
            done.finished = True
        return done

    async def _written_out(self, answer: ModelAnswer, known: tuple[str, ...], workspace: Workspace, done: Done) -> None:
        """The text protocol: whole files in fences, one step an attempt."""
        done.finished = True
        found = files_in_answer(answer.message.text, known, cut=answer.stop is StopKind.MAX_TOKENS)
        for path, content in found.files:
            outcome = await use(WriteFile(path=path, content=content), workspace.directory, workspace.open_session)
            done.touched = done.touched or outcome.touched
            done.parts.append(Text(text=f"{outcome.text}\n"))
        done.parts.extend(Text(text=f"{problem}\n") for problem in found.problems)

    def _note(self, done: Done, call: ToolCall, outcome: Outcome) -> None:
        text = visible(redact(outcome.text, self._services.secrets))
        done.parts.append(ToolResult(call_id=call.id, text=text, is_error=outcome.is_error))
        done.touched = done.touched or outcome.touched
        done.finished = done.finished or outcome.finished

    async def _recorded(self, facts: Facts, done: Done, workspace: Workspace, seconds: float) -> ToolRun:
        context, call, (tree, commit) = facts.context, facts.call, facts.standing
        changed = False
        if done.touched:
            trailers = Trailers(
                job=context.job.job_id,
                loop=context.loop.loop_id,
                attempt=call.attempt_number,
                step=call.step,
                model=call.model,
                cost_usd=format_usd(call.cost_nano),
            )
            hub, loop_id = self._services.hub, context.loop.loop_id
            try:
                shot = await whole(hub.snapshot, workspace.directory, loop_id, commit, trailers)
            except TreeRefused as refused:
                done.parts.append(Text(text=f"The tree cannot be kept as it is, so this step is not in it: {refused}"))
                done.finished = False
            else:
                changed = shot.changed
                tree, commit = (shot.tree, shot.commit) if changed else facts.standing
        return ToolRun(
            call_id=call.call_id,
            results=Message(role="user", parts=tuple(done.parts)),
            tree=tree,
            commit=commit,
            changed=changed,
            signature=_signature(done),
            seconds=seconds,
            finished=done.finished,
        )


def _cut_off(message: Message) -> Done:
    """Input that was cut may parse as a shorter, valid object, so nothing of such an answer is run."""
    results: list[Part] = [
        ToolResult(call_id=call.id, text="Not run: the answer was cut off.", is_error=True)
        for call in message.tool_calls
    ]
    return Done(parts=[*results, Text(text=CUT_OFF)])


def _signature(done: Done) -> str:
    """Equal for equal calls with equal results, whatever ids the vendor gave them."""
    given = [part.text for part in done.parts if isinstance(part, ToolResult | Text)]
    return hashlib.sha256(repr((done.asked, given)).encode(errors="replace")).hexdigest()[:12]
