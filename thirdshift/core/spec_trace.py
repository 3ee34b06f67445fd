"""Tracing a spec: which checks show which criterion."""

from __future__ import annotations

from collections.abc import Collection

from thirdshift.core.frozen import Frozen
from thirdshift.core.spec import Criterion, Spec


class TraceRow(Frozen):
    """How one criterion is judged."""

    criterion: Criterion
    checks: tuple[str, ...]
    """Ids of the visible checks that cover it, in the order written."""
    holdout: tuple[str, ...]
    """Ids of the held-out ones."""
    packets: tuple[str, ...]
    """None where the spec declares none."""


def trace_table(spec: Spec) -> tuple[TraceRow, ...]:
    """One row for each criterion, in the order written."""
    return tuple(
        TraceRow(
            criterion=criterion,
            checks=tuple(c.id for c in spec.checks if criterion.id in c.covers and not c.holdout),
            holdout=tuple(c.id for c in spec.checks if criterion.id in c.covers and c.holdout),
            packets=tuple(packet.id for packet in spec.packets if criterion.id in packet.covers),
        )
        for criterion in spec.criteria
    )


def criteria_of_failed(spec: Spec, failed_check_ids: Collection[str]) -> tuple[Criterion, ...]:
    """The criteria that the failed checks cover, in the order written."""
    named = {name for check in spec.checks if check.id in failed_check_ids for name in check.covers}
    return tuple(criterion for criterion in spec.criteria if criterion.id in named)
