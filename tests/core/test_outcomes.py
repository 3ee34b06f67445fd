from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from thirdshift.core.outcomes import (
    Landing,
    Outcome,
    OutcomeKind,
    OutcomePolicy,
    OutcomeState,
    Stretch,
    Touch,
    Trail,
    outcome_view,
    outcomes,
    totals,
)
from thirdshift.core.views import Spend

DAY = datetime(2026, 1, 1, tzinfo=UTC)
LANDED = Landing(commit="a" * 40, at=DAY, how="ancestor")


def touch(days: float, **facts: object) -> Touch:
    return Touch.model_validate({"commit": f"{int(days):040d}", "at": DAY + timedelta(days=days), **facts})


def told(*touches: Touch, landing: Landing = LANDED, withdrawn: str = "") -> list[tuple[OutcomeKind, int, str]]:
    trail = Trail(
        job_id="job",
        delivered_commit="d" * 40,
        stretches=(Stretch(landing=landing, touches=touches),),
        withdrawn=withdrawn,
        seen_at=DAY,
    )
    return [(event.kind, event.share, event.how) for event in outcomes(trail, OutcomePolicy())]


ACCEPTED = (OutcomeKind.ACCEPTED, 1000, "ancestor")


@pytest.mark.parametrize(
    ("later", "event"),
    [
        (touch(200, reverses=True, undone=0), (OutcomeKind.REVERTED, 1000, "patch")),
        (touch(200, says_revert=True, undone=800), (OutcomeKind.REVERTED, 800, "message")),
        (touch(30, undone=330), (OutcomeKind.REVERTED, 330, "lines")),
        (touch(14, edited=1), (OutcomeKind.EDITED, 1, "after")),
        (touch(3, edited=100, undone=100), (OutcomeKind.EDITED, 200, "after")),
        (touch(3, edited=600, undone=300), (OutcomeKind.EDITED, 900, "after")),
    ],
)
def test_a_later_commit_is_an_event(later: Touch, event: tuple[OutcomeKind, int, str]) -> None:
    assert told(later) == [ACCEPTED, event]


@pytest.mark.parametrize(
    "later",
    [touch(15, edited=900), touch(91, undone=1000), touch(20, undone=249), touch(5, says_revert=True)],
    ids=["replaced after two weeks", "taken out after months", "a little taken out", "a revert that reverts nothing"],
)
def test_how_code_lives_is_no_event(later: Touch) -> None:
    assert told(later) == [ACCEPTED]


def test_work_that_was_changed_on_its_way_is_accepted_and_edited() -> None:
    assert told(landing=LANDED.model_copy(update={"changed": 40})) == [ACCEPTED, (OutcomeKind.EDITED, 40, "before")]


def test_a_branch_that_is_gone_rejects_only_what_has_not_landed() -> None:
    assert told(withdrawn="branch") == [ACCEPTED]
    trail = Trail(job_id="job", delivered_commit="d" * 40, withdrawn="request", seen_at=DAY)
    (event,) = outcomes(trail, OutcomePolicy())
    assert (event.kind, event.commit, event.how, event.at) == (OutcomeKind.REJECTED, "d" * 40, "request", DAY)
    assert outcomes(trail.model_copy(update={"withdrawn": ""}), OutcomePolicy()) == ()


def event(kind: OutcomeKind, share: int = 1000) -> Outcome:
    return Outcome(job_id="job", kind=kind, commit="c" * 40, share=share, how="x", at=DAY)


A, E, J, V = OutcomeKind.ACCEPTED, OutcomeKind.EDITED, OutcomeKind.REJECTED, OutcomeKind.REVERTED


@pytest.mark.parametrize(
    ("events", "state", "edited"),
    [
        ([], OutcomeState.PENDING, False),
        ([event(A)], OutcomeState.ACCEPTED, False),
        ([event(A), event(E)], OutcomeState.ACCEPTED, True),
        ([event(A), event(V, 330)], OutcomeState.ACCEPTED, False),
        ([event(A), event(V, 330), event(V, 330)], OutcomeState.REVERTED, False),
        ([event(A), event(V), event(A)], OutcomeState.ACCEPTED, False),
        ([event(J)], OutcomeState.REJECTED, False),
        ([event(J), event(A)], OutcomeState.ACCEPTED, False),
        ([event(A), event(J)], OutcomeState.ACCEPTED, False),
        ([event(A), event(V), event(J)], OutcomeState.REVERTED, False),
    ],
)
def test_where_a_job_stands(events: list[Outcome], state: OutcomeState, edited: bool) -> None:
    view = outcome_view("job", events)
    assert (view.state, view.edited) == (state, edited)


def test_an_accepted_outcome_costs_all_that_was_spent_failures_included() -> None:
    views = [outcome_view(f"job-{n}", [event(kind)]) for n, kind in enumerate([A, A, J])]
    views += [outcome_view("job-back", [event(A), event(V)]), outcome_view("job-new", [])]
    found = totals(views, Spend(settled_nano=9_000_000_000, imputed_nano=5))
    assert (found.accepted, found.rejected, found.reverted, found.pending) == (2, 1, 1, 1)
    assert found.cost_per_accepted_usd() == "4.50" or found.cost_per_accepted_nano == 4_500_000_000
    assert totals([], Spend(settled_nano=9)).cost_per_accepted_usd() is None
