"""The answers in a terminal: eighty columns, the dearest first, what was left out said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from thirdshift.core.questions import Group, Money, Use
from thirdshift.core.reckoning import OUTCOME_DIMENSIONS, Answers, Dimension
from thirdshift.core.routing import Output
from thirdshift.core.runaways import PolicyTotal
from thirdshift.core.views import Spend
from thirdshift.core.waste import Cause
from thirdshift.core.words import listed
from thirdshift.reports.columns import Column, field, table, wrapped
from thirdshift.reports.figures import beside, count, money, numbered, share

EMPTY = "nothing in the ledger for this period"
_SHOWN = 8
_SHORT = {"economy": "eco", "specialist": "spec", "frontier": "front"}
_RUNS = 20
_USE = (
    Column("calls", figures=True),
    Column("in", figures=True),
    Column("cached", figures=True),
    Column("out", figures=True),
    Column("metered", figures=True),
)
CAUSES = {
    Cause.NO_OUTCOME: "no outcome",
    Cause.EXCESS_RETRY: "excess retry",
    Cause.LONG_CONTEXT: "long context",
    Cause.WASTED_TOOL: "wasted tool",
    Cause.UNNECESSARY_CALL: "unnecessary call",
    Cause.PRODUCTIVE: "productive",
}
"""The buckets as people read them."""


def render_answers(answers: Answers) -> str:
    """The report as text of at most eighty columns."""
    if answers.empty:
        return "\n".join([field("period", answers.period.words), EMPTY])
    parts = [
        _head(answers),
        _agents(answers),
        *(_drivers(answers, dimension) for dimension in (Dimension.REPOSITORY, Dimension.SPEC, Dimension.WORKFLOW)),
        _outcomes(answers),
        _tiers(answers),
        _stops(answers),
        *(_per_accepted(answers, dimension) for dimension in OUTCOME_DIMENSIONS),
        _waste(answers),
        _runs(answers),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def render_breakdown(answers: Answers, dimension: Dimension, groups: Sequence[Group]) -> str:
    """The period's spend by one dimension, all of it."""
    if answers.empty:
        return "\n".join([field("period", answers.period.words), EMPTY])
    body = _use_table((dimension.value,), groups, len(groups))
    return "\n".join([field("period", answers.period.words), *body, *_apart(answers.total)])


def _head(answers: Answers) -> list[str]:
    each = answers.cost_per_accepted
    said = [
        field("period", answers.period.words),
        field("runs", f"{len(answers.runs):,}, {_counts(answers)}"),
        field("metered", f"{money(answers.total.metered)} for {numbered(answers.total.calls, 'call')}"),
    ]
    if each is None:
        said.append(field("", "no run was accepted in this period"))
    else:
        accepted = numbered(answers.accepted, "accepted outcome")
        said.append(field("", f"{money(each.metered)} for each of {accepted}, failures included"))
    return said + _apart(answers.total, indent=10)


def _apart(use: Use, indent: int = 2) -> list[str]:
    spend = Spend(imputed_nano=use.imputed, unknown_nano=use.unknown, held_nano=use.held)
    return [line for sentence in beside(spend) for line in wrapped(sentence, indent=" " * indent)]


def _counts(answers: Answers) -> str:
    ended = ", ".join(
        f"{number:,} {output.value.replace('_', ' ')}" for output, number in answers.outputs.items() if number
    )
    return f"ended: {ended}" if ended else "none ended"


def _use_cells(use: Use) -> list[str]:
    return [
        count(use.calls),
        count(use.input_tokens),
        count(use.cached_tokens),
        count(use.output_tokens),
        money(use.metered),
    ]


def _use_table(names: Sequence[str], groups: Sequence[Group], shown: int) -> list[str]:
    columns = [*(Column(name, shrinks=True, by_end=name in _BY_END) for name in names), *_USE]
    lines = table(columns, [[*group.key, *_use_cells(group.use)] for group in groups[:shown]])
    return lines + _rest(len(groups) - shown)


