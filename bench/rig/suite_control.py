"""What a project's own suite says outside Thirdshift: with the bug put back, and as released."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.rig.past_bugs import PastBug, put_in
from bench.rig.peers import CACHE, cache_key, clean_environment, peer_environment, source_distribution

_SUITE_SECONDS = 600.0
_PASSED = re.compile(r"(?:^|[ ,])(\d+) passed\b")
_FAILED = re.compile(r"(?:^|[ ,])(\d+) failed\b")


@dataclass(frozen=True)
class Control:
    """Counts of tests; subtests are not counted."""

    released_passed: int
    released_failed: int
    bug_failed: int


def counted(output: str) -> tuple[int, int]:
    """Passed and failed tests from the last line of pytest's output that counts any; zeros where there is none."""
    for line in reversed(output.splitlines()):
        passed, failed = _PASSED.search(line), _FAILED.search(line)
        if passed or failed:
            return int(passed.group(1)) if passed else 0, int(failed.group(1)) if failed else 0
    return 0, 0


def control(bug: PastBug) -> Control:
    """Run the suite both ways in an environment of the project's own; remembered from then on."""
    identity = [bug.version, bug.suite, *bug.requirements, repr(bug.put_back)]
    kept = CACHE / "controls" / f"{cache_key(bug.project, identity)}.json"
    if kept.is_file():
        return Control(**json.loads(kept.read_text()))
    python = peer_environment(f"suite-{bug.project}", bug.requirements)
    released_passed, released_failed = _ran(bug, python, with_bug=False)
    _, bug_failed = _ran(bug, python, with_bug=True)
    found = Control(released_passed=released_passed, released_failed=released_failed, bug_failed=bug_failed)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(asdict(found)))
    return found


def _ran(bug: PastBug, python: Path, *, with_bug: bool) -> tuple[int, int]:
    with tempfile.TemporaryDirectory(prefix="thirdshift-bench-suite-") as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(source_distribution(bug.project, bug.version), tree)
        if with_bug:
            put_in(bug.put_back, tree)
        environment = clean_environment()
        done = subprocess.run(
            ["/bin/sh", "-c", bug.suite],
            cwd=tree,
            env={**environment, "PATH": f"{python.parent}:{environment['PATH']}", "HOME": directory},
            capture_output=True,
            text=True,
            timeout=_SUITE_SECONDS,
            check=False,
        )
    assert any(counted(done.stdout)), (
        f"{bug.project}: the suite counted nothing:\n{(done.stdout + done.stderr)[-2000:]}"
    )
    return counted(done.stdout)
