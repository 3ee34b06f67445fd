import pytest

from thirdshift.core.gate_summary import gates_in_words, time_in_words
from thirdshift.core.gates import GateTerms, OnExpiry
from thirdshift.core.spec import GateKind


def test_a_job_without_gates_says_that_nobody_is_asked() -> None:
    assert "without asking anybody" in gates_in_words((), GateTerms())


def test_kinds_people_and_deadline_are_told() -> None:
    terms = GateTerms(
        reviewers=("ada", "bob"),
        needed=2,
        submitter="eve\u202e",
        separation=True,
        deadline_seconds=172_800,
        escalate_to=("carol",),
        on_expiry=OnExpiry.REJECT,
    )
    text = gates_in_words((GateKind.PLAN, GateKind.MERGE), terms)
    assert "plan (before any code is written); merge (before anything is delivered)" in text
    assert "2 of ada, bob, never eve<U+202E> alone" in text
    assert "within 2 days, then carol, or it is rejected" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 minute"), (7_000, "116 minutes"), (7_200, "2 hours"), (200_000, "2 days")],
)
def test_times_are_told_in_the_largest_unit_that_is_not_too_coarse(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words
