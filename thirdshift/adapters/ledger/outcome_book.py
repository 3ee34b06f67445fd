"""Deliveries and outcomes in the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select

from thirdshift.adapters.ledger.cost_views import cost_lines
from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.journal import write_entry
from thirdshift.adapters.ledger.outcome_tables import deliveries, outcomes
from thirdshift.adapters.ledger.tables import jobs
from thirdshift.core.delivery import Delivered
from thirdshift.core.outcomes import (
    WHOLE,
    DeliveryRow,
    Outcome,
    OutcomeKind,
    OutcomeTotals,
    outcome_view,
    totals,
)
from thirdshift.core.spec import Delivery
from thirdshift.core.views import Spend


class OutcomeBook:
    """Implements ``core.outcomes.OutcomeBooks``; a part of ``SqlLedger``."""

    _database: Database

    def put_delivery(self, row: DeliveryRow) -> bool:
        """See the port."""
        with self._database.write() as connection:
            return put_delivery(connection, row)

    def delivery_of(self, job_id: str) -> DeliveryRow | None:
        """See the port."""
        with self._database.read() as connection:
            newest = _ROWS.where(deliveries.c.job_id == job_id).order_by(deliveries.c.delivery_id.desc()).limit(1)
            row = connection.execute(newest).mappings().one_or_none()
            return None if row is None else _delivery(row)

    def list_deliveries(self) -> tuple[DeliveryRow, ...]:
        """See the port."""
        with self._database.read() as connection:
            return list_deliveries(connection)

    def put_outcomes(self, found: Sequence[Outcome], source: str, seen_at: datetime) -> tuple[Outcome, ...]:
        """See the port."""
        with self._database.write() as connection:
            return tuple(one for one in found if _put_outcome(connection, one, source, seen_at))

    def outcomes_of(self, job_id: str) -> tuple[Outcome, ...]:
        """See the port."""
        with self._database.read() as connection:
            rows = connection.execute(_ORDERED.where(outcomes.c.job_id == job_id)).mappings()
            return tuple(_outcome(row) for row in rows)

    def outcome_totals(self) -> OutcomeTotals:
        """See the port."""
        with self._database.read() as connection:
            events: dict[str, list[Outcome]] = defaultdict(list)
            for row in connection.execute(_ORDERED).mappings():
                events[row["job_id"]].append(_outcome(row))
            delivered = connection.execute(select(deliveries.c.job_id).where(deliveries.c.commit_hash != "").distinct())
            views = [outcome_view(job_id, events[job_id]) for job_id in {*delivered.scalars(), *events}]
            spend = sum((line.spend for line in cost_lines(connection, None)), Spend())
            return totals(views, spend)


_ROWS = select(deliveries, jobs.c.repository, jobs.c.base_commit).join(jobs, jobs.c.job_id == deliveries.c.job_id)
_ORDERED = select(outcomes).order_by(outcomes.c.at, outcomes.c.outcome_id)


def put_delivery(connection: Connection, row: DeliveryRow) -> bool:
    """Keep a run's delivery, once, and tell it."""
    done = row.delivered
    values = {
        "job_id": row.job_id,
        "run_id": row.run_id,
        "done": int(done.done),
        "kind": done.kind.value,
        "detail": done.detail,
        "branch": done.branch,
        "commit_hash": done.commit,
        "work_hash": done.work,
        "onto": done.onto,
        "url": done.url,
        "at": row.at,
    }
    if not add_if_new(connection, deliveries, values):
        return False
    data = {"done": done.done, "delivery": done.kind.value, "onto": done.onto, "url": done.url}
    told = {**data, "branch": done.branch, "commit": done.commit}
    write_entry(connection, row.job_id, "delivery", done.detail, told, row.at)
    return True


def list_deliveries(connection: Connection) -> tuple[DeliveryRow, ...]:
    """The newest delivery of every job that left a commit somewhere."""
    newest = (
        select(func.max(deliveries.c.delivery_id)).where(deliveries.c.commit_hash != "").group_by(deliveries.c.job_id)
    )
    query = _ROWS.where(deliveries.c.delivery_id.in_(newest)).order_by(deliveries.c.delivery_id)
    return tuple(_delivery(row) for row in connection.execute(query).mappings())


def _put_outcome(connection: Connection, found: Outcome, source: str, seen_at: datetime) -> bool:
    values = {
        "job_id": found.job_id,
        "kind": found.kind.value,
        "commit_hash": found.commit,
        "share": found.share,
        "how": found.how,
        "at": found.at,
        "seen_at": seen_at,
        "source": source,
    }
    if not add_if_new(connection, outcomes, values):
        return False
    part = "" if found.share >= WHOLE or found.kind is OutcomeKind.ACCEPTED else f" ({found.share / 10:.0f}% of it)"
    text = f"{found.kind.value}{part} in {found.commit[:12]}, seen by {found.how}"
    data = {"outcome": found.kind.value, "commit": found.commit, "share": found.share, "how": found.how}
    write_entry(connection, found.job_id, "outcome", text, {**data, "source": source}, seen_at)
    return True


def _outcome(row: RowMapping) -> Outcome:
    return Outcome(
        job_id=row["job_id"],
        kind=OutcomeKind(row["kind"]),
        commit=row["commit_hash"],
        share=row["share"],
        how=row["how"],
        at=row["at"],
    )


def _delivery(row: RowMapping) -> DeliveryRow:
    return DeliveryRow(
        job_id=row["job_id"],
        run_id=row["run_id"],
        repository=row["repository"],
        base_commit=row["base_commit"],
        delivered=Delivered(
            done=bool(row["done"]),
            kind=Delivery(row["kind"]),
            detail=row["detail"],
            branch=row["branch"],
            commit=row["commit_hash"],
            work=row["work_hash"],
            onto=row["onto"],
            url=row["url"],
        ),
        at=row["at"],
    )
