"""What a person has to decide in the morning: a short list, in the order of urgency, each with its command. Pure.

First what keeps the next night from being of use (a tripped breaker, a key that is refused), then who waits for an
answer, the longest wait first, then money, then what has to be mended, then what was stopped.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import StrEnum

from thirdshift.core.frozen import Frozen
from thirdshift.core.history import StopReason
from thirdshift.core.money import NANO_PER_USD, format_usd
from thirdshift.core.morning_facts import NEEDS_A_PERSON, FaultAt, OpenGate, Purse, WorkedJob
from thirdshift.core.night_book import NightLine, NightRecord
from thirdshift.core.text import visible
from thirdshift.core.words import counted

NEARLY_SPENT = 95
"""Percent of a night's budget from which on too little is left for another job."""

_STOPPED_SHOWN = 4
"""More stopped jobs than these are one decision: a list that nobody reads to its end decides nothing."""


class DecideOn(StrEnum):
    """What kind of decision it is."""

    BREAKER = "breaker"
    PROVIDER = "provider"
    GATE = "gate"
    JOB_BUDGET = "job_budget"
    NIGHT_BUDGET = "night_budget"
    SPEC = "spec"
    STOPPED = "stopped"
    UNKNOWN = "unknown_money"


class Decide(Frozen):
    """One decision. Texts may hold hostile words of specs and vendors; the command is made of ids alone."""

    on: DecideOn
    what: str
    """The title of the job or spec, or a sentence."""
    why: str = ""
    command: str
    """To be pasted; one line."""
    job_id: str = ""
    gate: int | None = None
    kind: str = ""
    """Of the gate."""
    reviewers: tuple[str, ...] = ()
    """Who may answer the gate; none: anybody."""
    waited_seconds: float | None = None
    """Of a gate: how long it has been open."""
    link: str = ""
    """The page in the Web UI, where one is known."""


def what_to_decide(
    record: NightRecord,
    purse: Purse,
    gates: Sequence[Decide],
    stopped: Sequence[WorkedJob],
    refused: Sequence[NightLine],
    left_out: int,
    faults: Sequence[FaultAt],
) -> tuple[Decide, ...]:
    """Everything that wants a decision. ``gates`` are such decisions already; ``left_out``: lines passed over."""
    return (
        *_breaker(record),
        *_providers(faults),
        *gates,
        *_job_budgets(stopped),
        *_night_budget(record, purse, left_out),
        *(_mend(line) for line in refused),
        *_stopped(record, stopped),
        *_unknown(purse),
    )


def gate_to_decide(found: OpenGate, waited_seconds: float, link: str) -> Decide:
    """The decision that an open gate waits for."""
    gate = found.gate
    return Decide(
        on=DecideOn.GATE,
        what=found.title,
        why=gate.reason,
        command=f"thirdshift decide {gate.job_id}",
        job_id=gate.job_id,
        gate=gate.seq,
        kind=gate.kind.value,
        reviewers=gate.reviewers,
        waited_seconds=waited_seconds,
        link=link,
    )