_BY_END = frozenset({"repository", "spec", "workflow"})


def _rest(more: int) -> list[str]:
    return [f"  and {more:,} more; all of them with --json"] if more > 0 else []


def _agents(answers: Answers) -> list[str]:
    return ["1. WHO USED THE MOST", *_use_table(("model", "tier", "role"), answers.agents, _SHOWN)]


def _drivers(answers: Answers, dimension: Dimension) -> list[str]:
    heading = {
        Dimension.REPOSITORY: "2. WHAT DROVE THE SPEND: REPOSITORIES",
        Dimension.SPEC: "SPECS",
        Dimension.WORKFLOW: "WORKFLOWS",
    }[dimension]
    groups = answers.by[dimension]
    columns = (
        Column(dimension.value, shrinks=True, by_end=True),
        Column("runs", figures=True),
        Column("accepted", figures=True),
        Column("tokens", figures=True),
        Column("metered", figures=True),
    )
    rows = [
        [*group.key, count(group.runs), count(group.accepted), count(group.use.tokens), money(group.use.metered)]
        for group in groups[:_SHOWN]
    ]
    return [heading, *table(columns, rows), *_rest(len(groups) - _SHOWN)]


def _outcomes(answers: Answers) -> list[str]:
    if not any(answers.outputs.values()):
        return ["3. WHAT CAME OF IT", "  no run ended in this period"]
    shown = [output for output in Output if answers.outputs[output]]
    columns = [Column("task"), *(Column(output.value.replace("_", " "), figures=True) for output in shown)]
    rows = [[task, *(count(counts[output]) for output in shown)] for task, counts in answers.outputs_by_task.items()]
    if len(rows) > 1:
        rows.append(["all", *(count(answers.outputs[output]) for output in shown)])
    seen = f"Git has shown {answers.landed:,} of {answers.accepted:,} accepted ones on their base branch."
    return ["3. WHAT CAME OF IT", *table(columns, rows), *(wrapped(seen) if answers.accepted else [])]


def _tiers(answers: Answers) -> list[str]:
    columns = (Column("risk"), Column("tier"), Column("runs", figures=True), *_USE)
    rows = [[*group.key, count(group.runs), *_use_cells(group.use)] for group in answers.risks]
    return ["4. WHICH TIERS HANDLED WHICH RISKS", *table(columns, rows), *wrapped(frontier_words(answers))]


def frontier_words(answers: Answers) -> str:
    """Whether every frontier call said why it was made."""
    frontier = answers.frontier
    if not frontier.calls:
        return "No frontier call was made."
    if frontier.unexplained:
        jobs = listed([job_id for job_id, _ in frontier.unexplained])
        calls = sum(calls for _, calls in frontier.unexplained)
        return f"{calls:,} of {frontier.calls:,} frontier calls LACK A REASON CODE, in {jobs}."
    reasons = ", ".join(f"{name} {calls:,}" for name, calls in frontier.by_reason.items())
    return f"Every one of {numbered(frontier.calls, 'frontier call')} has its reason code: {reasons}."


def _stops(answers: Answers) -> list[str]:
    heading = "5. WHICH POLICY STOPPED WHAT"
    if not answers.stop_totals:
        return [heading, "  no policy had to stop anything"]
    columns = (
        Column("policy"),
        Column("jobs", figures=True),
        Column("attempts", figures=True),
        Column("avoided, at least", figures=True),
        Column("at most", figures=True),
    )
    rows = [
        [
            total.policy,
            count(total.jobs),
            count(total.attempts),
            money(total.at_least_nano),
            at_most_words(total),
        ]
        for total in answers.stop_totals
    ]
    said = (
        "Avoided money is an estimate: at least one more attempt (or call) like those before it; at most what was "
        "left of the job's budget, where that would have been the next limit."
    )
    recent = [
        line
        for stop in answers.stops[:_SHOWN]
        for line in wrapped(stop_words(stop.policy, stop.job_id, stop.attempt, stop.calls, stop.spent_nano))
    ]
    return [heading, *table(columns, rows), *wrapped(said), *recent, *_rest(len(answers.stops) - _SHOWN)]


