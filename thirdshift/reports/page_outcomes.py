"""The page's parts about outcomes: what was accepted, what one cost, and what was stopped."""

from __future__ import annotations

from thirdshift.core.questions import Group
from thirdshift.core.reckoning import OUTCOME_DIMENSIONS, Answers, Dimension
from thirdshift.core.routing import Output, Run
from thirdshift.core.words import clipped
from thirdshift.reports.charts import Format, Series, column_chart, legend, stacked_bars
from thirdshift.reports.figures import money
from thirdshift.reports.page_spend import TOP, dollars
from thirdshift.reports.page_style import OUTPUTS, PLAIN
from thirdshift.reports.page_tables import Cell, html_table
from thirdshift.reports.questions_text import at_most_words, each_words

_LIST = 15
_WEEKS = 60


def outcome_section(answers: Answers) -> str:
    """Accepted, edited, rejected, reverted; and the newest, with who submitted and who reviewed."""
    if not any(answers.outputs.values()):
        return "<section><h2>3. What came of it</h2><p>No run ended in this period.</p></section>"
    tasks = list(answers.outputs_by_task)
    series = [
        Series(
            output.value.replace("_", " "),
            OUTPUTS[output.value],
            [answers.outputs_by_task[task][output] for task in tasks],
        )
        for output in Output
        if answers.outputs[output]
    ]
    chart = stacked_bars("Ended runs by task and outcome", tasks, series, lambda number: f"{number:,}")
    ended = [run for run in answers.runs if answers.period.has(run.ended_at)]
    rows = [_outcome_row(run) for run in ended[:_LIST]]
    names = ("run", "outcome", "stopped by", "on base branch", "submitted by", "reviewed by", "review")
    seen = f"Git has shown {answers.landed:,} of {answers.accepted:,} accepted outcomes on their base branch."
    cut = f"The newest {_LIST} of {len(ended):,}:" if len(ended) > _LIST else ""
    return (
        f"<section><h2>3. What came of it</h2><p>{seen}</p>{legend(series)}{chart}"
        f'<p class="soft">{cut}</p>{html_table(names, (), rows)}</section>'
    )


def _outcome_row(run: Run) -> list[Cell]:
    review = run.review
    mood = "good" if run.output.counts else "bad" if run.output in (Output.REVERTED, Output.REJECTED) else ""
    return [
        Cell(run.job.title, (run.job_id,)),
        Cell(run.output.value.replace("_", " "), mood=mood),
        Cell(run.stopped_by),
        Cell("yes" if run.landed else ""),
        Cell(run.job.submitter),
        Cell(review.reviewer if review else ""),
        Cell(f"{review.verdict} ({review.gate})" if review else ""),
    ]


def stop_section(answers: Answers) -> str:
    """Policies, what they stopped, and the estimate with its method beside it."""
    if not answers.stops:
        return "<section><h2>5. Which policy stopped what</h2><p>No policy had to stop anything.</p></section>"
    cents = dollars(answers)
    totals = [
        [
            Cell(total.policy),
            Cell(f"{total.jobs:,}", figure=True),
            Cell(f"{total.attempts:,}", figure=True),
            Cell(cents(total.at_least_nano), figure=True),
            Cell(at_most_words(total, cents), figure=True),
        ]
        for total in answers.stop_totals
    ]
    figures = ("jobs stopped", "attempts ended", "avoided, at least", "at most")
    rows = [
        [
            Cell(stop.policy),
            Cell(stop.title, (stop.job_id,)),
            Cell("the job" if stop.attempt is None else f"attempt {stop.attempt}", (clipped(stop.evidence, 160),)),
            Cell(f"{stop.attempts:,} / {stop.calls:,}", figure=True),
            Cell(money(stop.spent_nano), figure=True),
            Cell(money(stop.at_least_nano), figure=True),
            Cell("unknown" if stop.at_most_nano is None else money(stop.at_most_nano), figure=True),
        ]
        for stop in answers.stops[:_LIST]
    ]
    names, points = ("policy", "run", "what it stopped"), ("attempts / calls", "spent", "avoided, at least", "at most")
    cut = f"The newest {_LIST} of {len(answers.stops):,}." if len(answers.stops) > _LIST else ""
    return (
        "<section><h2>5. Which policy stopped what</h2>"
        "<p>Avoided money is an <b>estimate</b>: nobody knows what a loop would have done. At least: one more attempt "
        "at the mean cost of the job's attempts, or one more call at the mean of the attempt's calls. At most: "
        "what was left of the job's budget; unknown where nothing else would have stopped it.</p>"
        f"{html_table(('policy',), figures, totals)}<h3>At what point</h3>"
        f'<p class="soft">{cut}</p>{html_table(names, points, rows)}</section>'
    )


def per_accepted_section(answers: Answers) -> str:
    """What an accepted outcome cost, all spend included: by week, task, tier path and repository."""
    weeks = answers.by[Dimension.WEEK][-_WEEKS:]
    known = [(group, group.cost_per_accepted()) for group in weeks]
    values = [each.metered if each else 0 for _, each in known]
    labels = [group.key[0].partition("(")[2].rstrip(")") for group in weeks]
    series = [Series("cost of an accepted outcome", PLAIN, values)]
    parts = [
        "<section><h2>Cost of an accepted outcome</h2>"
        '<p class="soft">All metered spend of the group, failures included, over its outcomes that were accepted '
        "and not reverted. A week has the spend of its calls and the outcomes that ended in it.</p>"
    ]
    if len(weeks) > 1 and any(values):
        parts.append(
            "<h3>By week</h3>" + column_chart("Cost of an accepted outcome by week", labels, series, dollars(answers))
        )
    parts.append('<div class="pair">')
    for dimension in OUTCOME_DIMENSIONS:
        parts.append(f"<div><h3>By {dimension.value.replace('-', ' ')}</h3>{_each_table(answers, dimension)}</div>")
    return "".join(parts) + "</div></section>"


def _each_table(answers: Answers, dimension: Dimension) -> str:
    groups, cents = answers.by[dimension], dollars(answers)
    shown = groups[-TOP:] if dimension is Dimension.WEEK else groups[:TOP]
    rows = [
        [
            Cell(group.key[0]),
            Cell(f"{group.accepted:,} of {group.runs:,}", figure=True),
            Cell(cents(group.use.metered), figure=True),
            Cell(_each(group, cents), figure=True),
        ]
        for group in shown
    ]
    more = len(groups) - len(shown)
    rest = f'<p class="soft">and {more:,} more; all of them with --json</p>' if more > 0 else ""
    return html_table((dimension.value.replace("-", " "),), ("accepted", "metered", "each"), rows) + rest


def _each(group: Group, cents: Format) -> str:
    each = group.cost_per_accepted()
    return each_words(group) if each is None else cents(each.metered)
