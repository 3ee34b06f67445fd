"""The workers of the simulated fortnight: the product's own, but for the models and the work of a host.

Two processes. One has the workflows and what needs the books alone. The other has all the rest: models, host, delivery,
nights and intake; it is the one that is killed. (A workflow that a killed process had in its cache is handed to another
one after two seconds by a cluster, and never by the time-skipping server.) Their clock is that of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from temporalio import activity
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Worker
from temporalio.worker import Interceptor as WorkerInterceptor

from activities.attempts import AttemptActivities
from activities.beating import this_workflow, whole
from activities.context import read_context
from activities.gating import GateActivities, GateLinks
from activities.jobs import JobActivities
from activities.nights import NightActivities
from activities.services import Services
from activities.steering import SteeringActivities
from bench.rig.fortnight_plan import EAGLE, SPARROW, WRITTEN_TOKENS, Trouble, play_in
from thirdshift.adapters.workspace.workspaces import Workspaces
from thirdshift.bootstrap.delivery import open_delivery
from thirdshift.bootstrap.nights import SpecDesk
from thirdshift.bootstrap.services import open_services
from thirdshift.bootstrap.worker import THREADS, workers
from thirdshift.bootstrap.workflow_worker import workflow_worker
from thirdshift.core.conversation import Message, ToolCall, ToolResult
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.failure_signature import brief
from thirdshift.core.ledger import ToolRun
from thirdshift.core.ports import CommandEnd, ModelAnswer, ModelRequest, StopKind
from thirdshift.core.usage import Usage
from thirdshift.core.verdict import CheckOutcome, Verdict, VerdictBrief
from thirdshift.settings import load_settings
from thirdshift.signatures import HOSTS_QUEUE, CallModel, RunTools, ToolsRan, Verify

CHECKING = timedelta(minutes=6)
BUSY_SECONDS = 45.0
TIMED = ("call_model", "open_attempt", "run_tools", "verify")
"""What belongs to a step, and so to a window."""
_STEP: ContextVar[str] = ContextVar("step")


async def connected(address: str, *interceptors: ClientInterceptor) -> Client:
    """A client without keep-alive pings: the time-skipping server hangs up on whoever sends one each half minute."""
    return await Client.connect(
        address, data_converter=pydantic_data_converter, interceptors=interceptors, keep_alive_config=None
    )


def clock() -> datetime:
    """The server's time at which this activity's present try began. Activities take milliseconds of it."""
    return activity.info().started_time


def note(path: Path, **facts: object) -> None:
    """Append a line, whole even if the process is killed the next moment."""
    with path.open("a") as file:
        file.write(json.dumps(facts, default=str) + "\n")


class Watching(ClientInterceptor, WorkerInterceptor):
    """Notes when each part of a step was asked for, by the server's clock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Watch every activity."""
        path = self._path

        class Watched(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                info = activity.info()
                if info.activity_type == "call_model" and isinstance(given := input.args[0], CallModel):
                    _STEP.set(f"{info.workflow_id} {given.n} {given.s}")
                if info.activity_type in TIMED and info.attempt == 1:
                    note(path, what=info.activity_type, owner=info.workflow_id, asked_at=info.scheduled_time)
                return await super().execute_activity(input)

        return Watched(next)


class PlayedModel:
    """A provider in virtual time. It keeps a bill of its own: what it answered, and what that cost."""

    def __init__(self, root: Path, provider: str, trouble: Trouble) -> None:
        self._root = root
        self._provider = provider
        self._trouble = trouble

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """One step of the play that the spec names."""
        at = clock()
        if self._provider == "cheap":
            self._fail(at)
        play = play_in(request.system)
        step = sum(message.role == "assistant" for message in request.messages) + 1
        read = len(request.model_dump_json()) // 5
        prices = SPARROW if self._provider == "cheap" else EAGLE
        written = min(WRITTEN_TOKENS, request.max_output_tokens)  # with less room it says the same in fewer words
        cost_nano = (read * prices[0] + written * prices[1]) * 1000
        note(self._root / "bill", step=_STEP.get(), at=at, cost_nano=cost_nano)
        self._perhaps_die(at)
        name, given = ("finish", {"summary": "done"}) if step >= play.steps else ("bash", {"command": f"work {step}"})
        call = ToolCall(id=f"call-{step}", name=name, arguments=given)
        return ModelAnswer(
            message=Message(role="assistant", parts=(call,)),
            stop=StopKind.TOOLS,
            usage=Usage(input_tokens=read, output_tokens=written),
            served_model=request.model,
        )

    async def count_input(self, request: ModelRequest) -> int | None:
        """It counts for free."""
        return len(request.model_dump_json()) // 5

    async def close(self) -> None:
        """Nothing is open."""

    def _fail(self, at: datetime) -> None:
        trouble = self._trouble
        if trouble.away[0] <= at < trouble.away[1]:
            raise ModelFault(FaultKind.UNREACHABLE, "no route to host", may_be_billed=False)
        if trouble.quota[0] <= at < trouble.quota[1]:
            left = (trouble.quota[1] - at).total_seconds()
            raise ModelFault(FaultKind.QUOTA_EXHAUSTED, "quota", may_be_billed=False, retry_after_seconds=left)
        if trouble.busy[0] <= at < trouble.busy[1] and activity.info().attempt == 1:
            raise ModelFault(FaultKind.RATE_LIMITED, "429", may_be_billed=False, retry_after_seconds=BUSY_SECONDS)

    def _perhaps_die(self, at: datetime) -> None:
        """A kill in the worst moment: answered and billed, and not in the books yet."""
        for number, due in enumerate(self._trouble.kills):
            mark = self._root / f"killed-{number}"
            if due <= at < due + timedelta(hours=5) and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)


