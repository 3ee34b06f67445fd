"""Two weeks of nights, simulated in minutes, and whether they keep windows, budgets, specs and events.

Fourteen nights of one shift in Berlin, seven around each of the next two changes of the clock, on Temporal's real
time-skipping server. Sixty specs come in over the nights: cheap ones and dear ones, some that never pass, some that are
longer than a night, some that wait at a merge gate for an answer by day or for ever, some that cannot be read, some
that events ask for. A provider is gone for an hour and a half and says nothing, answers 429, and runs out of quota;
5,000 failures of one build arrive at once; three times a worker is killed between an answer and its place in the books;
in one night a person stops everything.

Real are the workflows (``Shift``, ``Job``, ``Loop``, ``Intake``) on the product's own worker, admission, prices, holds
and the ledger on SQLite, conversations, gates, triage, the reading of spec files, one git repository and the branches
made in it, the morning reports, and the kill switch. Played are the models, which keep a bill of their own, and what a
host does for a step: tools and checks take virtual minutes and run no command, since the sandbox is measured elsewhere.
The time-skipping server has neither Schedules nor a list of workflows. So each ``Shift`` is started at the instant that
``core.nights`` names, with the attribute by which Temporal tells it of its Schedule (that a Schedule names the same
instants is tested on the development server); and the kill switch is told what runs by the ledger. Nor does that server
hand a workflow on that a killed process had in its cache, so the process of the workflows is not among the killed; it
is in the tests on the development server, and so is the server itself.

The instants of all nights are written out by hand in ``bench/rig/fortnight_plan.py``. The two halves are months apart;
the time between is skipped, and what was parked or waited in the first half goes on in the second.

    python bench/fortnight.py [--quick] [--chart FILE] [--keep DIRECTORY]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.fortnight_books import Books
from bench.rig.fortnight_chart import draw
from bench.rig.fortnight_plan import FULL, NIGHT_NANO, QUICK, USD
from bench.rig.fortnight_run import Fortnight

LIMITS = (
    Limit("nights", at_least=14),
    Limit("opened_late_s", at_most=60),
    Limit("specs_lost", at_most=0),
    Limit("events_undecided", at_most=0),
    Limit("window_violations", at_most=0),
    Limit("overspent_nano", at_most=0),
    Limit("differences", at_most=0),
    Limit("called_twice", at_most=0),
)


async def simulated(root: Path, *, quick: bool) -> Books:
    """The fortnight in a directory."""
    fortnight = Fortnight(root, QUICK if quick else FULL, duplicates=500 if quick else 5000)
    return await fortnight.run()


def shown(books: Books) -> str:
    """The tables for people."""
    rows: list[list[object]] = [
        ["night", "hours", "spent $", "of $", "finished", "accepted", "parked", "events", "ended"]
    ]
    rows += [
        [
            *(night.label, night.hours, night.spent_nano / USD, NIGHT_NANO / USD),
            *(night.finished, night.accepted, night.parked, night.events, night.how),
        ]
        for night in books.nights
    ]
    ends: list[list[object]] = [
        ["specs that are", "", *[]],
        *([name, count] for name, count in sorted(books.ends.items())),
    ]
    return f"{table(rows)}\n\n{table(ends)}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 specs and 500 duplicates")
    parser.add_argument("--chart", type=Path, help="draw the nights into this SVG file")
    parser.add_argument("--keep", type=Path, help="leave ledger, bill and reports in this directory")
    given = parser.parse_args()
    print(machine(), "\n")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        root = (given.keep or Path(scratch)).resolve()
        root.mkdir(parents=True, exist_ok=True)
        books = asyncio.run(simulated(root, quick=given.quick))
    print(shown(books))
    print("\n".join(books.problems[:40]), end="\n\n" if books.problems else "")
    if given.chart:
        given.chart.write_text(draw(books.nights), encoding="utf-8")
    figures = {**books.figures, "seconds": round(time.monotonic() - began, 1)}
    print(closing_line(figures, LIMITS))
    return 0 if all(limit.holds(figures) for limit in LIMITS) else 1


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
