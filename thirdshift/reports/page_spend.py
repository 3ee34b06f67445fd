"""The page's parts about money: over time, by bucket, by agent, by what drove it, by risk and tier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from thirdshift.core.ladder import Tier
from thirdshift.core.money import NANO_PER_USD
from thirdshift.core.periods import week_of
from thirdshift.core.questions import Group, Money, Use
from thirdshift.core.reckoning import Answers, Dimension
from thirdshift.core.waste import Cause
from thirdshift.reports.charts import Bar, Format, Series, bar_chart, column_chart, legend, safe, share_bar
from thirdshift.reports.figures import count, money, share
from thirdshift.reports.page_style import CAUSES, OTHER, PLAIN, TIERS
from thirdshift.reports.page_tables import Cell, html_table
from thirdshift.reports.questions_text import CAUSES as CAUSE_NAMES
from thirdshift.reports.questions_text import frontier_words

MOST_DAYS = 45
"""A longer period is drawn by weeks."""
TOP = 10
_MUCH = 100 * NANO_PER_USD

_MEANING = {
    Cause.NO_OUTCOME: "the run failed, was stopped, rejected or reverted, or is not finished",
    Cause.EXCESS_RETRY: "attempts that nothing accepted was built on",
    Cause.LONG_CONTEXT: "reading a conversation beyond 100,000 tokens",
    Cause.WASTED_TOOL: "calls whose tools told nothing new",
    Cause.UNNECESSARY_CALL: "calls whose answer was not used",
    Cause.PRODUCTIVE: "everything else, in accepted work",
}


def dollars(answers: Answers) -> Format:
    """How money is shown on this page: to a cent, or to a hundredth of one where little was spent."""
    return partial(money, places=2 if max(answers.total.money) >= _MUCH else 4)


def time_section(answers: Answers) -> str:
    """Metered money over time, stacked by tier."""
    by_day: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for cell, use in answers.cells.items():
        by_day[cell.day][cell.tier] += use.metered
    if not any(nano for tiers in by_day.values() for nano in tiers.values()):
        return ""
    first, last = min(by_day), max(by_day)
    weekly = (last - first).days > MOST_DAYS
    step = timedelta(days=7 if weekly else 1)
    begin = week_of(first) if weekly else first
    days = [begin + step * number for number in range((last - begin) // step + 1)]
    slot = {day: at for at, day in enumerate(days)}
    tiers = [tier.value for tier in Tier]
    tiers += sorted({tier for found in by_day.values() for tier in found} - set(tiers))
    values = {tier: [0] * len(days) for tier in tiers}
    for day, found in by_day.items():
        for tier, nano in found.items():
            values[tier][slot[week_of(day) if weekly else day]] += nano
    series = [Series(tier, TIERS.get(tier, OTHER), values[tier]) for tier in tiers if any(values[tier])]
    labels = [f"{day:%b} {day.day}" for day in days]
    name = f"Metered spend by {'week' if weekly else 'day'} and tier"
    note = "Weeks begin on Monday." if weekly else ""
    chart = column_chart(name, labels, series, dollars(answers))
    return f'<section><h2>{name}</h2><p class="soft">{note}</p>{legend(series)}{chart}</section>'


def waste_section(answers: Answers) -> str:
    """Where each nano-dollar went."""
    waste, total, cents = answers.waste, answers.waste.total, dollars(answers)
    order = [Cause.PRODUCTIVE, *(cause for cause in Cause if cause is not Cause.PRODUCTIVE)]
    series = [
        Series(CAUSE_NAMES[cause], CAUSES[cause.value], [waste.by_cause[cause].metered])
        for cause in order
        if waste.by_cause[cause].metered
    ]
    rows = [
        [
            Cell(CAUSE_NAMES[cause], (_MEANING[cause],)),
            *_kinds(waste.by_cause[cause], cents),
            Cell(share(waste.by_cause[cause].metered, total.metered), figure=True),
        ]
        for cause in order
    ]
    last = [Cell("all"), *_kinds(total, cents), Cell(share(total.metered, total.metered), figure=True)]
    open_words = ""
    if any(waste.under_way):
        open_words = f"<p>Of no outcome, {safe(cents(waste.under_way.metered))} metered is of runs still under way.</p>"
    table = html_table(("bucket",), ("metered", "imputed", "unknown, at most", "of metered"), rows, last)
    bar = legend(series) + share_bar("Metered spend by bucket", series, cents) if series else ""
    return (
        "<section><h2>Where the money went</h2>"
        '<p class="soft">Each nano-dollar is in the first bucket that fits; the buckets sum to the spend.</p>'
        f"{bar}{table}{open_words}</section>"
    )


def _kinds(spent: Money, cents: Format) -> list[Cell]:
    return [Cell(cents(nano), figure=True) for nano in spent]


def agent_section(answers: Answers) -> str:
    """Models, tiers and roles."""
    groups, cents = answers.agents, dollars(answers)
    bars = [Bar(" · ".join(group.key), group.use.metered, cents(group.use.metered)) for group in groups[:TOP]]
    tokens = sorted(groups, key=lambda group: -group.use.tokens)[:TOP]
    token_bars = [Bar(" · ".join(group.key), group.use.tokens, count(group.use.tokens)) for group in tokens]
    rows = [[*map(Cell, group.key), *_use_cells(group.use, cents)] for group in groups[: 3 * TOP]]
    return (
        "<section><h2>1. Which agents used the most</h2>"
        f'<div class="pair"><div><h3>Metered money</h3>{bar_chart("Metered money by agent", bars, PLAIN)}</div>'
        f"<div><h3>Tokens, read and written</h3>{bar_chart('Tokens by agent', token_bars, OTHER)}</div></div>"
        f"{html_table(('model', 'tier', 'role'), USE_NAMES, rows)}{_more(groups, 3 * TOP)}</section>"
    )


USE_NAMES = ("calls", "tokens in", "cached", "out", "metered", "imputed", "unknown, at most")


def _use_cells(use: Use, cents: Format) -> list[Cell]:
    figures = [f"{use.calls:,}", count(use.input_tokens), count(use.cached_tokens), count(use.output_tokens)]
    return [Cell(figure, figure=True) for figure in (*figures, *map(cents, use.money))]


def _more(groups: Sequence[Group], shown: int) -> str:
    more = len(groups) - shown
    return f'<p class="soft">and {more:,} more; all of them with --json</p>' if more > 0 else ""


def driver_section(answers: Answers) -> str:
    """Repositories, specs and workflows."""
    charts, cents = [], dollars(answers)
    for dimension, name in (
        (Dimension.REPOSITORY, "Repositories"),
        (Dimension.SPEC, "Specs"),
        (Dimension.WORKFLOW, "Workflows"),
        (Dimension.TASK, "Types of task"),
    ):
        groups = answers.by[dimension]
        bars = [Bar(group.key[0], group.use.metered, cents(group.use.metered)) for group in groups[:TOP]]
        chart = bar_chart(f"Metered money by {dimension.value}", bars, PLAIN)
        charts.append(f"<div><h3>{name}</h3>{chart}{_more(groups, TOP)}</div>")
    return f'<section><h2>2. What drove the spend</h2><div class="pair">{"".join(charts)}</div></section>'


def tier_section(answers: Answers) -> str:
    """Risks and tiers, and whether every frontier call said why."""
    cents = dollars(answers)
    rows = [
        [Cell(group.key[0]), Cell(group.key[1]), Cell(f"{group.runs:,}", figure=True), *_use_cells(group.use, cents)]
        for group in answers.risks
    ]
    mood = "bad" if answers.frontier.unexplained else "good" if answers.frontier.calls else "soft"
    table = html_table(("risk", "tier"), ("runs", *USE_NAMES), rows)
    return (
        "<section><h2>4. Which tiers handled which risks</h2>"
        f'<p class="{mood}">{safe(frontier_words(answers), 1000)}</p>{table}</section>'
    )
