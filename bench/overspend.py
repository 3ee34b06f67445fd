"""Can a shared limit be overspent? 32 loops in four processes, prices that differ, a vendor that fails, and a kill -9.

In every run all loops spend from one limit until it refuses each of them, waiting in line while others hold what they
need. Requests are cut off in mid-stream, time out after they were taken, or are refused; one process is killed in the
middle and replaced. The vendor's own bill and the ledger's charges are then compared with the limit. Afterwards the
same loops spend the same limit by a counter that is checked before a call and added to after it, which is what is
usually done: it misses no charge, and overshoots all the same.

SQLite runs with ``synchronous=normal`` here: no process dies of a power cut. The figures are the worst of all runs.

    python bench/overspend.py [--quick] [--sqlite-runs N] [--postgres-runs N]
"""

from __future__ import annotations

import argparse
import multiprocessing
import random  # noqa: TID251 - a repeatable plan of kills
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.spending import Errand, now, run_errand
from tests.fakes.postgres import running_postgres
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.core.ledger import JobRow

PROCESSES, LOOPS_EACH = 4, 8
LIMIT_NANO = 1_500_000_000
LIMITS = (
    Limit("overspent_nano", at_most=0),
    Limit("uncharged_nano", at_most=0),
    Limit("differences", at_most=0),
    Limit("utilisation", at_least=0.9),
    Limit("check_after_overspent_nano", at_least=1),
)


@dataclass(frozen=True)
class Outcome:
    """One run, in nano-dollars."""

    billed: int
    charged: int
    held: int
    unknown: int
    check_after: int
    waits: int

    @property
    def overspent(self) -> int:
        """By how much the vendor's bill, or the ledger's charges, went over the limit."""
        return max(0, self.billed - LIMIT_NANO, self.charged - LIMIT_NANO)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as directory, running_postgres() as server:
        yield {
            "SQLite": f"sqlite:///{directory}/ledger.sqlite?synchronous=normal",
            "PostgreSQL": server.make_database(),
        }


def one_run(ledger: SqlLedger, url: str, run: str, directory: Path) -> Outcome:
    bill, counter = directory / "bill", directory / "counter"
    bill.write_text("")
    counter.write_text("0")
    ledger.open_job(job(run))
    context = multiprocessing.get_context("forkserver")

    def start(part: int, life: int) -> multiprocessing.process.BaseProcess:
        loops = tuple(range(part * LOOPS_EACH, (part + 1) * LOOPS_EACH))
        errand = Errand(url, run, loops, life, LIMIT_NANO, str(bill), str(counter))
        process = context.Process(target=run_errand, args=(errand,))
        process.start()
        return process

    running = [start(part, 0) for part in range(PROCESSES)]
    dice = random.Random(run)  # noqa: S311 - a repeatable plan of kills, not a secret
    victim = dice.randrange(PROCESSES)
    _wait_for_a_bill(bill, LIMIT_NANO * dice.uniform(0.1, 0.7), running[victim])
    running[victim].kill()
    running[victim].join()
    running[victim] = start(victim, 1)
    for process in running:
        process.join()
    assert all(process.exitcode == 0 for process in running), [process.exitcode for process in running]
    scope = ledger.scope_totals("team_day", run)
    waits = sum(entry.kind == "waiting" for entry in ledger.journal(run, 0))
    return Outcome(
        billed=sum(map(int, bill.read_text().split())),
        charged=scope.settled_nano + scope.held_nano + scope.unknown_nano,
        held=scope.held_nano,
        unknown=scope.unknown_nano,
        check_after=int(counter.read_text()),
        waits=waits,
    )


def _wait_for_a_bill(bill: Path, nano: float, process: multiprocessing.process.BaseProcess) -> None:
    while process.is_alive() and sum(map(int, bill.read_text().split("\n")[:-1])) < nano:
        time.sleep(0.002)


def job(run: str) -> JobRow:
    return JobRow(
        job_id=run,
        spec_id="-",
        spec_path="-",
        title=run,
        task="chore",
        risk="low",
        repository="/bench",
        base_commit="c",
        base_tree="t",
        budget_nano=None,
        submitter="bench",
        submitted_at=now(),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="8 runs on SQLite and 3 on PostgreSQL")
    parser.add_argument("--sqlite-runs", type=int)
    parser.add_argument("--postgres-runs", type=int)
    given = parser.parse_args()
    runs = {"SQLite": given.sqlite_runs or (8 if given.quick else 200)}
    runs["PostgreSQL"] = given.postgres_runs or (3 if given.quick else 50)
    print(machine())
    multiprocessing.set_forkserver_preload(["bench.rig.spending"])
    began = time.monotonic()
    found: dict[str, list[Outcome]] = {}
    differences = 0
    with databases() as urls, tempfile.TemporaryDirectory() as scratch:
        for name, url in urls.items():
            with closing(open_ledger(url)) as ledger:
                found[name] = [one_run(ledger, url, f"{name}-{n}", Path(scratch)) for n in range(runs[name])]
                differences += len(ledger.verify().differences)
    everything = [outcome for outcomes in found.values() for outcome in outcomes]
    print(
        f"\n{PROCESSES} processes x {LOOPS_EACH} loops, one limit of {LIMIT_NANO:,} nano-dollars, a kill in every run\n"
    )
    rows: list[list[object]] = [
        ["", "runs", "over by", "utilisation, least", "median", "billed, median", "waits a run", "check-after over by"]
    ]
    rows += [_row(name, outcomes) for name, outcomes in found.items()]
    print(table(rows), "\n")
    figures = {
        "runs": len(everything),
        "sqlite_runs": runs["SQLite"],
        "postgres_runs": runs["PostgreSQL"],
        "overspent_nano": max(outcome.overspent for outcome in everything),
        "uncharged_nano": max(max(0, outcome.billed - outcome.charged) for outcome in everything),
        "utilisation": round(min(outcome.charged / LIMIT_NANO for outcome in everything), 4),
        "check_after_overspent_nano": max(outcome.check_after - LIMIT_NANO for outcome in everything),
        "check_after_overspent_runs": sum(outcome.check_after > LIMIT_NANO for outcome in everything),
        "differences": differences,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(closing_line(figures, LIMITS))
    return 0 if all(limit.holds(figures) for limit in LIMITS) else 1


def _row(name: str, outcomes: list[Outcome]) -> list[object]:
    return [
        name,
        len(outcomes),
        max(outcome.overspent for outcome in outcomes),
        min(outcome.charged / LIMIT_NANO for outcome in outcomes),
        statistics.median(outcome.charged / LIMIT_NANO for outcome in outcomes),
        statistics.median(outcome.billed / LIMIT_NANO for outcome in outcomes),
        statistics.median(outcome.waits for outcome in outcomes),
        max(outcome.check_after - LIMIT_NANO for outcome in outcomes),
    ]


if __name__ == "__main__":
    sys.exit(main())
