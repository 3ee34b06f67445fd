"""What counts as the best tree, and what counts as progress."""

from __future__ import annotations

import pytest

from tests.core.histories import down, history, judgement, tried
from thirdshift.core.history import LoopHistory
from thirdshift.core.progress import attempts_without_progress, best_tree, still_failing
from thirdshift.core.verdict import VerdictBrief


def after(*verdicts: VerdictBrief, **fields: object) -> LoopHistory:
    return history(*(tried(0, verdict) for verdict in verdicts), **fields)


@pytest.mark.parametrize(
    ("past", "best"),
    [
        pytest.param(after(), None, id="nothing was tried"),
        pytest.param(after(judgement("lint", tree="a")), None, id="equal to the baseline is not better"),
        pytest.param(after(judgement("unit", tree="a")), None, id="one fixed and one broken is not better"),
        pytest.param(after(judgement("lint unit", tree="a")), "a", id="one more check passes"),
        pytest.param(after(judgement("lint unit", tree="a"), judgement(tree="b")), "a", id="the last fell back"),
        pytest.param(
            after(judgement("lint unit", tree="a"), judgement("lint cents", tree="b")),
            "b",
            id="the latest among equals",
        ),
        pytest.param(after(judgement("lint unit", tree="a", tampering=1)), None, id="a tampered tree is no tree"),
        pytest.param(after(judgement("lint unit", tree="a", out_of_scope=1)), None, id="nor is one out of scope"),
        pytest.param(after(judgement("lint", tree="a"), baseline=None), "a", id="with no baseline any pass counts"),
        pytest.param(after(judgement("", tree="a"), baseline=None), None, id="with no baseline no pass is no tree"),
    ],
)
def test_the_best_tree(past: LoopHistory, best: str | None) -> None:
    assert best_tree(past) == best


@pytest.mark.parametrize(
    ("past", "idle"),
    [
        pytest.param(after(), 0, id="nothing was tried"),
        pytest.param(after(judgement()), 1, id="only what passed before passes"),
        pytest.param(after(judgement(), judgement("lint unit")), 0, id="a check newly passes"),
        pytest.param(after(judgement("lint unit"), judgement("lint unit")), 1, id="passing again is nothing new"),
        pytest.param(after(judgement("unit")), 0, id="newly passing, though another broke"),
        pytest.param(
            after(*(judgement(p) for p in ("unit", "lint", "unit", "lint"))), 3, id="trading one for another and back"
        ),
        pytest.param(after(judgement("unit"), judgement("lint unit")), 0, id="both at once for the first time"),
        pytest.param(after(judgement("lint unit", tampering=1)), 1, id="what tampering made pass is not new"),
        pytest.param(
            after(judgement("lint unit", tampering=1), judgement("lint unit")), 0, id="honestly passing after that is"
        ),
    ],
)
def test_attempts_without_progress_are_counted_from_the_last_progress(past: LoopHistory, idle: int) -> None:
    assert attempts_without_progress(past) == idle


def test_attempts_that_were_never_judged_say_nothing_about_progress() -> None:
    assert attempts_without_progress(history(tried(0), down(0), down(1))) == 1


def test_what_remains_is_what_the_best_tree_fails() -> None:
    assert still_failing(after(judgement("lint unit"), judgement())) == ("cents",)


def test_what_remains_without_any_sound_tree_is_what_the_last_one_failed() -> None:
    assert still_failing(after(judgement("lint", tampering=1), baseline=None)) == ("unit", "cents")
