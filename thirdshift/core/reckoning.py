"""From the facts of a period to its answers. Pure: the same facts give the same answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Tier
from thirdshift.core.periods import Period, week_name, week_of
from thirdshift.core.questions import AttemptFact, Facts, Group, Line, Money, Use, by_spend
from thirdshift.core.routing import Output, Run, runs_of, use_by_job
from thirdshift.core.runaways import PolicyTotal, Stopped, stops_of, totals_of
from thirdshift.core.waste import Fates, Spent, Waste, attempts_built_on, sort_spend

_REASONS = frozenset(reason.value for reason in ReasonCode)


class Dimension(StrEnum):
    """What spend can be broken down by. People are not among them, on purpose."""

    MODEL = "model"
    TIER = "tier"
    ROLE = "role"
    REASON = "reason"
    RISK = "risk"
    REPOSITORY = "repository"
    SPEC = "spec"
    WORKFLOW = "workflow"
    TASK = "task"
    TIER_PATH = "tier-path"
    OUTPUT = "output"
    STOP = "stop"
    WEEK = "week"
    DAY = "day"

    @property
    def has_outcomes(self) -> bool:
        """Whether an outcome belongs to one group of it: several models, tiers, roles and reasons share a run."""
        return self not in (Dimension.MODEL, Dimension.TIER, Dimension.ROLE, Dimension.REASON)


class Cell(NamedTuple):
    """What a line is told apart by, its job and attempt left out."""

    model: str
    tier: str
    role: str
    reason: str
    risk: str
    day: date


Cells = Mapping[Cell, Use]

_OF_CELLS: dict[Dimension, Callable[[Cell], str]] = {
    Dimension.MODEL: lambda cell: cell.model,
    Dimension.TIER: lambda cell: cell.tier,
    Dimension.ROLE: lambda cell: cell.role,
    Dimension.REASON: lambda cell: cell.reason,
    Dimension.WEEK: lambda cell: week_of(cell.day).isoformat(),
    Dimension.DAY: lambda cell: cell.day.isoformat(),
}
_OF_RUNS: dict[Dimension, Callable[[Run], str]] = {
    Dimension.RISK: lambda run: run.job.risk,
    Dimension.REPOSITORY: lambda run: run.job.repository,
    Dimension.SPEC: lambda run: run.job.spec_path,
    Dimension.WORKFLOW: lambda run: run.job_id,
    Dimension.TASK: lambda run: run.job.task,
    Dimension.TIER_PATH: lambda run: run.tier_path,
    Dimension.OUTPUT: lambda run: run.output.value,
    Dimension.STOP: lambda run: run.job.stop_reason or "under_way",
}
OUTCOME_DIMENSIONS = (Dimension.TASK, Dimension.TIER_PATH, Dimension.REPOSITORY, Dimension.WEEK)
"""What the cost of an accepted outcome is told by."""


@dataclass(frozen=True)
class Frontier:
    """Calls of the dearest tier, by reason code, and the jobs where one had none."""

    calls: int
    by_reason: Mapping[str, int]
    unexplained: Sequence[tuple[str, int]]
    """Job, and how many of its frontier calls carry no known reason code."""


@dataclass(frozen=True)
class Answers:
    """Everything that a report says. Runs and outcomes that are counted ended within the period."""

    period: Period
    total: Use
    runs: Sequence[Run]
    accepted: int
    landed: int
    """Of the accepted ones, those that git showed on their base branch."""
    outputs: Mapping[Output, int]
    outputs_by_task: Mapping[str, Mapping[Output, int]]
    agents: Sequence[Group]
    """Key: model, tier, role."""
    by: Mapping[Dimension, Sequence[Group]]
    risks: Sequence[Group]
    """Key: risk, tier."""
    frontier: Frontier
    stops: Sequence[Stopped]
    stop_totals: Sequence[PolicyTotal]
    waste: Waste
    cells: Cells
    """The period's use, as finely as breakdowns need it."""

    @property
    def cost_per_accepted(self) -> Money | None:
        """All spend of the period over the outcomes accepted in it."""
        return Group(("all",), use=self.total, accepted=self.accepted).cost_per_accepted()

    @property
    def empty(self) -> bool:
        """Whether there was nothing to tell of."""
        return not self.runs


def reckon(facts: Facts, period: Period) -> Answers:
    """Answer every question about the period."""
    by_job = use_by_job(facts.lines)
    runs = runs_of(facts, by_job)
    cells = _cells(facts)
    total = Use()
    agents: dict[tuple[str, ...], Group] = {}
    for cell, use in cells.items():
        total.add(use)
        _group(agents, (cell.model, cell.tier, cell.role)).use.add(use)
    ended = [run for run in runs if period.has(run.ended_at)]
    counted = [run for run in ended if run.counts]
    stops = stops_of(facts, period, by_job)
    return Answers(
        period=period,
        total=total,
        runs=runs,
        accepted=len(counted),
        landed=sum(run.landed for run in counted),
        outputs=_outputs(ended),
        outputs_by_task={task: _outputs(found) for task, found in sorted(_by_task(ended).items())},
        agents=by_spend(agents),
        by={dimension: breakdown(dimension, cells, runs, period) for dimension in _ALWAYS},
        risks=_risks(cells, runs),
        frontier=_frontier(facts.lines),
        stops=stops,
        stop_totals=totals_of(stops),
        waste=_waste(facts, runs),
        cells=cells,
    )


