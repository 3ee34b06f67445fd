"""Counting tests: what ran at base must still run, and must not be skipped now.

Tests are compared by name without parameters (``test_x[1.5]`` counts for ``test_x``), because parameters may hold
times and addresses. Reports come from processes that agents' code runs in; docs/security.md says what that can and
cannot prove.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from thirdshift.core.frozen import Frozen
from thirdshift.core.junit import Case, State
from thirdshift.core.text import one_line
from thirdshift.core.words import counted

MAX_NAMES = 20_000
"""Names kept for later; of more, those with the smallest hashes, so that every tree keeps the same ones."""
_MAX_FILES = 500
_LISTED = 8


class TestTally(Frozen):
    """The tests that one check ran on one tree."""

    __test__ = False  # not a test itself, whatever a collector makes of its name

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    names: str = ""
    """Packed by ``pack``; empty where nobody will compare with it."""
    files: tuple[str, ...] = ()
    """Files that tests were in, as the reports name them; at most 500."""

    @property
    def ran(self) -> int:
        """Tests that were not skipped."""
        return self.passed + self.failed


class Count(NamedTuple):
    """How often tests of one name ran, and were skipped."""

    ran: int
    skipped: int


Counts = Mapping[str, Count]


def tally(cases: Iterable[Case], *, keep_names: bool) -> TestTally:
    """Add cases up."""
    kept = tuple(cases)
    states = [case.state for case in kept]
    return TestTally(
        passed=states.count(State.PASSED),
        failed=states.count(State.FAILED),
        skipped=states.count(State.SKIPPED),
        names=pack(counts(kept)) if keep_names else "",
        files=tuple(sorted({case.file for case in kept if case.file}))[:_MAX_FILES],
    )


def counts(cases: Iterable[Case]) -> dict[str, Count]:
    """By name without parameters."""
    found: dict[str, Count] = {}
    for case in cases:
        name = case.name.partition("[")[0]
        before = found.get(name, Count(0, 0))
        skipped = case.state is State.SKIPPED
        found[name] = Count(before.ran + (not skipped), before.skipped + skipped)
    return found


def pack(by_name: Counts) -> str:
    """At most ``MAX_NAMES`` counts as text: base64 of zlib of lines ``ran skipped name``."""
    kept = sorted(by_name, key=_hash)[:MAX_NAMES]
    lines = "\n".join(f"{by_name[name].ran} {by_name[name].skipped} {json.dumps(name)}" for name in sorted(kept))
    return base64.b64encode(zlib.compress(lines.encode("utf-8", "surrogatepass"), 9)).decode()


def unpack(packed: str) -> dict[str, Count]:
    """What ``pack`` was given."""
    if not packed:
        return {}
    found = {}
    for line in zlib.decompress(base64.b64decode(packed)).decode("utf-8", "surrogatepass").splitlines():
        ran, skipped, name = line.split(" ", 2)
        found[json.loads(name)] = Count(int(ran), int(skipped))
    return found


class Accounting(NamedTuple):
    """What the comparison of a check's tests with base gives."""

    problem: str = ""
    """Why an exit code of 0 is no pass here; empty where it is one."""
    tampering: tuple[str, ...] = ()
    """One sentence each; of a held-out check they name neither the check nor its tests."""


class Ran(NamedTuple):
    """A check on one tree: whether it exited with 0, and its tests where a report said so."""

    passed: bool
    tests: TestTally | None


def account(name: str, base: Ran, now: Ran, cases: Iterable[Case], *, holdout: bool) -> Accounting:
    """Compare a check's tests with base; ``cases`` are those of now, in full."""
    if base.tests is None:
        return Accounting()
    what = "a check that you cannot see" if holdout else f"check `{name}`"
    by_name = counts(cases)
    expected = unpack(base.tests.names)
    tampering: list[str] = []
    problem = ""
    if now.passed and (now.tests is None or not now.tests.ran):
        if base.tests.ran:
            problem = f"exit 0, but no test ran; at base {counted(base.tests.ran, 'test')} ran"
            tampering.append(f"In {what} no test ran, though it exited with 0; at base tests ran.")
        elif not base.passed:
            problem = "exit 0, but no test ran"
    elif now.passed:
        gone = [test for test, count in expected.items() if _total(by_name.get(test)) < _total(count)]
        if gone:
            tampering.append(_sentence(f"In {what}", gone, "ran at base and did not run now", hide=holdout))
        if now.tests and now.tests.failed and not (base.passed and base.tests.failed):
            problem = f"exit 0, but its report has {counted(now.tests.failed, 'failed test')}"
    skipped = [test for test, count in expected.items() if _newly_skipped(count, by_name.get(test))]
    if skipped:
        tampering.append(_sentence(f"In {what}", skipped, "ran at base and is skipped now", hide=holdout))
    return Accounting(problem, tuple(tampering))


def _total(count: Count | None) -> int:
    return count.ran + count.skipped if count else 0


def _newly_skipped(before: Count, after: Count | None) -> bool:
    return after is not None and after.ran < before.ran and after.skipped > before.skipped


def _sentence(where: str, tests: list[str], deed: str, *, hide: bool) -> str:
    if hide:
        return f"{where}, {counted(len(tests), 'test')}: {deed}."
    shown = ", ".join(one_line(test, 120) for test in sorted(tests)[:_LISTED])
    more = f" and {len(tests) - _LISTED} more" if len(tests) > _LISTED else ""
    return f"{where}, {counted(len(tests), 'test')}: {deed}: {shown}{more}."


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
