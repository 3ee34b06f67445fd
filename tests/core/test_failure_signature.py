"""Two failures have one signature exactly when a person would call them the same failure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thirdshift.core.failure_signature import brief, failure_signature, masked
from thirdshift.core.ports import CommandEnd
from thirdshift.core.verdict import CheckOutcome, Verdict


def outcome(name: str, *, passed: bool = False, output: str = "", end: CommandEnd = CommandEnd.EXITED) -> CheckOutcome:
    return CheckOutcome(id=name, passed=passed, end=end, exit_code=int(not passed), seconds=1.0, output=output)


def failed_with(output: str, **fields: object) -> Verdict:
    return Verdict.model_validate({"tree": "t", "checks": (outcome("unit", output=output),), **fields})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("assert 3 == 4", "assert 17 == 4.5", id="numbers"),
        pytest.param("took 980 ms", "took 1.02 s", id="durations and their units"),
        pytest.param(
            "=== 1 failed in 9.99s ===", "==== 1 failed in 70.10s (0:01:10) ====", id="a test run's last line"
        ),
        pytest.param("<Foo object at 0x7f33ab>", "<Foo object at 0x55e>", id="memory addresses"),
        pytest.param("commit a1b2c3d missing", "commit 1234567 missing", id="short hashes, all digits or not"),
        pytest.param("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-aaaa-bbbb-cccc-dddddddddddd", id="UUIDs"),
        pytest.param("in /tmp/pytest-of-x/pytest-3/a.txt", "in /tmp/tmpq8_x/b.txt", id="absolute paths"),
        pytest.param("src/a.py:12: error", "src/deep/b.py:340: error", id="relative paths and lines"),
        pytest.param(r"C:\tmp\x.py failed", r"D:\other\y.py failed", id="Windows paths"),
        pytest.param("GET http://127.0.0.1:8080/v1/x", "GET http://127.0.0.1:41234/v1/y", id="URLs and ports"),
        pytest.param("2031-11-22T04:26:59.123Z boom", "2031-11-23 05:00:01+02:00 boom", id="timestamps"),
        pytest.param("Tue Nov 22 04:26:59 2031 boom", "Wed Dec  3 14:00:00 2031 boom", id="dates with names"),
        pytest.param("FAILED ::test_a\nFAILED ::test_b", "FAILED ::test_b\nFAILED ::test_a", id="the order of tests"),
        pytest.param("tests/test_x.py ..F. [ 50%]\nboom", "tests/test_x.py F... [100%]\nboom", id="rows of dots"),
        pytest.param("\x1b[31mboom\x1b[0m", "<U+001B>[1;32mboom<U+001B>[0m", id="colours, raw or made visible"),
    ],
)
def test_what_differs_from_run_to_run_does_not_change_the_signature(one: str, other: str) -> None:
    assert failure_signature(failed_with(one)) == failure_signature(failed_with(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("AssertionError: totals differ", "KeyError: 'total'", id="another error"),
        pytest.param("FAILED tests/a.py::test_totals", "FAILED tests/a.py::test_cents", id="another test"),
        pytest.param("", "killed", id="silence and a word"),
    ],
)
def test_another_failure_has_another_signature(one: str, other: str) -> None:
    assert failure_signature(failed_with(one)) != failure_signature(failed_with(other))


def test_the_failed_check_its_end_and_each_other_finding_count() -> None:
    lint, unit = outcome("lint"), outcome("unit")
    different = [
        Verdict(tree="t", checks=(unit,)),
        Verdict(tree="t", checks=(lint,)),
        Verdict(tree="t", checks=(unit, lint)),
        Verdict(tree="t", checks=(outcome("unit", end=CommandEnd.TIMED_OUT),)),
        Verdict(tree="t", checks=(unit,), not_run=("lint",)),
        Verdict(tree="t", checks=(unit,), tampering=("tests/test_a.py was deleted",)),
        Verdict(tree="t", checks=(unit,), out_of_scope=("setup.py",)),
        Verdict(tree="t", checks=(unit,), out_of_scope=("tox.ini",)),
        Verdict(tree="t", checks=()),
    ]
    assert len({failure_signature(verdict) for verdict in different}) == len(different)


def test_the_tree_and_the_checks_that_passed_do_not_count() -> None:
    one = Verdict(tree="a", checks=(outcome("unit"), outcome("lint", passed=True, output="fine")))
    assert failure_signature(one) == failure_signature(Verdict(tree="b", checks=(outcome("unit"),)))


def test_a_passed_verdict_has_no_signature() -> None:
    assert failure_signature(Verdict(tree="t", checks=(outcome("unit", passed=True),))) == ""


def test_a_brief_names_what_passed_and_what_failed_or_was_not_run_in_order() -> None:
    verdict = Verdict(
        tree="t",
        checks=(outcome("lint", passed=True), outcome("types"), outcome("unit")),
        not_run=("slow",),
        out_of_scope=("a", "b"),
        tampering=("c",),
    )
    short = brief(verdict, 7)
    assert (short.id, short.tree, short.passed, short.failed) == (7, "t", ("lint",), ("types", "unit", "slow"))
    assert (short.out_of_scope, short.tampering, short.signature) == (2, 1, failure_signature(verdict))


outcomes = st.builds(
    outcome, st.sampled_from(["lint", "unit"]), passed=st.booleans(), output=st.text(), end=st.sampled_from(CommandEnd)
)
few = st.lists(st.text(), max_size=2).map(tuple)


@given(st.builds(Verdict, tree=st.just("t"), checks=st.lists(outcomes).map(tuple), not_run=few, tampering=few))
def test_a_brief_is_ok_exactly_when_its_verdict_passed(verdict: Verdict) -> None:
    short = brief(verdict, 1)
    assert short.ok is verdict.passed
    assert (short.signature == "") is verdict.passed


def test_masked_lines_come_sorted_and_each_once_so_that_every_process_hashes_alike() -> None:
    assert masked("nn\nmm\nll\nkk\njj\nii\nhh\ngg\nnn") == ("gg", "hh", "ii", "jj", "kk", "ll", "mm", "nn")


@given(st.text(st.characters(), max_size=300))
def test_any_output_at_all_can_be_masked(output: str) -> None:
    assert not any(line != " ".join(line.split()) for line in masked(output))
    assert masked(output + "\n" + output) == masked(output)


@settings(deadline=None, max_examples=15)
@given(st.text(st.sampled_from(".:/-<a1eF =_,\x1b[;"), min_size=1, max_size=8))
def test_a_hostile_output_of_full_length_is_masked_in_bounded_time(unit: str) -> None:
    # The suite's own time-out is the bound: a rule with quadratic backtracking would run into it.
    assert isinstance(masked((unit * (65_536 // len(unit) + 1))[:65_536]), tuple)
