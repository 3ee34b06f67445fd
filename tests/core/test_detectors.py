"""Going in circles: inside an attempt and across attempts."""

from __future__ import annotations

import pytest

from tests.core.histories import down, history, judgement, policy, tried, with_trees
from thirdshift.core.detectors import attempt_should_end, stalled
from thirdshift.core.history import AttemptEnd, StopReason

RULES = policy(repeated_calls=4, oscillation_cycles=3)


@pytest.mark.parametrize(
    ("steps", "trees", "end"),
    [
        pytest.param("", "", None, id="nothing was done"),
        pytest.param("abc", "xyz", None, id="something new each step"),
        pytest.param("zaaa", "", None, id="three times the same is allowed"),
        pytest.param("zaaaa", "", AttemptEnd.REPEATING, id="four times the same"),
        pytest.param("aaaab", "", None, id="it went on to something else"),
        pytest.param("zabababab", "", AttemptEnd.REPEATING, id="two steps in turn, four times over"),
        pytest.param("zababab", "", None, id="two steps in turn, three times over"),
        pytest.param("abcabcabcabc", "", AttemptEnd.REPEATING, id="three steps in turn, four times over"),
        pytest.param("abcdabcdabcdabcd", "", None, id="a cycle of four is work, not repetition"),
        pytest.param("aabaabaabaab", "", AttemptEnd.REPEATING, id="a cycle in which a step comes twice"),
        pytest.param("", "xxxxxxxxxxxx", None, id="a tree that stays is no oscillation"),
        pytest.param("", "xyxyxy", AttemptEnd.OSCILLATING, id="two trees to and fro"),
        pytest.param("", "xyxy", None, id="to and fro twice is allowed"),
        pytest.param("", "xxxyyxyyyxxy", AttemptEnd.OSCILLATING, id="to and fro with reading in between"),
        pytest.param("", "wxyzwxyzwxyz", AttemptEnd.OSCILLATING, id="four trees in turn"),
        pytest.param("", "vwxyzvwxyzvwxyz", None, id="five trees in turn"),
        pytest.param("", "xyxyxyz", None, id="it got out of the circle"),
        pytest.param("aaaa", "xyxyxy", AttemptEnd.REPEATING, id="repeating is named first"),
    ],
)
def test_an_attempt_ends_when_it_goes_in_circles(steps: str, trees: str, end: AttemptEnd | None) -> None:
    assert attempt_should_end(list(steps), list(trees), RULES) is end


def test_failures_that_carry_no_signature_are_never_the_same() -> None:
    past = history(*(tried(0, judgement(signature="")) for _ in range(9)))
    assert stalled(past, policy(repeated_failures=2, no_progress_attempts=99)) is None


def test_an_outage_between_two_equal_failures_does_not_part_them() -> None:
    stop = stalled(history(tried(0), down(0), tried(1)), policy(repeated_failures=2))
    assert stop is not None
    assert stop.reason is StopReason.REPEATING


def test_another_failure_in_between_does() -> None:
    past = history(tried(0), tried(0, judgement(signature="other")), tried(0))
    assert stalled(past, policy(repeated_failures=2)) is None


@pytest.mark.parametrize("round_", ["ab", "abc", "abcd"])
def test_attempts_that_go_round_up_to_four_trees_oscillate(round_: str) -> None:
    rules = policy(oscillation_cycles=3, no_progress_attempts=99)
    stop = stalled(history(*with_trees(round_ * 3)), rules)
    assert stop is not None
    assert stop.reason is StopReason.OSCILLATING
    assert f"the same {len(round_)} trees 3 times" in stop.evidence
    assert stalled(history(*with_trees((round_ * 3)[1:])), rules) is None


def test_attempts_that_all_leave_the_same_tree_do_not_oscillate() -> None:
    assert stalled(history(*with_trees("aaaaaaaa")), policy(no_progress_attempts=99)) is None
