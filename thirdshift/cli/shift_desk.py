"""What every command on shifts needs: the Schedules of the server that is up, and how a shift is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from thirdshift.core.errors import BadInput
from thirdshift.core.findings import closest
from thirdshift.core.money import format_usd
from thirdshift.core.nights import Night, next_nights, which_night
from thirdshift.core.shift_words import plan_words, span, weekday_words
from thirdshift.core.ui_links import schedule_link, workflow_link
from thirdshift.core.words import counted, listed

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.adapters.engine.schedules import ShiftSchedule, ShiftSchedules
    from thirdshift.settings import Settings

SHOWN_NIGHTS = 5


@dataclass(frozen=True)
class RunningNight:
    """A workflow of a shift that has not ended."""

    workflow_id: str
    night: Night | None
    ui_url: str
    why: str = ""
    """Why it opens no night, where it opens none."""


@dataclass(frozen=True)
class ShiftDesk:
    """The shifts of one server."""

    engine: Engine
    schedules: ShiftSchedules

    async def known(self, name: str) -> ShiftSchedule:
        """The shift of that name. Raises BadInput, which names those that there are."""
        found = await self.schedules.find(name)
        if found is not None:
            return found
        names = list(await self.schedules.names())
        meant = closest(name, names)
        remedy = f"did you mean `{meant}`?" if meant else f"known: {listed(names)}" if names else "there is none yet"
        raise BadInput(f"there is no shift `{name}`; {remedy}")

    def link(self, shift: ShiftSchedule) -> str:
        """Its page in the Web UI."""
        return schedule_link(self.engine.ui_url, self.engine.client.namespace, shift.schedule_id)

    async def running(self, shift: ShiftSchedule) -> list[RunningNight]:
        """Its workflows that have not ended, and the night that each is for."""
        return [await self.night(shift, workflow_id) for workflow_id in shift.running]

    async def night(self, shift: ShiftSchedule, workflow_id: str) -> RunningNight:
        """A workflow of a shift, and the night that it is for."""
        from temporalio.common import SearchAttributeKey
        from temporalio.service import RPCError

        client = self.engine.client
        link = workflow_link(self.engine.ui_url, client.namespace, workflow_id)
        try:
            found = await client.get_workflow_handle(workflow_id).describe()
        except RPCError:
            # The server lists what runs a moment later than it ends.
            return RunningNight(workflow_id, None, link)
        meant = found.typed_search_attributes.get(SearchAttributeKey.for_datetime("TemporalScheduledStartTime"))
        which = which_night(shift.plan, found.start_time, meant, ZoneInfo(shift.plan.zone))
        link = workflow_link(self.engine.ui_url, client.namespace, workflow_id, found.run_id)
        return RunningNight(workflow_id, which.night, link, which.why)


@asynccontextmanager
async def shift_desk(settings: Settings) -> AsyncIterator[ShiftDesk]:
    """The shifts of the server that is up. Raises EngineUnavailable where none is."""
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.shifts import shift_schedules

    async with open_engine(
        settings.engine, settings.home, may_start=False, identity=settings.submitter, redactor=redactor_of(settings)
    ) as engine:
        yield ShiftDesk(engine, shift_schedules(engine.client))


def night_row(night: Night, zone: ZoneInfo) -> dict[str, Any]:
    """A night for programs: instants in UTC, and the same as the clock on the wall shows them."""
    return {
        "night": night.id,
        "day": night.day.isoformat(),
        "opens_at": night.opens_at.isoformat(),
        "drains_at": night.drains_at.isoformat(),
        "closes_at": night.closes_at.isoformat(),
        "opens_local": night.opens_at.astimezone(zone).isoformat(),
        "closes_local": night.closes_at.astimezone(zone).isoformat(),
        "seconds": int((night.closes_at - night.opens_at).total_seconds()),
    }


def shift_row(shift: ShiftSchedule, link: str, running: list[RunningNight], now: datetime) -> dict[str, Any]:
    """A shift for programs."""
    plan = shift.plan
    zone = ZoneInfo(plan.zone)
    return {
        "shift": plan.name,
        "schedule_id": shift.schedule_id,
        "ui_url": link,
        "paused": shift.paused,
        "note": shift.note,
        "from_file": shift.from_file,
        "root": plan.root,
        "specs": list(plan.specs),
        "window": f"{plan.opens:%H:%M}-{plan.closes:%H:%M}",
        "tz": plan.zone,
        "weekdays": [str(day) for day in plan.weekdays],
        "holidays": [day.isoformat() for day in plan.holidays],
        "budget_usd": format_usd(plan.budget_nano),
        "concurrency": plan.concurrency,
        "deliver": plan.deliver.value,
        "jitter_seconds": plan.jitter_seconds,
        "catch_up_seconds": plan.catch_up_seconds,
        "drain_seconds": plan.drain_seconds,
        "breaker": plan.breaker.model_dump(),
        "submitter": plan.submitter,
        "nights_begun": shift.begun,
        "starts_missed": shift.missed,
        "starts_passed_over": shift.passed_over,
        "next_nights": [night_row(night, zone) for night in next_nights(plan, now, SHOWN_NIGHTS, zone)],
        "running": [
            {"workflow_id": one.workflow_id, "ui_url": one.ui_url} | (night_row(one.night, zone) if one.night else {})
            for one in running
        ],
    }


def shift_page(shift: ShiftSchedule, link: str, running: list[RunningNight], now: datetime) -> str:
    """A shift for a person."""
    plan = shift.plan
    zone = ZoneInfo(plan.zone)
    lines = [f"shift {plan.name}: {state_words(shift)}", *(f"  {line}" for line in plan_words(plan))]
    lines.append(f"  made by {plan.submitter}" + (f"; applied from {shift.from_file}" if shift.from_file else ""))
    nights = next_nights(plan, now, SHOWN_NIGHTS, zone)
    lines.append("next nights, if it is resumed:" if shift.paused else "next nights:")
    lines += [f"  {night_words(night, zone)}" for night in nights] or ["  none: its weekdays and holidays leave no day"]
    for one in running:
        lines.append(f"running: {one.workflow_id}" + (f", until {_until(one.night, zone)}" if one.night else ""))
        lines.append(f"  {one.ui_url}")
    counts = f"{counted(shift.begun, 'night')} begun"
    if shift.missed:
        patience = span(plan.catch_up_seconds)
        counts += f"; {counted(shift.missed, 'start')} missed: the server was down for longer than {patience}"
    if shift.passed_over:
        counts += f"; {counted(shift.passed_over, 'start')} passed over: the night before still ran"
    lines += [counts, f"schedule: {link}"]
    return "\n".join(lines)


def night_words(night: Night, zone: ZoneInfo) -> str:
    """``Sat 2027-03-27  22:00-06:00 CET/CEST  21:00-04:00 UTC  7h``."""
    opens, closes = night.opens_at.astimezone(zone), night.closes_at.astimezone(zone)
    names = "/".join(dict.fromkeys((opens.tzname() or "", closes.tzname() or "")))
    length = span((night.closes_at - night.opens_at).total_seconds())
    utc = f"{night.opens_at:%H:%M}-{night.closes_at:%H:%M} UTC"
    return f"{night.day:%a} {night.day}  {opens:%H:%M}-{closes:%H:%M} {names}  {utc}  {length}"


def state_words(shift: ShiftSchedule) -> str:
    """Whether it is on, is paused and why, or has a night under way."""
    if shift.paused:
        return f"PAUSED: {shift.note or 'nobody said why'}"
    return "on; a night is running" if shift.running else "on"


def list_row(shift: ShiftSchedule, now: datetime) -> tuple[str, ...]:
    """A shift on one line: name, state, window, days, money, when it opens next."""
    plan = shift.plan
    zone = ZoneInfo(plan.zone)
    upcoming = next_nights(plan, now, 1, zone)
    return (
        plan.name,
        ("paused, running" if shift.running else "paused") if shift.paused else "running" if shift.running else "on",
        f"{plan.opens:%H:%M}-{plan.closes:%H:%M} {plan.zone}",
        weekday_words(plan.weekdays),
        f"{format_usd(plan.budget_nano)} USD",
        "no next night until it is resumed"
        if shift.paused
        else f"next {upcoming[0].opens_at.astimezone(zone):%a %Y-%m-%d %H:%M}"
        if upcoming
        else "no next night",
    )


def _until(night: Night, zone: ZoneInfo) -> str:
    words = f"{night.closes_at.astimezone(zone):%H:%M} {zone.key}"
    return f"{words} ({night.id}, begun by hand)" if night.by_hand else f"{words} ({night.id})"
