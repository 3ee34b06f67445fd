"""``thirdshift shift report``: what became of a night, and what to decide now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.mornings import Morning
    from thirdshift.core.night_book import NightRecord

NO_NIGHT = "no night is in the books yet; `thirdshift shift list` says when the next one opens"
_STDOUT = "-"
_NIGHTS = 400
_NAMED = 8


@click.command()
@click.argument("name", required=False)
@click.option("--night", "day", metavar="DAY", help="The night that began on this day, such as 2026-11-21.")
@click.option("--html", "html_file", metavar="FILE", help="Write a page with charts that opens offline; - is stdout.")
@invocation
def report(call: Invocation, name: str | None, day: str | None, html_file: str | None) -> int:
    """Say what became of a night, and what to decide now; without NAME, of the newest night of any shift.

    First comes what a person has to decide, each with its command: open gates, budgets, specs to mend, what stopped.
    Then what was accepted, what was parked, what it cost against the trailing month, and where money was wasted.
    """
    from thirdshift.bootstrap.books import now, open_books
    from thirdshift.bootstrap.mornings import gate_links, morning_of, running_ui
    from thirdshift.reports.morning_json import morning_document
    from thirdshift.reports.morning_text import render_morning

    settings = call.settings()
    with closing(open_books(settings)) as ledger:
        record = _which(ledger, name, day)
        if record is None:
            call.answer({"night": None}, lambda: NO_NIGHT)
            return ExitCode.DONE
        night = record.row.night
        links = gate_links(running_ui(settings), settings.engine.namespace)
        morning = morning_of(ledger, night.id, now(), links)
        others = sorted({one.row.night.shift for one in ledger.nights(None, _NIGHTS)} - {night.shift})
    if html_file:
        _write(call, html_file, morning)
    if html_file != _STDOUT:
        call.answer(morning_document(morning) if call.as_json else {}, lambda: render_morning(morning))
    if morning.under_way and settings.engine.kind == "embedded" and not running_ui(settings):
        call.remark("no Temporal server is running, so nothing of this night moves; go on with: thirdshift up")
    if name is None and others:
        call.remark(f"other shifts with nights in the books: {', '.join(others)}")
    return ExitCode.DONE


def _which(ledger: SqlLedger, name: str | None, day: str | None) -> NightRecord | None:
    """The night that is meant; None where the books have none at all. Raises BadInput."""
    from thirdshift.core.errors import BadInput

    known = ledger.nights(name, _NIGHTS)
    if not known:
        if name is None:
            return None
        shifts = sorted({one.row.night.shift for one in ledger.nights(None, _NIGHTS)})
        there = f"nights are there of: {', '.join(shifts)}" if shifts else "no shift has one yet"
        raise BadInput(f"no night of a shift `{name}` is in the books; {there}")
    if day is None:
        return known[0]
    found = [one for one in known if _says(one) == day] or [one for one in known if str(one.row.night.day) == day]
    shifts = sorted({one.row.night.shift for one in found})
    if len(shifts) > 1:
        raise BadInput(f"several shifts had a night on {day}: {', '.join(shifts)}; name one of them")
    if not found:
        whose = f"of `{name}` " if name else ""
        raise BadInput(f"nobody ran: no night {whose}on {day} is in the books; the newest are {_newest(known)}")
    return found[0]


def _says(record: NightRecord) -> str:
    return record.row.night.id.partition("|")[2]


def _newest(known: Sequence[NightRecord]) -> str:
    return ", ".join(dict.fromkeys(_says(one) for one in known[:_NAMED]))


def _write(call: Invocation, file: str, morning: Morning) -> None:
    from thirdshift.reports.morning_page import render_morning_page

    page = render_morning_page(morning)
    if file == _STDOUT:
        click.echo(page, nl=False)
        return
    call.write_file(file, page)
