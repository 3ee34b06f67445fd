"""The morning page's money: over the night, by what came of it, and against the trailing month."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from thirdshift.core.money import NANO_PER_USD
from thirdshift.core.morning_facts import QUARTER_SECONDS
from thirdshift.core.mornings import Morning
from thirdshift.core.questions import Money
from thirdshift.core.views import Spend
from thirdshift.core.waste import Cause
from thirdshift.reports.charts import Bar, Format, Series, coloured_bars, columns_to_line, legend, safe, share_bar
from thirdshift.reports.figures import beside, money, share
from thirdshift.reports.morning_style import FATE_COLOURS, MAYBE, PER_ACCEPTED, SETTLED
from thirdshift.reports.morning_words import clock, compared_words, dollars
from thirdshift.reports.page_style import CAUSES
from thirdshift.reports.page_tables import Cell, html_table
from thirdshift.reports.questions_text import CAUSES as CAUSE_NAMES

_QUARTER = timedelta(seconds=QUARTER_SECONDS)
_MOST_QUARTERS = 4 * 48


def _axis_format(most_nano: int) -> Format:
    """Cents; hundredths of them where little was spent."""
    places = 2 if most_nano >= NANO_PER_USD // 10 else 4
    return partial(money, places=places)


def spend_chart(morning: Morning) -> str:
    """What had been spent by each quarter of an hour, against the night's limit; empty where nothing was."""
    if not morning.spends:
        return ""
    begin = min(morning.record.row.opened_at, morning.spends[0].at)
    begin -= timedelta(seconds=begin.timestamp() % QUARTER_SECONDS)
    end = max(morning.record.row.night.closes_at, morning.spends[-1].at + _QUARTER)
    slots = min(_MOST_QUARTERS, -((begin - end) // _QUARTER))
    settled, unknown = [0] * slots, [0] * slots
    for spend in morning.spends:
        at = min(slots - 1, (spend.at - begin) // _QUARTER)
        settled[at] += spend.metered
        unknown[at] += spend.unknown
    told = min(slots, max(1, -((begin - morning.until) // _QUARTER)))
    series = [Series("settled", SETTLED, _running(settled, told))]
    if any(unknown):
        series.append(Series("unknown, at most", MAYBE, _running(unknown, told)))
    labels = [clock(begin + _QUARTER * number, morning) for number in range(slots)]
    limit = morning.purse.limit_nano
    words = _axis_format(limit)
    line = Bar("budget", limit, dollars(limit))
    return columns_to_line("Money spent by each quarter of an hour", labels, series, line, words)


def _running(values: list[int], told: int) -> list[int]:
    """Running sums; nothing for the part of the night that is still to come."""
    total, sums = 0, []
    for at, value in enumerate(values):
        total += value
        sums.append(total if at < told else 0)
    return sums


def outcome_chart(morning: Morning) -> str:
    """How many lines of the list came to what."""
    bars = [
        (Bar(fate.value.replace("_", " "), number, f"{number:,}"), FATE_COLOURS[fate])
        for fate, number in morning.counts.items()
        if number
    ]
    return coloured_bars("What came of the list", bars)


def per_accepted_section(morning: Morning) -> str:
    """All metered spend of a night over what it brought, night by night over the trailing month."""
    if not morning.ran:
        return ""
    compared = morning.compared
    words = safe(compared_words(compared), 400)
    apart = beside(Spend(imputed_nano=morning.purse.imputed_nano))
    said = "".join(f'<p class="soft">{safe(sentence)}</p>' for sentence in apart)
    parts = f"<section><h2>Cost of an accepted outcome</h2><p>{words[:1].upper()}{words[1:]}.</p>{said}"
    values = [cost.spent.metered // cost.accepted if cost.accepted else 0 for cost in morning.costs]
    if len(values) > 1 and any(values):
        labels = [f"{cost.day:%b} {cost.day.day}" for cost in morning.costs]
        line = None
        if compared.month_nano is not None:
            line = Bar("trailing month", compared.month_nano, dollars(compared.month_nano))
        series = [Series("for each accepted outcome", PER_ACCEPTED, values)]
        chart = columns_to_line("Cost of an accepted outcome by night", labels, series, line, _axis_format(max(values)))
        none = sum(not cost.accepted for cost in morning.costs)
        gap = f" A night without a column accepted nothing ({none:,})." if none else ""
        note = f"By night; the trailing month is without this one.{gap}"
        parts += f'<p class="soft">{note}</p><div class="narrow">{chart}</div>'
    return f"{parts}</section>"


def waste_section(morning: Morning) -> str:
    """Where the night's money went, by cause."""
    waste, total = morning.waste, morning.waste.total
    if not any(total):
        return ""
    order = [Cause.PRODUCTIVE, *(cause for cause in Cause if cause is not Cause.PRODUCTIVE)]
    series = [
        Series(CAUSE_NAMES[cause], CAUSES[cause.value], [waste.by_cause[cause].metered])
        for cause in order
        if waste.by_cause[cause].metered
    ]
    kinds = [kind for kind in Money._fields if getattr(total, kind)]
    rows = [
        [
            Cell(CAUSE_NAMES[cause]),
            *(Cell(dollars(getattr(waste.by_cause[cause], kind)), figure=True) for kind in kinds),
            Cell(share(waste.by_cause[cause].metered, total.metered), figure=True),
        ]
        for cause in order
        if any(waste.by_cause[cause])
    ]
    under_way = waste.under_way.metered
    note = f"Of no outcome, {dollars(under_way)} is of jobs not finished yet." if under_way else ""
    bar = legend(series) + share_bar("The night's metered money by cause", series, dollars) if series else ""
    table = html_table(("cause",), (*kinds, "of metered"), rows)
    return f'<section><h2>Where the money went</h2>{bar}{table}<p class="soft">{safe(note)}</p></section>'
