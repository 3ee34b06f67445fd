"""The report as one HTML page that opens offline: no script, no file beside it, nothing fetched."""

from __future__ import annotations

from datetime import datetime

from thirdshift.core.reckoning import Answers
from thirdshift.core.routing import Run
from thirdshift.core.waste import Cause
from thirdshift.reports.charts import Format, safe
from thirdshift.reports.figures import duration, numbered, share
from thirdshift.reports.page_outcomes import outcome_section, per_accepted_section, stop_section
from thirdshift.reports.page_spend import (
    agent_section,
    dollars,
    driver_section,
    tier_section,
    time_section,
    waste_section,
)
from thirdshift.reports.page_style import STYLE
from thirdshift.reports.page_tables import Cell, html_table
from thirdshift.reports.questions_text import EMPTY

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_RUNS = 60


def render_page(answers: Answers, made_at: datetime) -> str:
    """The whole page, well under a megabyte whatever the period: long lists are cut, and say so."""
    period = answers.period
    local = made_at.astimezone(period.zone)
    body = _body(answers) if not answers.empty else f"<section><p>{safe(EMPTY)}</p></section>"
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Thirdshift report, {safe(period.words)}</title><style>{STYLE}</style></head><body><main>"
        f'<h1>Thirdshift report</h1><p class="soft">{safe(period.words)} · made {local:%Y-%m-%d %H:%M}</p>'
        f"{body}</main></body></html>\n"
    )


def _body(answers: Answers) -> str:
    return "".join(
        (
            _tiles(answers),
            time_section(answers),
            waste_section(answers),
            agent_section(answers),
            driver_section(answers),
            outcome_section(answers),
            tier_section(answers),
            stop_section(answers),
            per_accepted_section(answers),
            _run_section(answers),
        )
    )


def _tiles(answers: Answers) -> str:
    total, each, cents = answers.total, answers.cost_per_accepted, dollars(answers)
    ended = sum(answers.outputs.values())
    productive = answers.waste.by_cause[Cause.PRODUCTIVE].metered
    tiles = [
        (cents(total.metered), f"metered, in {total.calls:,} calls"),
        (f"{answers.accepted:,}", f"accepted and not reverted, of {ended:,} runs that ended"),
        (
            cents(each.metered) if each else "none",
            "metered for each accepted outcome, failures included" if each else "no accepted outcome in this period",
        ),
        (share(productive, total.metered), "of metered spend was productive"),
    ]
    for nano, words in (
        (total.imputed, "imputed: a subscription's calls at list price; in no other figure"),
        (total.unknown, "unknown: may have been billed, at most; in no other figure"),
        (total.held, "held for calls in flight"),
    ):
        if nano:
            tiles.append((cents(nano), words))
    return '<div class="tiles">' + "".join(_tile(*tile) for tile in tiles) + "</div>"


def _tile(figure: str, words: str) -> str:
    return f'<div class="tile"><b>{safe(figure)}</b><span>{safe(words)}</span></div>'


def _run_section(answers: Answers) -> str:
    dearest = sorted(answers.runs, key=lambda run: (*(-kind for kind in run.use.money), run.job_id))[:_RUNS]
    rows = [_run_cells(run, dollars(answers)) for run in dearest]
    names = ("run", "repository, spec", "tiers, models, reason codes", "output, review")
    figures = ("tokens, tools", "wall time", "cost")
    more = len(answers.runs) - len(dearest)
    cut = f"The {_RUNS} dearest of {len(answers.runs):,} runs; all of them with --csv." if more > 0 else ""
    table = html_table(names, figures, rows)
    return f'<section><h2>The routing ledger</h2><p class="soft">{cut}</p>{table}</section>'


def _run_cells(run: Run, cents: Format) -> list[Cell]:
    job, review, wall, spent = run.job, run.review, run.wall_seconds, run.use.money
    said = f"{review.verdict} ({review.gate})" if review else ""
    kinds = [f"{cents(spent.imputed)} imputed"] if spent.imputed else []
    kinds += [f"{cents(spent.unknown)} unknown"] if spent.unknown else []
    return [
        Cell(job.title, (f"{job.task}, risk {job.risk}", job.job_id)),
        Cell(job.repository, (job.spec_path,)),
        Cell(run.tier_path, (" > ".join(run.models), " > ".join(run.reasons))),
        Cell(run.output.value.replace("_", " "), (run.stopped_by, said)),
        Cell(f"{run.use.tokens:,}", (numbered(run.tool_calls, "tool call"),), figure=True),
        Cell("" if wall is None else duration(wall), figure=True),
        Cell(cents(spent.metered), tuple(kinds), figure=True),
    ]