def at_most_words(total: PolicyTotal, dollars: Callable[[int], str] = money) -> str:
    """The upper end, where any of the stops has one."""
    ended = total.jobs + total.attempts - total.without_most
    return dollars(total.at_most_nano) if ended else "unknown"


def stop_words(policy: str, job_id: str, attempt: int | None, calls: int, spent_nano: int) -> str:
    """What was stopped, and at what point."""
    what = "" if attempt is None else f"attempt {attempt} of "
    return f"{policy} stopped {what}{job_id} after {numbered(calls, 'call')} and {money(spent_nano)}"


def _per_accepted(answers: Answers, dimension: Dimension) -> list[str]:
    heading = "COST OF AN ACCEPTED OUTCOME, BY " + dimension.value.upper().replace("-", " ")
    groups = answers.by[dimension]
    columns = (
        Column(dimension.value, shrinks=True, by_end=dimension is Dimension.REPOSITORY),
        Column("runs", figures=True),
        Column("accepted", figures=True),
        Column("metered", figures=True),
        Column("per accepted", figures=True),
    )
    rows = [
        [*group.key, count(group.runs), count(group.accepted), money(group.use.metered), each_words(group)]
        for group in (groups[-_SHOWN:] if dimension is Dimension.WEEK else groups[:_SHOWN])
    ]
    return [heading, *table(columns, rows), *_rest(len(groups) - _SHOWN)]


def each_words(group: Group) -> str:
    """Metered cost per accepted outcome."""
    each = group.cost_per_accepted()
    return "none accepted" if each is None else money(each.metered)


def _waste(answers: Answers) -> list[str]:
    total = answers.waste.total
    kinds = [name for name, nano in zip(Money._fields, total, strict=True) if nano] or ["metered"]
    columns = [Column("bucket"), *_twice(kinds)]
    rows = [[CAUSES[cause], *_shares(answers.waste.by_cause[cause], total, kinds)] for cause in Cause]
    rows.append(["all", *_shares(total, total, kinds)])
    open_money = answers.waste.under_way
    said = [f"Of no outcome, {money(open_money.metered)} is of jobs still under way."] if any(open_money) else []
    return ["WHERE THE MONEY WENT", *table(columns, rows), *(line for words in said for line in wrapped(words))]


def _twice(kinds: Iterable[str]) -> list[Column]:
    return [column for kind in kinds for column in (Column(kind, figures=True), Column("", figures=True))]


def _shares(part: Money, total: Money, kinds: Iterable[str]) -> list[str]:
    cells = []
    for kind in kinds:
        cells += [money(getattr(part, kind)), share(getattr(part, kind), getattr(total, kind))]
    return cells


def _runs(answers: Answers) -> list[str]:
    columns = (
        Column("run", shrinks=True, by_end=True),
        Column("task"),
        Column("risk"),
        Column("tiers", shrinks=True),
        Column("output"),
        Column("stopped by"),
        Column("tokens", figures=True),
        Column("metered", figures=True),
    )
    rows = [
        [
            run.job_id,
            run.job.task,
            run.job.risk,
            ">".join(_SHORT.get(tier, tier) for tier in run.tiers),
            run.output.value,
            run.stopped_by,
            count(run.use.tokens),
            money(run.use.metered),
        ]
        for run in answers.runs[:_RUNS]
    ]
    more = len(answers.runs) - _RUNS
    rest = [f"  and {more:,} more; all of them, with every field, with --csv -"] if more > 0 else []
    return ["RUNS, NEWEST FIRST", *table(columns, rows), *rest]
