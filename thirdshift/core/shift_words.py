"""A shift's plan in words, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

from thirdshift.core.money import format_usd
from thirdshift.core.shifts import ShiftPlan, Weekday
from thirdshift.core.words import counted, listed

_DELIVERS = {
    "branch": "delivers to a branch at most",
    "merge": "merges what is accepted",
    "push": "pushes a branch at most",
    "pull-request": "opens a pull request at most",
}
_WRITTEN_AS = {
    "opens": "window", "closes": "window", "zone": "tz", "budget_nano": "budget_usd", "jitter_seconds": "jitter",
    "catch_up_seconds": "catch_up", "drain_seconds": "drain",
}  # fmt: skip


def window_words(plan: ShiftPlan) -> str:
    """``22:00-06:00 Europe/Berlin, mon-fri``."""
    days = weekday_words(plan.weekdays)
    return f"{_clock(plan.opens)}-{_clock(plan.closes)} {plan.zone}, {days}"


def plan_words(plan: ShiftPlan) -> tuple[str, ...]:
    """The plan, a sentence a line."""
    budget, terms = format_usd(plan.budget_nano), plan.breaker
    late = f"begins up to {span(plan.jitter_seconds)} late by chance; " if plan.jitter_seconds else ""
    lines = [
        f"{', '.join(plan.specs)} below {plan.root}",
        window_words(plan) + (f", but not on {counted(len(plan.holidays), 'holiday')}" if plan.holidays else ""),
        f"at most {budget} USD a night, {counted(plan.concurrency, 'job')} at once; {_DELIVERS[plan.deliver]}",
        late + f"is caught up with for {span(plan.catch_up_seconds)} if the server was down;"
        f" drains {span(plan.drain_seconds)} before it closes",
        f"stops itself at {terms.spend_rate_times:g} times the planned spending, at"
        f" {terms.failed_verdicts_share:.0%} failed verdicts or {terms.faulted_calls_share:.0%} faulted calls",
    ]
    if plan.repeat:
        lines.append("works again on what was accepted, once its base has moved")
    return tuple(lines)


def changes(before: ShiftPlan, after: ShiftPlan) -> tuple[str, ...]:
    """What differs, by the keys that people write; who made the shift is no part of its plan."""
    names = [name for name in ShiftPlan.model_fields if name != "submitter"]
    keys = dict.fromkeys(_WRITTEN_AS.get(name, name) for name in names if getattr(before, name) != getattr(after, name))
    return tuple(f"{key}: {_change(key, before, after)}" for key in keys)


def weekday_words(days: Sequence[Weekday]) -> str:
    """``daily``, ``mon-fri``, ``mon,wed``."""
    order = list(Weekday)
    if len(days) == len(order):
        return "daily"
    numbers = sorted(order.index(day) for day in days)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [
        f"{order[run[0]]}-{order[run[-1]]}" if len(run) > 2 else ",".join(order[number] for number in run)
        for run in runs
    ]
    return ",".join(parts) or "never"


def span(seconds: float) -> str:
    """A duration as it is written in a plan: ``1h30m``, ``90s`` is ``1m30s``."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if number]
    return "".join(parts) or "0s"


def _change(key: str, before: ShiftPlan, after: ShiftPlan) -> str:
    if key == "holidays":
        gone, new = set(before.holidays) - set(after.holidays), set(after.holidays) - set(before.holidays)
        return "; ".join(f"{word} {_dates(days)}" for word, days in (("without", gone), ("with", new)) if days)
    return f"{_written(key, before)} -> {_written(key, after)}"


def _written(key: str, plan: ShiftPlan) -> str:
    written = {
        "window": f"{_clock(plan.opens)}-{_clock(plan.closes)}",
        "tz": plan.zone,
        "specs": ", ".join(plan.specs),
        "weekdays": weekday_words(plan.weekdays),
        "budget_usd": format_usd(plan.budget_nano),
        "jitter": span(plan.jitter_seconds),
        "catch_up": span(plan.catch_up_seconds),
        "drain": span(plan.drain_seconds),
    }
    if key == "breaker":
        terms = plan.breaker.model_dump()
        return ", ".join(f"{name} {value:g}" for name, value in terms.items())
    return written[key] if key in written else str(getattr(plan, key))


def _dates(days: set[date]) -> str:
    return listed([day.isoformat() for day in sorted(days)])


def _clock(at: time) -> str:
    return at.isoformat("minutes" if not at.second else "seconds")
