from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.junit import Case, ReportUnreadable, State, read_junit, read_witness
from thirdshift.core.suites import MAX_NAMES, Accounting, Count, Ran, account, counts, pack, tally, unpack

A, B, C = (Case(f"t::{name}", State.PASSED) for name in "abc")


def ran(passed: bool, *cases: Case) -> Ran:
    return Ran(passed, tally(cases, keep_names=True))


def accounted(base: Ran, passed: bool, *cases: Case, holdout: bool = False, reported: bool = True) -> Accounting:
    now = Ran(passed, tally(cases, keep_names=False) if reported else None)
    return account("unit", base, now, cases, holdout=holdout)


def test_what_ran_at_base_must_run_again_and_more_may() -> None:
    assert accounted(ran(True, A, B), True, A, B, C) == Accounting()
    assert "ran at base and did not run now: t::b" in accounted(ran(True, A, B), True, A, C).tampering[0]


def test_a_failing_run_need_not_have_reached_every_test() -> None:
    assert accounted(ran(True, A, B), False, A) == Accounting()


def test_a_test_that_is_newly_skipped_shows_whatever_the_exit_code() -> None:
    for passed in (True, False):
        found = accounted(ran(True, A, B), passed, A, B._replace(state=State.SKIPPED))
        assert "is skipped now: t::b" in found.tampering[0]
    assert accounted(ran(True, A, B._replace(state=State.SKIPPED)), True, A, B) == Accounting()


@pytest.mark.parametrize("reported", [True, False])
def test_exit_0_without_a_test_is_no_pass_where_tests_ran_at_base(reported: bool) -> None:
    found = accounted(ran(False, A), True, reported=reported)
    assert found.problem.startswith("exit 0, but no test ran")
    assert found.tampering


def test_exit_0_without_a_test_is_no_pass_where_base_could_not_even_begin() -> None:
    assert accounted(ran(False), True).problem == "exit 0, but no test ran"
    assert accounted(ran(True), True) == Accounting()
    assert accounted(Ran(False, None), True, reported=False) == Accounting()


def test_exit_0_beside_a_failed_test_is_no_pass_unless_base_did_the_same() -> None:
    failed = A._replace(state=State.FAILED)
    assert "1 failed test" in accounted(ran(False, failed), True, failed).problem
    assert accounted(ran(True, failed), True, failed) == Accounting()


def test_parameters_do_not_tell_tests_apart_but_their_number_counts() -> None:
    old = [Case(f"t::a[{number}]", State.PASSED) for number in (1, 2)]
    new = [Case(f"t::a[{number}]", State.PASSED) for number in (3, 4)]
    assert accounted(ran(True, *old), True, *new) == Accounting()
    assert accounted(ran(True, *old), True, new[0]).tampering


def test_of_a_held_out_check_neither_its_name_nor_its_tests_are_told() -> None:
    for found in (
        accounted(ran(True, A, B), True, A, holdout=True),
        accounted(ran(True, A, B), True, holdout=True),
        accounted(ran(True, A), True, A._replace(state=State.SKIPPED), holdout=True),
    ):
        assert found.tampering
        assert not any("unit" in sentence or "t::" in sentence for sentence in found.tampering)


def test_names_in_findings_are_made_visible() -> None:
    hostile = Case("t::\u202ex\n\x1b[2J", State.PASSED)
    sentence = accounted(ran(True, hostile, A), True, A).tampering[0]
    assert "<U+202E>" in sentence
    assert "\x1b" not in sentence
    assert "\n" not in sentence


@given(st.dictionaries(st.text(max_size=20), st.builds(Count, st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_packing_loses_nothing(by_name: dict[str, Count]) -> None:
    assert unpack(pack(by_name)) == by_name


def test_of_very_many_tests_every_tree_keeps_the_same_names() -> None:
    many = {f"t::{number}": Count(1, 0) for number in range(MAX_NAMES + 500)}
    kept = unpack(pack(many))
    assert len(kept) == MAX_NAMES
    assert unpack(pack(dict(reversed(many.items())))) == kept
    assert len(pack(many)) < 400_000


def test_junit_is_read_as_runners_write_it() -> None:
    report = b"""<?xml version="1.0"?><testsuites><testsuite name="s">
      <testcase classname="t.A" name="one" file="t.py"/>
      <testcase classname="t.A" name="two"><failure message="x">y</failure></testcase>
      <testcase classname="t.A" name="three"><error/></testcase>
      <testcase classname="t.A" name="four"><skipped/></testcase>
      <testcase classname="" name="t.broken"><error message="collection failure"/></testcase>
    </testsuite></testsuites>"""
    cases = read_junit(report)
    assert [(case.name, case.state) for case in cases] == [
        ("t.A::one", State.PASSED),
        ("t.A::two", State.FAILED),
        ("t.A::three", State.FAILED),
        ("t.A::four", State.SKIPPED),
    ]
    assert cases[0].file == "t.py"


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"OK",
        b"<html></html>",
        b"<testsuite><testcase",
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>',
        b"\xff\xfe<testsuite/>",
    ],
)
def test_what_is_no_report_is_refused(report: bytes) -> None:
    with pytest.raises(ReportUnreadable):
        read_junit(report)


def test_a_deep_or_long_report_is_read_in_bounded_memory() -> None:
    deep = b"<testsuite>" * 50_000 + b"</testsuite>" * 50_000
    assert read_junit(deep) == ()
    long = b"<testsuite>" + b'<testcase classname="a" name="' + b"x" * 100_000 + b'"/>' + b"</testsuite>"
    assert len(read_junit(long)[0].name) == 400


def test_a_test_that_began_and_never_ended_failed() -> None:
    witness = b'["start", "t.A.one", "t.py"]\n["pass", "t.A.one", "t.py"]\n["start", "t.A.two", "t.py"]\n'
    assert [case.state for case in read_witness(witness)] == [State.PASSED, State.FAILED]


def test_lines_that_are_no_events_are_passed_over() -> None:
    noise = b'nonsense\n[1, 2, 3]\n{"a": 1}\n["pass", "never started", ""]\n["start", "\\ud800", "x"]\n' + b"[" * 9999
    cases = read_witness(noise)
    assert [case.name for case in cases] == ["?"]
    tally(cases, keep_names=True).model_dump_json()


def test_a_module_that_cannot_be_imported_is_no_test() -> None:
    assert read_witness(b'["start", "unittest.loader._FailedTest.test_x", ""]') == ()
    assert counts(()) == {}