class NoWorkspaces:
    """In the place of workspaces and sandboxes: no command is run, so there is nothing to stand on."""

    @contextlib.asynccontextmanager
    async def stand_on(self, *_: object) -> AsyncIterator[None]:
        """Nowhere."""
        yield None

    async def rest(self, loop: str) -> None:
        """Nothing runs."""

    async def leave(self, loop: str) -> None:
        """Nothing is there."""


class PlayedHost:
    """``run_tools`` and ``verify`` without a sandbox: each takes its virtual minutes, and keeps the real books."""

    def __init__(self, services: Services, root: Path) -> None:
        self._services = services
        trees = json.loads((root / "trees.json").read_text())
        self._right: tuple[str, str] = tuple(trees["right"])
        self._wrong: list[tuple[str, str]] = [tuple(one) for one in trees["wrong"]]

    @activity.defn(name="run_tools")
    async def run_tools(self, given: RunTools) -> ToolsRan:
        """The last step but one changes the tree, for the better where the play says so."""
        ledger, loop_id = self._services.ledger, this_workflow()
        stored = await asyncio.to_thread(ledger.tool_run, given.call)
        if stored is None:
            context = await asyncio.to_thread(read_context, self._services, loop_id)
            play = play_in(context.spec.body)
            _take(timedelta(minutes=play.minutes))
            call = await asyncio.to_thread(ledger.call, given.call)
            _, *standing = await asyncio.to_thread(ledger.standing, loop_id, given.n)
            finished = call.step >= play.steps
            passes = play.passes in (call.tier.value, "economy")
            works = self._right if passes else self._wrong[given.n % len(self._wrong)]
            tree, commit = works if call.step == play.steps - 1 else standing
            results = ToolResult(call_id=f"call-{call.step}", text=f"step {call.step} is done")
            stored = ToolRun(
                call_id=given.call,
                results=Message(role="user", parts=(results,)),
                tree=tree,
                commit=commit,
                changed=tree != standing[0],
                signature=f"{given.n}-{call.step}",
                seconds=play.minutes * 60.0,
                finished=finished,
            )
            await whole(ledger.put_tool_run, stored, clock())
        commit = stored.commit if stored.changed else ""
        return ToolsRan(tree=stored.tree, commit=commit, sig=stored.signature, finished=stored.finished)

    @activity.defn(name="verify")
    async def verify(self, given: Verify) -> VerdictBrief:
        """One tree passes, every other fails in its own way."""
        _take(CHECKING)
        loop_id = this_workflow()
        context = await asyncio.to_thread(read_context, self._services, loop_id)
        passed = given.tree == self._right[0]
        outcomes = tuple(
            CheckOutcome(
                id=check.id,
                passed=passed or check.id == "lint",
                end=CommandEnd.EXITED,
                exit_code=0 if passed or check.id == "lint" else 1,
                seconds=CHECKING.total_seconds() / 2,
                output="" if passed else f"expected 5 in attempt {'abcdefghij'[given.n % 10]}",
                covers=check.covers,
            )
            for check in context.checks
        )
        verdict = Verdict(tree=given.tree, checks=outcomes)
        number = await whole(self._services.ledger.put_verdict, loop_id, given.n, verdict, clock())
        return brief(verdict, number)


