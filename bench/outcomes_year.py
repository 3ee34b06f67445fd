"""A scripted year of merges, edits, reversals and rejections: how many of them ``outcomes sync`` finds, and invents.

Precision is how many of the outcomes that were found are true; recall, how many of the true ones were found.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.year import START, Job, Year, begin, noise
from bench.rig.year_stories import STORIES, tell
from thirdshift.adapters.hub import LocalHub
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.bootstrap.outcomes import Synced, sync_outcomes
from thirdshift.core.delivery import Delivered
from thirdshift.core.ledger import JobRow
from thirdshift.core.outcomes import DeliveryRow, OutcomeKind, OutcomeView
from thirdshift.core.spec import Delivery
from thirdshift.settings import load_settings

DAYS = 365
LIMITS = (Limit("precision", at_least=0.95), Limit("recall", at_least=0.95), Limit("standing_right", at_least=0.95))


def live(root: Path, rounds: int) -> Year:
    """The repository after its year: every story ``rounds`` times, told over its first months."""
    names = [name for _ in range(rounds) for name in STORIES]
    year = begin(root, len(names))
    apart = timedelta(days=DAYS * 0.55 / len(names))
    for number, name in enumerate(names):
        job = Job(number, name, STORIES[name][0])
        year.jobs.append(job)
        tell(year, job, START + apart * number)
    noise(year, len(names), DAYS)
    year.pass_by()
    return year


def enter(year: Year, ledger: SqlLedger, hub: LocalHub) -> None:
    """The books and the hub, as the line would have left them."""
    for job in year.jobs:
        hub.import_base(str(year.root), job.commit, job.id)
        ledger.open_job(
            JobRow(
                job_id=job.id,
                spec_id="spec",
                spec_path="spec.md",
                title=f"Round totals in module {job.number}",
                task="bugfix",
                risk="low",
                repository=str(year.root),
                base_commit=job.base,
                base_tree=year.git("rev-parse", f"{job.base}^{{tree}}"),
                budget_nano=None,
                submitter="una",
                submitted_at=job.at,
            )
        )
        done = Delivered(
            done=True, kind=Delivery.BRANCH, detail="on a branch", branch=job.branch, commit=job.commit, onto="main"
        )
        ledger.put_delivery(
            DeliveryRow(
                job_id=job.id, run_id="run", repository=str(year.root), base_commit=job.base, delivered=done, at=job.at
            )
        )


def measure(where: Path, rounds: int) -> tuple[dict[str, Any], list[list[object]], list[str]]:
    """The figures, a row for each kind of outcome, and a line for each mistake."""
    year = live(where / "repository", rounds)
    settings = load_settings(cwd=where, environ={"THIRDSHIFT_HOME": str(where / "home"), "PATH": "/usr/bin:/bin"})
    ledger = open_ledger(settings.ledger_url)
    try:
        # Work whose branch is gone is in the hub all the same, because it was made there.
        _keep_branches(year)
        enter(year, ledger, LocalHub(str(settings.hub_path)))
        _drop_kept(year)
        began = time.monotonic()
        found = sync_outcomes(settings, ledger, START + timedelta(days=DAYS))
        seconds = time.monotonic() - began
        again = sync_outcomes(settings, ledger, START + timedelta(days=DAYS + 1))
    finally:
        ledger.close()
    if again.fresh:
        raise AssertionError(f"a second look found {len(again.fresh)} events that the first had not")
    rows, figures, mistakes = _judged(year, found)
    return {**figures, "jobs": len(year.jobs), "seconds_for_all": round(seconds, 2)}, rows, mistakes


def _keep_branches(year: Year) -> None:
    for job in year.jobs:
        year.git("branch", f"kept/{job.number}", job.commit)


def _drop_kept(year: Year) -> None:
    for job in year.jobs:
        year.git("branch", "-q", "-D", f"kept/{job.number}")


def _judged(year: Year, found: Synced) -> tuple[list[list[object]], dict[str, Any], list[str]]:
    views = {view.job_id: view for view in found.views}
    rows: list[list[object]] = [["outcome", "true", "found", "of them true", "precision", "recall"]]
    mistakes: list[str] = []
    hits = claims = truths = 0
    for kind in OutcomeKind:
        true = {job.id for job in year.jobs if getattr(job.truth, kind.value)}
        told = {job.id for job in year.jobs if _has(views[job.id], kind)}
        both = len(true & told)
        rows.append([kind.value, len(true), len(told), both, both / max(1, len(told)), both / max(1, len(true))])
        hits, claims, truths = hits + both, claims + len(told), truths + len(true)
        mistakes += [
            f"{job.id} ({job.story}): {kind.value} " + ("invented" if job.id in told else "missed")
            for job in year.jobs
            if (job.id in true) != (job.id in told)
        ]
    right = sum(views[job.id].state.value == job.truth.stands for job in year.jobs)
    mistakes += [
        f"{job.id} ({job.story}): stands {views[job.id].state}, not {job.truth.stands}"
        for job in year.jobs
        if views[job.id].state.value != job.truth.stands
    ]
    figures = {
        "precision": round(hits / max(1, claims), 4),
        "recall": round(hits / max(1, truths), 4),
        "standing_right": round(right / len(year.jobs), 4),
    }
    return rows, figures, mistakes


def _has(view: OutcomeView, kind: OutcomeKind) -> bool:
    return any(event.kind is kind for event in view.events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every story once")
    rounds = 1 if parser.parse_args().quick else 6
    print(machine())
    with tempfile.TemporaryDirectory() as where:
        figures, rows, mistakes = measure(Path(where), rounds)
    print(table(rows))
    print("\n".join(mistakes) if mistakes else "no mistakes")
    print(closing_line(figures, LIMITS))


if __name__ == "__main__":
    main()
