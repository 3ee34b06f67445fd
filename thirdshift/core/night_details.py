"""A night as the stock Temporal UI shows it: Markdown for the Current Details of its ``Shift``. Instants are in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thirdshift.core.frozen import Frozen
from thirdshift.core.money import format_usd
from thirdshift.core.text import fenced, one_line
from thirdshift.core.words import counted

SHOWN = 20
"""Jobs of one kind that are named; of the others the number is told."""


class NightStatus(Frozen):
    """Answer to the query ``status`` of ``Shift``."""

    night: str
    """Empty until it is known which night it is."""
    state: str
    """opening, open, draining, closing; at the end closed, stopped, tripped or not_opened."""
    opens_at: datetime | None = None
    drains_at: datetime | None = None
    closes_at: datetime | None = None
    budget_nano: int
    charged_nano: int = 0
    """Settled, held and unknown: what is left is surely free."""
    counted_at: datetime | None = None
    """When the money was counted; a night does so now and then, not at each call. None: not yet."""
    concurrency: int
    running: tuple[str, ...] = ()
    """Jobs that hold a place."""
    waiting: int = 0
    """Lines of the list that have not begun."""
    resting: tuple[str, ...] = ()
    """Jobs begun that wait for a person."""
    parked: tuple[str, ...] = ()
    begun: int = 0
    why_no_more: str = ""
    """Why nothing more is admitted now; empty where nothing waits."""
    next: str = ""
    """What happens next, and when."""
    stop_asked: str | None = None


def night_details(status: NightStatus) -> str:
    """The page: state, window, money, what runs, what waits and why, what happens next."""
    parts = [f"**{status.state}**" + (f" night `{one_line(status.night)}`" if status.night else "")]
    if status.opens_at and status.drains_at and status.closes_at:
        parts.append(
            f"Window {status.opens_at:%Y-%m-%d %H:%M:%S} to {status.closes_at:%Y-%m-%d %H:%M:%S} UTC; "
            f"no step is begun from {status.drains_at:%H:%M:%S} on."
        )
    limit = format_usd(status.budget_nano)
    if status.counted_at:
        charged = format_usd(status.charged_nano, 4)
        parts.append(f"Money: ${charged} of ${limit} were spent or set aside at {status.counted_at:%H:%M:%S} UTC.")
    else:
        parts.append(f"Money: at most ${limit}; not counted yet.")
    begun = counted(status.begun, "job")
    parts.append(f"Places: {len(status.running)} of {status.concurrency} taken; {begun} begun so far.")
    parts += _named("Running", status.running)
    parts += _named("Waiting for a person", status.resting)
    parts += _named("Parked for the next night", status.parked)
    if status.waiting:
        why = f" {one_line(status.why_no_more, 300)}." if status.why_no_more else ""
        parts.append(f"Not begun: {status.waiting}.{why}")
    if status.stop_asked is not None:
        parts.append(f"A stop was asked for:\n{fenced(one_line(status.stop_asked, 300))}")
    if status.next:
        parts.append(f"Next: {status.next}")
    return "\n\n".join(parts)


def _named(what: str, jobs: Sequence[str]) -> list[str]:
    if not jobs:
        return []
    more = [f"and {len(jobs) - SHOWN} more"] if len(jobs) > SHOWN else []
    names = "\n".join([*(one_line(job, 120) for job in jobs[:SHOWN]), *more])
    return [f"{what}: {len(jobs)}\n{fenced(names)}"]
