"""``thirdshift report``: what was spent, on what, what came of it, and where it was wasted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from datetime import datetime

    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.periods import Period
    from thirdshift.core.reckoning import Answers, Dimension

_DIMENSIONS = (
    "model", "tier", "role", "reason", "risk", "repository", "spec", "workflow", "task", "tier-path", "output", "stop",
    "week", "day",
)  # fmt: skip
_PEOPLE = frozenset({"submitter", "reviewer", "person", "author", "user", "people"})
_STDOUT = "-"


class _Breakdown(click.ParamType[str]):
    """A dimension; never a person."""

    name = "dimension"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The dimension as it is written."""
        text = str(value).replace("_", "-")
        if text in _DIMENSIONS:
            return text
        if text in _PEOPLE:
            self.fail("spend is not broken down by people: tokens measure work badly and people worse", param, ctx)
        self.fail(f"`{value}` is none of: {', '.join(_DIMENSIONS)}", param, ctx)


@click.command()
@click.argument("job", required=False)
@click.option("--since", help="From this day or time on: 2026-03-01, 2026-03-01T22:30, yesterday, 7d, 2w, 36h.")
@click.option("--until", help="Up to this time; a day is included.")
@click.option("--by", "dimension", type=_Breakdown(), metavar="WHAT", help=f"One table: {', '.join(_DIMENSIONS)}.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write one row for each run (or group of --by); - is stdout.")
@click.option("--html", "html_file", metavar="FILE", help="Write a page with charts that opens offline; - is stdout.")
@invocation
def report(
    call: Invocation,
    job: str | None,
    since: str | None,
    until: str | None,
    dimension: str | None,
    csv_file: str | None,
    html_file: str | None,
) -> int:
    """Report on a job, or on all work of a period.

    Says which agents used the most; what drove the spend; what was accepted, edited, rejected and reverted; which
    tiers handled which risks; which policy stopped what; what an accepted outcome cost; and where money was wasted.
    """
    from thirdshift.bootstrap.books import open_books

    if csv_file == html_file == _STDOUT:
        raise click.UsageError("standard output takes one of --csv - and --html -; name a file for the other")
    settings = call.settings()
    with closing(open_books(settings)) as ledger:
        if job and not (since or until or dimension or csv_file or html_file):
            return _of_one(call, ledger, job)
        period = _period(since, until, settings.zone)
        answers = _answers(ledger, period, job)
    return _deliver(call, answers, dimension, csv_file, html_file)


def _of_one(call: Invocation, ledger: SqlLedger, job: str) -> int:
    from thirdshift.cli.foreground import report_text
    from thirdshift.cli.standing import cost_line, delivered_of, failing_checks, find_job, standing

    view = find_job(ledger, job)
    made = delivered_of(ledger, view.job.job_id)
    failing = failing_checks(ledger, view)
    lines = ledger.cost_lines(view.job.job_id)
    call.answer(
        {
            **standing(view, ledger.gates(view.job.job_id), failing=failing, delivered=made),
            "costs": [cost_line(line) for line in lines],
        },
        lambda: report_text(view, "", failing, made),
    )
    return ExitCode.DONE


def _now() -> datetime:
    from thirdshift.bootstrap.books import now

    return now()


def _period(since: str | None, until: str | None, zone: Any) -> Period:
    from thirdshift.core.errors import BadInput
    from thirdshift.core.periods import Period, parse_moment

    now = _now()
    try:
        begin = parse_moment(since, now, zone) if since else None
        end = parse_moment(until, now, zone, end=True) if until else None
    except ValueError as error:
        raise BadInput(str(error)) from error
    if begin is not None and end is not None and begin >= end:
        raise BadInput(f"--since {since} is not before --until {until}; swap them, or leave one out")
    return Period(begin, end, zone)


def _answers(ledger: SqlLedger, period: Period, job: str | None) -> Answers:
    from thirdshift.bootstrap.reporting import answers_for
    from thirdshift.cli.standing import find_job

    job_id = find_job(ledger, job).job.job_id if job else None
    return answers_for(ledger, period, job_id)


def _deliver(
    call: Invocation, answers: Answers, by: str | None, csv_file: str | None, html_file: str | None
) -> ExitCode:
    from thirdshift.core.reckoning import Dimension

    dimension = Dimension(by) if by else None
    if csv_file:
        _write(call, csv_file, lambda: _csv(answers, dimension))
    if html_file:
        from thirdshift.reports.page import render_page

        _write(call, html_file, lambda: render_page(answers, _now()))
    if _STDOUT not in (csv_file, html_file):
        call.answer(_document(answers, dimension) if call.as_json else {}, lambda: _text(answers, dimension))
    return ExitCode.DONE


def _write(call: Invocation, file: str, text: Callable[[], str]) -> None:
    if file == _STDOUT:
        click.echo(text(), nl=False)
        return
    call.write_file(file, text())


def _groups(answers: Answers, dimension: Dimension) -> list[Any]:
    from thirdshift.core.reckoning import breakdown

    return breakdown(dimension, answers.cells, answers.runs, answers.period)


def _csv(answers: Answers, dimension: Dimension | None) -> str:
    from thirdshift.reports.routing_rows import RUN_COLUMNS, group_columns, run_row, to_csv

    if dimension is None:
        return to_csv((run_row(run) for run in answers.runs), RUN_COLUMNS)
    columns = group_columns(_key(dimension), outcomes=dimension.has_outcomes)
    return to_csv(_group_rows(answers, dimension), columns)


def _key(dimension: Dimension) -> str:
    return dimension.value.replace("-", "_")


def _group_rows(answers: Answers, dimension: Dimension) -> list[dict[str, Any]]:
    from thirdshift.reports.routing_rows import group_row

    groups = _groups(answers, dimension)
    return [group_row(group, (_key(dimension),), outcomes=dimension.has_outcomes) for group in groups]


def _document(answers: Answers, dimension: Dimension | None) -> dict[str, Any]:
    from thirdshift.reports.questions_json import document, period_document

    if dimension is None:
        return document(answers)
    groups = _group_rows(answers, dimension)
    return {"period": period_document(answers), "by": _key(dimension), "groups": groups}


def _text(answers: Answers, dimension: Dimension | None) -> str:
    from thirdshift.reports.questions_text import render_answers, render_breakdown

    if dimension is None:
        return render_answers(answers)
    return render_breakdown(answers, dimension, _groups(answers, dimension))
