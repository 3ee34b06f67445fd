from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thirdshift.adapters.witness import lay_out
from thirdshift.adapters.witness.reports import read_reports
from thirdshift.core.junit import Case, State

TESTS = """
import unittest, subprocess, sys

class T(unittest.TestCase):
    def test_pass(self): pass
    def test_fail(self): self.fail()
    def test_error(self): raise ValueError
    def test_nested(self):
        subprocess.run([sys.executable, "-m", "unittest", "test_x.T.test_fail"], stderr=subprocess.DEVNULL)
    def test_parts(self):
        for number in range(2):
            with self.subTest(number=number):
                self.assertEqual(number, 0)
    @unittest.skip("no")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_xfail(self): self.fail()
    @unittest.expectedFailure
    def test_xpass(self): pass
"""
JUNIT = b'<testsuite><testcase classname="a" name="b"/></testsuite>'


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The witness, the reports, and a checkout."""
    made = tuple(tmp_path / name for name in ("witness", "report", "checkout"))
    for place in made:
        place.mkdir()
    lay_out(str(made[0]))
    return made[0], made[1], made[2]


@pytest.mark.parametrize("way", ["PYTHONPATH", "PYTHONUSERBASE", "both"])
def test_every_end_of_a_unittest_is_noted_and_nested_runs_are_not(places: tuple[Path, Path, Path], way: str) -> None:
    witness, report, checkout = places
    (checkout / "test_x.py").write_text(TESTS)
    ways = {"PYTHONPATH": str(witness / "path"), "PYTHONUSERBASE": str(witness / "user")}
    env = {"THIRDSHIFT_REPORT": str(report), "PATH": "/usr/bin"}
    env |= ways if way == "both" else {way: ways[way]}
    base_python = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base_python, "-m", "unittest", "-q"], cwd=checkout, env=env, capture_output=True, check=False)
    cases = read_reports(str(report), str(checkout), None)
    assert cases is not None
    assert {case.name.removeprefix("test_x.T.test_"): case.state for case in cases} == {
        "pass": State.PASSED,
        "fail": State.FAILED,
        "error": State.FAILED,
        "nested": State.PASSED,
        "parts": State.FAILED,
        "skip": State.SKIPPED,
        "xfail": State.SKIPPED,
        "xpass": State.FAILED,
    }
    assert {case.file for case in cases} == {str(checkout / "test_x.py")}


def test_a_program_that_runs_no_test_leaves_no_report(places: tuple[Path, Path, Path]) -> None:
    witness, report, checkout = places
    env = {"THIRDSHIFT_REPORT": str(report), "PYTHONPATH": str(witness / "path"), "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", "import unittest.mock; print(1)"], env=env, capture_output=True, check=True
    )
    assert done.stdout == b"1\n"
    assert read_reports(str(report), str(checkout), None) is None


def test_the_environments_own_sitecustomize_runs_too(places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    witness, report, _ = places
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('own')\n")
    env = {"THIRDSHIFT_REPORT": str(report), "PYTHONPATH": f"{witness}/path:{tmp_path / 'own'}", "PATH": "/usr/bin"}
    done = subprocess.run([sys.executable, "-c", "pass"], env=env, capture_output=True, check=True)
    assert done.stdout == b"own\n"


def test_links_and_pipes_in_place_of_reports_are_not_read(places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, report, checkout = places
    (tmp_path / "elsewhere.xml").write_bytes(JUNIT)
    (report / "pytest-1.xml").symlink_to(tmp_path / "elsewhere.xml")
    os.mkfifo(report / "unittest-1.jsonl")
    (checkout / "out").symlink_to(tmp_path)
    assert read_reports(str(report), str(checkout), "out/*.xml") is None


def test_declared_reports_are_found_by_a_glob(places: tuple[Path, Path, Path]) -> None:
    _, report, checkout = places
    (checkout / "build" / "a").mkdir(parents=True)
    (checkout / "build" / "a" / "TEST-x.xml").write_bytes(JUNIT)
    assert read_reports(str(report), str(checkout), "build/**/TEST-*.xml") == (Case("a::b", State.PASSED),)
    (checkout / "build" / "TEST-y.xml").write_bytes(b"no report")
    assert read_reports(str(report), str(checkout), "build/**/TEST-*.xml") is None
