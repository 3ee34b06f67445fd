"""Reading test reports: JUnit XML, as pytest and most runners write it, and the lines of our own witness.

A report was written by a process in which hostile code ran. It is bounded, it may hold no document type (so no
entities), and nothing in it is believed further than ``core.suites`` says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple
from xml.parsers import expat

MAX_REPORT_BYTES = 32 << 20
MAX_CASES = 200_000
_MAX_NAME = 400


class State(StrEnum):
    """How a test ended. A test that began and never ended counts as failed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Case(NamedTuple):
    """One test in a report. ``file`` is as the report gives it, empty where it does not."""

    name: str
    state: State
    file: str = ""


class ReportUnreadable(ValueError):
    """A report that is there, but no report."""


def read_junit(content: bytes) -> tuple[Case, ...]:
    """The tests of a JUnit XML file (https://github.com/testmoapp/junitxml). Raises ReportUnreadable.

    Errors of collection, which pytest reports as a case without a class, are no tests.
    """
    reading = _Reading()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reading.refuse_doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ReportUnreadable(f"not well-formed XML: {error}") from error
    if not reading.is_junit:
        raise ReportUnreadable("no <testsuite> in it")
    return tuple(reading.cases)


class _Reading:
    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.is_junit = False
        self._open: dict[str, str] | None = None
        self._state = State.PASSED

    def refuse_doctype(self, *_: object) -> None:
        raise ReportUnreadable("it declares a document type, which no test report needs")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("testsuites", "testsuite"):
            self.is_junit = True
        elif name == "testcase":
            self._open, self._state = attributes, State.PASSED
        elif self._open is not None and name in ("failure", "error"):
            self._state = State.FAILED
        elif self._open is not None and name == "skipped" and self._state is State.PASSED:
            self._state = State.SKIPPED

    def end(self, name: str) -> None:
        if name != "testcase" or self._open is None:
            return
        given, self._open = self._open, None
        owner, test = given.get("classname", ""), given.get("name", "")
        if (not owner and self._state is State.FAILED) or len(self.cases) >= MAX_CASES:
            return
        self.cases.append(Case(f"{owner}::{test}"[:_MAX_NAME], self._state, given.get("file", "")[:_MAX_NAME]))


_ENDS = {"pass": State.PASSED, "fail": State.FAILED, "skip": State.SKIPPED}


def read_witness(content: bytes) -> tuple[Case, ...]:
    """The tests that a ``unittest`` process noted, one JSON list ``[event, name, file]`` a line.

    Events are ``start``, ``pass``, ``fail`` and ``skip``. A module that cannot be imported is no test.
    """
    states: dict[str, State] = {}
    files: dict[str, str] = {}
    ended: set[str] = set()
    for line in content.splitlines():
        event, name, file = _witnessed(line)
        if event == "start" and len(states) < MAX_CASES:
            states.setdefault(name, State.FAILED)
            files[name] = file
        elif event in _ENDS and name in states and (name not in ended or event == "fail"):
            states[name] = _ENDS[event]
            ended.add(name)
    return tuple(Case(name, state, files[name]) for name, state in states.items())


def _witnessed(line: bytes) -> Sequence[str]:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return "", "", ""
    if not isinstance(read, list) or len(read) != 3 or not all(isinstance(part, str) for part in read):
        return "", "", ""
    event, name, file = (part.encode(errors="replace").decode() for part in read)
    return (
        ("", "", "") if name.startswith("unittest.loader._FailedTest") else (event, name[:_MAX_NAME], file[:_MAX_NAME])
    )
