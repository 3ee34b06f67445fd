"""The Temporal workers of one process: one for each queue that this machine can serve."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.attempts import AttemptActivities
from activities.delivery import DeliveryActivities, DeliveryServices, MergeVerification
from activities.gating import GateActivities, GateLinks
from activities.jobs import JobActivities
from activities.model import ModelActivities
from activities.mornings import MorningActivities
from activities.nights import NightActivities
from activities.services import Services
from activities.steering import SteeringActivities
from activities.tools import ToolActivities
from activities.verification import VerificationActivities
from thirdshift.adapters.engine.principals import PrincipalReader
from thirdshift.bootstrap.delivery import open_delivery
from thirdshift.bootstrap.intake import intake_activities
from thirdshift.bootstrap.mornings import gate_links, morning_of
from thirdshift.bootstrap.nights import SpecDesk
from thirdshift.bootstrap.notifying import open_notifier
from thirdshift.bootstrap.workflow_worker import BUILD_ID, GRACE, workflow_worker
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.settings import Settings
from thirdshift.settings.duties import Duty
from thirdshift.signatures import DELIVERY_QUEUE, HOSTS_QUEUE, model_queue

HEARD_WITHIN = timedelta(seconds=1)
"""Heartbeats are passed on at least this often, so that a stop reaches a running command in time."""
CALLS_AT_ONCE = 100
THREADS = 48
"""Waits for git and the ledger are waits, not work: a few slow fetches must not keep every call from settling."""
IDLE_SANDBOX_SECONDS = 600.0

_log = logging.getLogger(__name__)


def _activity_worker(
    client: Client, queue: str, activities: Sequence[Callable[..., Any]], at_once: int, per_second: float | None = None
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=list(activities),
        max_concurrent_activities=at_once,
        max_task_queue_activities_per_second=per_second,
        build_id=BUILD_ID,
        max_heartbeat_throttle_interval=HEARD_WITHIN,
        graceful_shutdown_timeout=GRACE,
    )


def workers(
    settings: Settings,
    services: Services,
    client: Client,
    delivery: DeliveryServices | None,
    ui_url: str = "",
    only: Duty | None = None,
) -> list[Worker]:
    """Every worker that this process can run: a provider without a key here has none.

    ``delivery`` is None where the process does not deliver; ``only`` leaves out the other duties.
    """
    made = []
    notifier = open_notifier(settings) if delivery else None
    pages = GateLinks(ui_url=ui_url, namespace=client.namespace)
    reviews, vouched = str(settings.home / "reviews"), PrincipalReader(client).vouched
    gates = GateActivities(services, pages, notifier, reviews, vouched)
    nights = NightActivities(services, SpecDesk(settings, services, client))
    if only in (None, "hosts"):
        made += _host_workers(services, client, gates, nights)
    if delivery is not None:
        intake = intake_activities(settings, services, client)
        links = gate_links(ui_url, client.namespace)
        mornings = MorningActivities(
            lambda night_id, now: morning_of(services.ledger, night_id, now, links),
            services.clock,
            notifier,
            str(settings.home / "mornings"),
        )
        more: list[Callable[..., Any]] = [gates.notify, mornings.tell_morning]
        more += [intake.triage, intake.find_undecided, intake.tell_storm]
        more += [nights.open_night, nights.list_more, nights.admit_job]
        made.append(_delivery_worker(services, client, delivery, more))
    model = ModelActivities(services)
    for name in services.models:
        per_minute = settings.providers[name].requests_per_minute
        per_second = per_minute / 60 if per_minute else None
        made.append(_activity_worker(client, model_queue(name), [model.call_model], CALLS_AT_ONCE, per_second))
    return made


def _host_workers(services: Services, client: Client, gates: GateActivities, nights: NightActivities) -> list[Worker]:
    """The workflows, what needs the hub or the books, and what runs an agent's code: all of it without a secret."""
    steering = SteeringActivities(services)
    attempts, jobs = AttemptActivities(services), JobActivities(services)
    tools, verification = ToolActivities(services), VerificationActivities(services)
    merges = MergeVerification(services)
    cores = os.cpu_count() or 2
    return [
        workflow_worker(
            client,
            [
                jobs.keep_plan,
                attempts.close_attempt,
                gates.decide_gate,
                steering.say,
                steering.note_steering,
                steering.raise_budget,
                steering.rest_job,
                steering.wake_job,
                nights.leave_line,
                nights.jobs_gone,
                nights.night_standing,
                nights.close_night,
            ],
        ),
        _activity_worker(
            client,
            HOSTS_QUEUE,
            [attempts.open_loop, gates.open_gate, merges.verify_merge],
            cores * 4,
        ),
        _activity_worker(
            client, services.queue, [attempts.open_attempt, tools.run_tools, verification.verify], cores * 2
        ),
    ]


