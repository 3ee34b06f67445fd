"""A million calls: ``ledger verify`` and each report answer within two seconds.

The books are made up by ``bench/synthetic_books.py`` and lie on SQLite. Each figure is the median of several rounds, in
one process that has the books open; processor seconds stand beside the seconds on the clock, since only those do not
depend on what else the machine does. ``verify`` reads every call; reports read the tallies that a call's own
transaction keeps.

    python bench/ledger_scale.py [--quick] [--books FILE]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.rig.figures import Limit, closing_line, machine, table
from bench.synthetic_books import make_books
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.bootstrap.reporting import answers_for
from thirdshift.core.periods import Period
from thirdshift.reports.questions_json import document
from thirdshift.reports.questions_text import render_answers

CALLS, QUICK_CALLS = 1_000_000, 200_000
LIMITS = (
    Limit("verify_s", at_most=2.0),
    Limit("slowest_report_s", at_most=2.0),
    Limit("differences", at_most=0),
)


def seconds(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds on the clock and of the processor."""
    clock, processor = [], []
    for _ in range(rounds):
        began, busy = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - busy)
    return statistics.median(clock), statistics.median(processor)


def reports(ledger: SqlLedger) -> dict[str, Callable[[], object]]:
    """What a person asks for, up to the text that is printed."""
    everything = Period()
    newest = ledger.list_jobs(1)[0].job_id
    return {
        "the five questions, all time": lambda: render_answers(answers_for(ledger, everything)),
        "the five questions, as JSON": lambda: document(answers_for(ledger, everything)),
        "costs and the newest jobs": lambda: (ledger.list_jobs(100), ledger.cost_lines(None)),
        "costs of one job": lambda: ledger.cost_lines(newest),
    }


def measure(path: Path, rounds: int) -> tuple[int, int, dict[str, tuple[float, float]]]:
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        audit = ledger.verify()
        for difference in audit.differences[:5]:
            print(difference.words)
        found = {"ledger verify": seconds(ledger.verify, rounds)}
        found |= {name: seconds(work, rounds) for name, work in reports(ledger).items()}
        return audit.calls, len(audit.differences), found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CALLS:,} calls and 3 rounds, same thresholds")
    parser.add_argument("--books", type=Path, help="Books made before, by bench/synthetic_books.py.")
    given = parser.parse_args()
    print(machine(), "\n")
    with tempfile.TemporaryDirectory() as directory:
        path = given.books or Path(directory) / "books.db"
        if given.books is None:
            make_books(path, QUICK_CALLS if given.quick else CALLS)
        calls, differences, found = measure(path, 3 if given.quick else 5)
    rows: list[list[object]] = [[f"{calls:,} calls on SQLite", "seconds", "processor seconds"]]
    rows += [[name, clock, processor] for name, (clock, processor) in found.items()]
    print(table(rows), "\n")
    slowest = max((name for name in found if name != "ledger verify"), key=lambda name: found[name][0])
    figures = {
        "calls": calls,
        "verify_s": round(found["ledger verify"][0], 3),
        "verify_cpu_s": round(found["ledger verify"][1], 3),
        "slowest_report": slowest,
        "slowest_report_s": round(found[slowest][0], 3),
        "slowest_report_cpu_s": round(found[slowest][1], 3),
        "differences": differences,
    }
    print(closing_line(figures, LIMITS))
    return 0 if all(limit.holds(figures) for limit in LIMITS) else 1


if __name__ == "__main__":
    sys.exit(main())