def _take(time: timedelta) -> None:
    """Let virtual time pass: the first try ends at once, and the server skips to the second."""
    if activity.info().attempt == 1:
        raise ApplicationError("takes its time", type="virtual_time", next_retry_delay=time)


def run_worker(address: str, root: str, role: str) -> None:
    """The process: work until it is ended. ``role`` is ``workflows``, or ``work`` for all the rest."""
    logging.disable(logging.CRITICAL)  # what fails here is meant to, and is looked for in the books
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet))))
    asyncio.run(_work(address, Path(root), role))


async def _work(address: str, root: Path, role: str) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    client = await connected(address, Watching(root / "asked"))
    settings = load_settings(
        root / "thirdshift.toml", root, {"THIRDSHIFT_HOME": str(root / "home"), "PATH": "/usr/bin"}
    )
    trouble = Trouble.read(root / "trouble.json")
    async with contextlib.AsyncExitStack() as stack:
        real = await stack.enter_async_context(open_services(settings))
        models = {name: PlayedModel(root, name, trouble) for name in real.models}
        played = cast("Workspaces", NoWorkspaces())
        services = replace(real, clock=clock, models=models, workspaces=played)
        if role == "workflows":
            made = [_workflows(services, client, SpecDesk(settings, services, client), root)]
        else:
            delivery = stack.enter_context(open_delivery(settings))
            made = [*workers(settings, services, client, delivery, only="delivery"), *_hosts(services, client, root)]
        for worker in made:
            await stack.enter_async_context(worker)
        (root / f"up-{role}").touch()
        await asyncio.Event().wait()


def _workflows(services: Services, client: Client, desk: SpecDesk, root: Path) -> Worker:
    """As ``thirdshift.bootstrap.worker`` makes it."""
    gates = GateActivities(services, GateLinks(), None, str(root / "home" / "reviews"))
    nights, steering = NightActivities(services, desk), SteeringActivities(services)
    books: list[Callable[..., Any]] = [
        *(JobActivities(services).keep_plan, AttemptActivities(services).close_attempt, gates.decide_gate),
        *(steering.say, steering.note_steering, steering.raise_budget, steering.rest_job, steering.wake_job),
        *(nights.leave_line, nights.jobs_gone, nights.night_standing, nights.close_night),
    ]
    return workflow_worker(client, books)


def _hosts(services: Services, client: Client, root: Path) -> list[Worker]:
    """A host, played where it would run commands."""
    gates = GateActivities(services, GateLinks(), None, str(root / "home" / "reviews"))
    attempts, host = AttemptActivities(services), PlayedHost(services, root)
    return [
        Worker(client, task_queue=HOSTS_QUEUE, activities=[attempts.open_loop, gates.open_gate]),
        Worker(client, task_queue=services.queue, activities=[attempts.open_attempt, host.run_tools, host.verify]),
    ]
