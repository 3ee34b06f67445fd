"""Short ways to write histories and policies down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from thirdshift.core.history import AttemptEnd, AttemptRecord, LoopHistory, LoopPolicy, ReasonCode
from thirdshift.core.ladder import Ladder, Rung, Tier
from thirdshift.core.verdict import VerdictBrief

START = datetime(2031, 3, 1, 22, 0, tzinfo=UTC)
SOON = START + timedelta(minutes=5)
CHECKS = ("lint", "unit", "cents")


def judgement(passed: str = "lint", tree: str = "t", signature: str = "same", **counts: int) -> VerdictBrief:
    """A verdict on lint, unit and cents; ``passed`` names those that pass."""
    names = tuple(passed.split())
    failed = tuple(check for check in CHECKS if check not in names)
    return VerdictBrief(id=1, tree=tree, passed=names, failed=failed, signature=signature if failed else "", **counts)


GREEN = judgement("lint unit cents", tree="green")
RED = judgement()
BASELINE = judgement(tree="base")


def tried(
    rung: int,
    verdict: VerdictBrief | None = RED,
    end: AttemptEnd = AttemptEnd.FINISHED,
    reason: ReasonCode = ReasonCode.FIRST,
    **fields: Any,
) -> AttemptRecord:
    """An attempt of one step that cost a cent; its number is given by ``history``."""
    fields = {"steps": 1, "cost_nano": 10_000_000} | fields
    return AttemptRecord(number=1, rung=rung, reason=reason, end=end, verdict=verdict, **fields)


def down(rung: int, evidence: str = "529 overloaded for 10 min") -> AttemptRecord:
    """An attempt that its provider did not serve."""
    return tried(rung, None, AttemptEnd.PROVIDER, evidence=evidence)


def history(*attempts: AttemptRecord, **fields: Any) -> LoopHistory:
    """The attempts, numbered from 1, on a baseline where only lint passes."""
    numbered = tuple(a.model_copy(update={"number": n}) for n, a in enumerate(attempts, start=1))
    return LoopHistory.model_validate({"started_at": START, "baseline": BASELINE, "attempts": numbered} | fields)


def ladder(shape: str, attempts: int = 2) -> Ladder:
    """A ladder from the initials of its tiers: ``eesf`` is two economy rungs, a specialist and a frontier one."""
    tiers = {tier.value[0]: tier for tier in Tier}
    return Ladder(
        rungs=tuple(
            Rung(model=f"acme/{tiers[letter]}-{place}", tier=tiers[letter], attempts=attempts)
            for place, letter in enumerate(shape)
        )
    )


def policy(shape: str = "esf", attempts: int = 2, **fields: Any) -> LoopPolicy:
    """The default policy on a ladder of that shape."""
    return LoopPolicy(ladder=ladder(shape, attempts), **fields)


def with_trees(trees: Iterable[str], rung: int = 0) -> tuple[AttemptRecord, ...]:
    """Failed attempts that left these trees, each failing in its own way."""
    return tuple(tried(rung, judgement(tree=tree, signature=f"s{n}")) for n, tree in enumerate(trees))