def _delivery_worker(
    services: Services,
    client: Client,
    delivery: DeliveryServices,
    more: Sequence[Callable[..., Any]],
) -> Worker:
    """What speaks with repositories, forges and people: it runs nobody's code."""
    jobs, made = JobActivities(services), DeliveryActivities(services, delivery)
    return _activity_worker(
        client,
        DELIVERY_QUEUE,
        [
            jobs.begin_job,
            jobs.finish_job,
            made.plan_merge,
            made.land_merge,
            made.push_branch,
            made.request_merge,
            *more,
        ],
        (os.cpu_count() or 2) * 4,
    )


def unconfined_warning(services: Services) -> str:
    """What everybody has to be told where a person chose no sandbox; empty where there is one."""
    if services.sandbox.name != "none":
        return ""
    return (
        'WARNING: [sandbox] backend = "none": agents\' code runs as this user, with its files, keys and network.\n'
        "Nothing holds it back. Every job that is submitted so is marked in the ledger: sandbox none."
    )


async def _refuse_without_walls(services: Services) -> None:
    """Raises SandboxUnavailable if a wall is missing, unless a person wrote out that there shall be none."""
    if warning := unconfined_warning(services):
        _log.warning("%s", warning)
        return
    missing = await services.sandbox.self_test()
    if missing:
        raise SandboxUnavailable(
            f"the {services.sandbox.name} sandbox does not hold on this machine: {', '.join(missing)};\n"
            "no agent's code is run in it. `thirdshift doctor` tells more; [sandbox] backend chooses another one"
        )


@contextlib.asynccontextmanager
async def working(
    settings: Settings, services: Services, client: Client, ui_url: str = "", only: Duty | None = None
) -> AsyncIterator[None]:
    """Work until the block is left. Raises SandboxUnavailable if a wall of the sandbox is missing.

    ``ui_url`` is where the Temporal UI answers, for the links that gates show. ``only`` leaves out the other duties;
    the services are to be opened with the same one.
    """
    settings = settings.for_duty(only)
    if only in (None, "hosts"):
        await _refuse_without_walls(services)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="thirdshift"))
    idle = asyncio.create_task(_rest_idle_sandboxes(services))
    try:
        async with contextlib.AsyncExitStack() as stack:
            delivers = only in (None, "delivery")
            delivery = stack.enter_context(open_delivery(settings)) if delivers else None
            for worker in workers(settings, services, client, delivery, ui_url, only):
                await stack.enter_async_context(worker)
            yield
    finally:
        idle.cancel()
        await services.workspaces.close()


async def _rest_idle_sandboxes(services: Services) -> None:
    while True:
        await asyncio.sleep(IDLE_SANDBOX_SECONDS / 10)
        try:
            await services.workspaces.rest_idle(IDLE_SANDBOX_SECONDS)
        except Exception:  # noqa: BLE001 - logged; one loop's trouble must not keep all sandboxes open
            _log.exception("idle sandboxes could not be closed")