def go_on_command(job: WorkedJob) -> str:
    """The one command by which a stopped job goes on, with figures that can be typed as they are."""
    fact, more = job.fact, ""
    if fact.stop_reason == StopReason.BUDGET.value and fact.budget_nano:
        # Twice the budget, in whole cents: a figure to begin with, not a recommendation.
        cents = -(-2 * fact.budget_nano * 100 // NANO_PER_USD)
        more = f" --budget-usd {format_usd(cents * NANO_PER_USD // 100, 2)}"
    return f"thirdshift resume {fact.job_id}{more}"


def _breaker(record: NightRecord) -> list[Decide]:
    if record.how != "tripped":
        return []
    shift = record.row.night.shift
    return [
        Decide(
            on=DecideOn.BREAKER,
            what="The circuit breaker stopped the night. May the next one run?",
            why=record.why,
            command=f"thirdshift shift pause {shift}",
        )
    ]


_ASKS = {
    "unauthorized": "refuses its key",
    "forbidden": "forbids what was asked of it",
    "quota_exhausted": "says that its quota is used up",
    "unknown_model": "does not know the model",
    "bad_request": "refuses the request as malformed",
}

_UNTIL = {"quota_exhausted": "a subscription's comes back by itself, a prepaid one is for a person to fill"}
_ELSE = "until it is mended, the next night fares the same"


def _providers(faults: Sequence[FaultAt]) -> list[Decide]:
    found: dict[tuple[str, str], int] = {}
    for fault in faults:
        if fault.kind in NEEDS_A_PERSON:
            key = (fault.model.partition("/")[0], fault.kind)
            found[key] = found.get(key, 0) + fault.calls
    return [
        Decide(
            on=DecideOn.PROVIDER,
            what=f"Provider {provider} {_ASKS[kind]}.",
            why=f"{counted(calls, 'call')} failed so; {_UNTIL.get(kind, _ELSE)}",
            command="thirdshift doctor",
        )
        for (provider, kind), calls in sorted(found.items())
    ]


def _job_budgets(stopped: Sequence[WorkedJob]) -> list[Decide]:
    return [
        Decide(
            on=DecideOn.JOB_BUDGET,
            what=job.fact.title,
            why=job.fact.evidence,
            command=go_on_command(job),
            job_id=job.job_id,
        )
        for job in stopped
        if job.fact.stop_reason == StopReason.BUDGET.value
    ]


def _night_budget(record: NightRecord, purse: Purse, left_out: int) -> list[Decide]:
    if not left_out or not purse.limit_nano or purse.used_nano * 100 < purse.limit_nano * NEARLY_SPENT:
        return []
    return [
        Decide(
            on=DecideOn.NIGHT_BUDGET,
            what=f"The night's money was used up, and {counted(left_out, 'spec')} did not begin. More for the next?",
            why=f"used ${format_usd(purse.used_nano, 2)} of ${format_usd(purse.limit_nano, 2)}",
            command=f"thirdshift shift show {record.row.night.shift}",
        )
    ]


def _mend(line: NightLine) -> Decide:
    # Whoever can add a file chooses its name: nothing in it may act on the terminal that the command is read in.
    path = visible(line.spec_path or line.key).replace("\n", "<U+000A>").replace("\t", "<U+0009>")
    return Decide(
        on=DecideOn.SPEC,
        what=line.title or line.spec_path,
        why=line.why,
        command=f"thirdshift check {shlex.quote(path)}",
    )


def _stopped(record: NightRecord, stopped: Sequence[WorkedJob]) -> list[Decide]:
    rest = [job for job in stopped if job.fact.stop_reason != StopReason.BUDGET.value]
    if len(rest) <= _STOPPED_SHOWN:
        return [
            Decide(
                on=DecideOn.STOPPED,
                what=job.fact.title,
                why=f"{job.fact.stop_reason}: {job.fact.evidence}",
                command=go_on_command(job),
                job_id=job.job_id,
            )
            for job in rest
        ]
    reasons: dict[str, int] = {}
    for job in rest:
        reasons[job.fact.stop_reason] = reasons.get(job.fact.stop_reason, 0) + 1
    night = record.row.night
    return [
        Decide(
            on=DecideOn.STOPPED,
            what=f"{len(rest)} jobs stopped. Let each go on, or leave it; its command is beside it, under Stopped.",
            why=", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items())),
            command=f"thirdshift shift report {night.shift} --night {night.id.partition('|')[2]}",
        )
    ]


def _shown(nano: int) -> str:
    """Cents; less than one is rounded up to a hundredth of one, so that it is never told as nothing."""
    hundredths = NANO_PER_USD // 10_000
    return format_usd(nano, 2) if nano >= NANO_PER_USD // 100 else format_usd(-(-nano // hundredths) * hundredths, 4)


def _unknown(purse: Purse) -> list[Decide]:
    if not purse.unknown_nano:
        return []
    return [
        Decide(
            on=DecideOn.UNKNOWN,
            what=f"Calls that may have been billed hold ${_shown(purse.unknown_nano)} of the night's budget.",
            why="compare them with the vendor's bill",
            command="thirdshift ledger reconcile",
        )
    ]
