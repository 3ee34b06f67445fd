"""``outcomes sync``: look into the repositories of delivered work, and append what is found to the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from thirdshift.adapters.hub.watching import BranchWatcher, WatchedBranch
from thirdshift.adapters.repository_history.commits import read_history
from thirdshift.adapters.repository_history.tracing import Delivered, Tracer
from thirdshift.bootstrap.delivery import open_delivery, watcher
from thirdshift.core.delivery import Deliverer, forge_address
from thirdshift.core.errors import ThirdshiftError
from thirdshift.core.forge import Forge, ForgeRequest
from thirdshift.core.outcomes import (
    DeliveryRow,
    Outcome,
    OutcomeBooks,
    OutcomePolicy,
    OutcomeTotals,
    OutcomeView,
    outcome_view,
    outcomes,
)
from thirdshift.core.spec import Delivery
from thirdshift.settings import Settings


@dataclass(frozen=True)
class Synced:
    """What a look brought."""

    fresh: tuple[Outcome, ...]
    """Events that the books did not have."""
    views: tuple[OutcomeView, ...]
    totals: OutcomeTotals
    problems: dict[str, str]
    """Job to why its repository or forge could not be read; its outcomes are as they were."""


@dataclass(frozen=True)
class _Eyes:
    """What is looked with."""

    watcher: BranchWatcher
    deliverer: Deliverer
    forges: Mapping[str, Forge]


def sync_outcomes(
    settings: Settings, books: OutcomeBooks, now: datetime, source: str = "sync", policy: OutcomePolicy | None = None
) -> Synced:
    """Look at every delivered job once. A repository that cannot be read keeps the others from nothing. Blocking."""
    policy = policy or OutcomePolicy()
    rows = books.list_deliveries()
    found: list[Outcome] = []
    problems: dict[str, str] = {}
    with open_delivery(settings) as delivery, watcher(settings) as watching:
        eyes = _Eyes(watching, delivery.deliverer, delivery.forges)
        for (repository, onto, at_remote), group in _by_branch(rows, eyes, problems).items():
            branch = WatchedBranch(repository, onto, onto, at_remote)
            try:
                found += _of_branch(eyes, branch, group, now, policy)
            except ThirdshiftError as error:
                problems |= {row.job_id: str(error) for row in group}
    fresh = books.put_outcomes(found, source, now)
    views = tuple(outcome_view(row.job_id, books.outcomes_of(row.job_id), policy) for row in rows)
    return Synced(fresh=fresh, views=views, totals=books.outcome_totals(), problems=problems)


def _by_branch(
    rows: Sequence[DeliveryRow], eyes: _Eyes, problems: dict[str, str]
) -> dict[tuple[str, str, bool], list[DeliveryRow]]:
    """Deliveries by the branch that their work is to come to; each branch is read once."""
    groups: dict[tuple[str, str, bool], list[DeliveryRow]] = defaultdict(list)
    for row in rows:
        done = row.delivered
        try:
            onto = done.onto or eyes.deliverer.branch_named(row.repository, "HEAD")
        except ThirdshiftError as error:
            problems[row.job_id] = str(error)
            continue
        at_remote = done.done and done.kind in (Delivery.PUSH, Delivery.PULL_REQUEST)
        groups[row.repository, onto, at_remote].append(row)
    return groups


def _of_branch(
    eyes: _Eyes, onto: WatchedBranch, rows: Sequence[DeliveryRow], now: datetime, policy: OutcomePolicy
) -> list[Outcome]:
    tip = eyes.watcher.fetched(onto)
    if not tip:
        return []  # no base branch, nothing that could have come to it
    git, git_dir = eyes.watcher.git, eyes.watcher.git_dir
    history = read_history(git, git_dir, tip, [row.base_commit for row in rows])
    tracer = Tracer(git, git_dir, history, policy)
    found: list[Outcome] = []
    for row in rows:
        request = _request(eyes, row, onto)
        work, withdrawn = _work(eyes, row, onto, request)
        found += outcomes(tracer.trail(work, withdrawn, now), policy)
    return found


def _work(eyes: _Eyes, row: DeliveryRow, onto: WatchedBranch, request: ForgeRequest | None) -> tuple[Delivered, str]:
    """The work to follow, and whether it was withdrawn."""
    done = row.delivered
    tip = eyes.watcher.fetched(WatchedBranch(row.repository, onto.onto, done.branch, onto.at_remote))
    work = Delivered(
        job=row.job_id,
        base=row.base_commit,
        commit=done.work or done.commit,
        branch_tip=tip,
        merged_as=request.merge_commit if request else "",
    )
    if request is not None:
        return work, "request" if request.state == "closed" else ""
    return work, "" if tip else "branch"


def _request(eyes: _Eyes, row: DeliveryRow, onto: WatchedBranch) -> ForgeRequest | None:
    """The job's pull request, where it has one and its forge is configured."""
    if not row.delivered.url:
        return None
    found = forge_address(eyes.deliverer.remote_url(row.repository, onto.onto))
    forge = eyes.forges.get(found[0]) if found else None
    if found is None or forge is None:
        return None
    requests = forge.requests_of(found[1], row.delivered.branch)
    return next((request for request in requests if request.url == row.delivered.url), None)
