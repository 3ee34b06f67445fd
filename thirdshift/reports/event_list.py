"""Events and what was decided on them, for people. Every text of an event is hostile, and shown so that it is inert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thirdshift.core.event_book import Decision, EventRecord
from thirdshift.core.text import one_line, visible
from thirdshift.reports.columns import Column, field, table, wrapped

_COLUMNS = (
    Column("event", figures=True),
    Column("age", figures=True),
    Column("kind", shrinks=True),
    Column("repository", shrinks=True),
    Column("title", shrinks=True),
    Column("decided"),
    Column("rule", shrinks=True),
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def render_events(records: Sequence[EventRecord], now: datetime) -> str:
    """The events in the order given, each with its decision, and below it the job or the reason."""
    if not records:
        return "no events"
    rows: list[list[str]] = []
    for record in records:
        event, decision = record.event, record.decision
        rows.append(
            [
                str(record.number),
                age(event.received_at, now),
                event.kind,
                event.repository,
                event.title,
                decision.what.value if decision else "waits",
                decision.rule if decision else "",
            ]
        )
        if decision and (told := _outcome(decision)):
            rows.append([told])
    return "\n".join(table(_COLUMNS, rows, indent=""))


def _outcome(decision: Decision) -> str:
    if decision.job_id:
        return decision.job_id
    return f"shift {decision.shift}" if decision.shift else decision.why.partition("\n")[0]


def render_event(record: EventRecord, now: datetime) -> str:
    """The whole of one event."""
    event, decision = record.event, record.decision
    lines = [
        field("event", f"{record.number}, {age(event.received_at, now)} old"),
        field("source", one_line(f"{event.source} {event.kind}", 200)),
        field("from", one_line(event.repository, 200)),
        field("received", f"{event.received_at:%Y-%m-%d %H:%M:%S} UTC"),
        field("delivery", one_line(event.delivery, 200)),
        field("same as", one_line(event.fingerprint, 200)),
        field("title", one_line(event.title, 400)),
    ]
    if decision is None:
        lines.append(field("decided", "not yet; its debounce window is open, or its signal was lost"))
    else:
        lines.append(field("decided", f"{decision.what}, {decision.at:%Y-%m-%d %H:%M:%S} UTC"))
        lines += [line for part in decision.why.splitlines() for line in wrapped(visible(part), indent=" " * 10)]
        told = {"rule": decision.rule, "job": decision.job_id, "shift": decision.shift}
        lines += [field(name, value) for name, value in told.items() if value]
    if event.facts:
        lines += ["", "facts"]
        lines += [f"  {one_line(name, 60)}: {one_line(value, 400)}" for name, value in sorted(event.facts.items())]
    if event.text:
        lines += ["", "text, as it came", *(f"  | {line}" for line in visible(event.text).split("\n"))]
    return "\n".join(lines)


def age(since: datetime, now: datetime) -> str:
    """How long ago, in its largest whole unit."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