def _cells(facts: Facts) -> dict[Cell, Use]:
    risk_of = {job.job_id: job.risk for job in facts.jobs}
    found: dict[Cell, Use] = {}
    for line in facts.lines:
        cell = Cell(line.model, line.tier, line.role, line.reason, risk_of.get(line.job_id, ""), line.day)
        use = found.get(cell)
        if use is None:
            use = found[cell] = Use()
        use.add(line)
    return found


_ALWAYS = (
    Dimension.REPOSITORY,
    Dimension.SPEC,
    Dimension.WORKFLOW,
    Dimension.TASK,
    Dimension.TIER_PATH,
    Dimension.WEEK,
)
_RISK_ORDER = {"high": 0, "medium": 1, "low": 2}


def _risks(cells: Cells, runs: Iterable[Run]) -> list[Group]:
    found: dict[tuple[str, ...], Group] = {}
    for cell, use in cells.items():
        _group(found, (cell.risk, cell.tier)).use.add(use)
    for run in runs:
        for tier in set(run.tiers):
            if group := found.get((run.job.risk, tier)):
                group.runs += 1
                group.accepted += run.counts
    return sorted(found.values(), key=_risk_order)


def _risk_order(group: Group) -> tuple[int, int, str]:
    risk, tier = group.key
    return _RISK_ORDER.get(risk, 3), Tier(tier).height if tier in list(Tier) else 3, risk


def breakdown(dimension: Dimension, cells: Cells, runs: Iterable[Run], period: Period) -> list[Group]:
    """The period's spend by one dimension: days and weeks in order, all else the dearest first.

    A group's accepted outcomes are those of its runs that ended in the period; in weeks and days, those that ended in
    that week or day. Models, tiers, roles and reasons have none: several of them share a run.
    """
    groups: dict[tuple[str, ...], Group] = {}
    if of_run := _OF_RUNS.get(dimension):
        for run in runs:
            group = _group(groups, (of_run(run),))
            group.use.add(run.use)
            group.runs += 1
            group.accepted += run.counts and period.has(run.ended_at)
        return by_spend(groups)
    of_cell = _OF_CELLS[dimension]
    for cell, use in cells.items():
        _group(groups, (of_cell(cell),)).use.add(use)
    if dimension not in (Dimension.WEEK, Dimension.DAY):
        return by_spend(groups)
    for run in runs:
        if run.ended_at is not None and period.has(run.ended_at):
            day = period.day_of(run.ended_at)
            group = _group(groups, ((week_of(day) if dimension is Dimension.WEEK else day).isoformat(),))
            group.runs += 1
            group.accepted += run.counts
    found = sorted(groups.values(), key=lambda group: group.key)
    if dimension is Dimension.WEEK:
        for group in found:
            group.key = (week_name(date.fromisoformat(group.key[0])),)
    return found


def _group(groups: dict[tuple[str, ...], Group], key: tuple[str, ...]) -> Group:
    found = groups.get(key)
    if found is None:
        found = groups[key] = Group(key)
    return found


def _outputs(runs: Iterable[Run]) -> dict[Output, int]:
    counts = dict.fromkeys(Output, 0)
    for run in runs:
        counts[run.output] += 1
    return counts


def _by_task(runs: Iterable[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        found[run.job.task].append(run)
    return found


def _frontier(lines: Iterable[Line]) -> Frontier:
    by_reason: dict[str, int] = defaultdict(int)
    unexplained: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.tier == Tier.FRONTIER.value:
            by_reason[line.reason] += line.calls
            if line.reason not in _REASONS:
                unexplained[line.job_id] += line.calls
    return Frontier(sum(by_reason.values()), dict(sorted(by_reason.items())), sorted(unexplained.items()))


def _waste(facts: Facts, runs: Iterable[Run]) -> Waste:
    outputs = {run.job_id: run.output for run in runs}
    accepted = frozenset(job_id for job_id, output in outputs.items() if output.counts)
    tried: dict[str, list[AttemptFact]] = defaultdict(list)
    for fact in facts.attempts:
        if fact.job_id in accepted:
            tried[fact.job_id].append(fact)
    built_on: set[int] = set()
    for attempts in tried.values():
        built_on |= attempts_built_on(attempts)
    spent = (
        Spent(line.attempt_id, line.job_id, Money(line.metered, line.imputed, line.unknown)) for line in facts.lines
    )
    fates = Fates(
        accepted_jobs=accepted,
        open_jobs=frozenset(job_id for job_id, output in outputs.items() if output is Output.UNDER_WAY),
        built_on=frozenset(built_on),
    )
    return sort_spend(spent, facts.odd_calls, fates)
