"""A delivery killed before and after each of its git commands: the next one finds nothing done, or all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.hub.deliveries import JOB_BRANCH, Yard, make_yard
from tests.adapters.hub.repositories import Bench, fingerprint, git
from thirdshift.adapters.hub.deliverer import HubDeliverer
from thirdshift.core.delivery import MergeState
from thirdshift.core.errors import ThirdshiftError

ROOT = Path(__file__).parents[3]

# Counts the git commands of a delivery, and at the one that is due does to it what the test asks for.
STAND_IN = """#!/bin/sh
n=$(($(cat {count} 2>/dev/null || echo 0) + 1))
echo $n > {count}
if [ $n -eq {at} ]; then
  case {how} in
    refuse) exit 1;;
    kill-before) kill -9 $PPID; exit 1;;
    kill-after) git "$@"; kill -9 $PPID; exit 1;;
  esac
fi
exec git "$@"
"""


def stand_in(place: Path, at: int, how: str) -> Path:
    place.mkdir()
    script = place / "git"
    script.write_text(STAND_IN.format(count=place / "count", at=at, how=how))
    script.chmod(0o755)
    return script


def commands_of(yard: Yard, kind: str, place: Path) -> int:
    """How many git commands a delivery takes that nothing disturbs; what it did is taken back."""
    tip = yard.tip()
    assert run(yard, kind, stand_in(place, 0, "refuse")) == 0
    (place / "count").unlink()
    git(yard.repository, "update-ref", "refs/heads/main", tip)
    assert run(yard, kind, place / "git") == 0  # the base's objects are in the hub from here on
    git(yard.repository, "update-ref", "refs/heads/main", tip)
    if kind == "push":
        git(yard.repository.parent / "far.git", "update-ref", "-d", f"refs/heads/{JOB_BRANCH}")
    return int((place / "count").read_text())


def run(yard: Yard, kind: str, script: Path | str) -> int:
    command = [sys.executable, "-m", "tests.adapters.hub.deliver_once", kind, str(yard.bench.hub_path), str(script)]
    done = subprocess.run(
        [*command, yard.work.model_dump_json(), JOB_BRANCH],
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    return done.returncode


def merge_again(yard: Yard) -> None:
    """What the next worker does."""
    plan = yard.deliverer.plan_merge(yard.work)
    assert plan.state is MergeState.LANDED or yard.deliverer.land(yard.work, plan)


def landed_once(yard: Yard, base: str) -> None:
    """Exactly one delivery is on the base branch: of this run, with its content, whole."""
    found = git(yard.repository, "rev-list", "--merges", "--grep=Run-Id: run-1", f"{base}..main").splitlines()
    assert len(found) == 1, found
    assert git(yard.repository, "rev-list", "--count", "--no-merges", "--grep=Run-Id: run-1", f"{base}..main") == "1"
    assert git(yard.repository, "show", "main:src/app.py") == "print('hello')"
    assert git(yard.repository, "fsck", "--strict", "--no-dangling") == ""


@pytest.fixture
def yard(bench: Bench) -> Yard:
    made = make_yard(bench)
    git(made.repository.parent, "clone", "-q", "--bare", str(made.repository), "far.git")
    git(made.repository, "remote", "add", "origin", str(made.repository.parent / "far.git"))
    return made


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["kill-before", "kill-after"])
def test_a_merge_killed_at_any_git_command_is_made_exactly_once(yard: Yard, tmp_path: Path, how: str) -> None:
    base = yard.commit_on_main({"theirs.txt": "theirs\n"})
    for at in range(1, commands_of(yard, "merge", tmp_path / "counting") + 1):
        git(yard.repository, "update-ref", "refs/heads/main", base)
        assert run(yard, "merge", stand_in(tmp_path / f"{how}-{at}", at, how)) == -9, at
        assert yard.tip() == base or git(yard.repository, "show", "main:src/app.py") == "print('hello')"
        merge_again(yard)
        landed_once(yard, base)
        before = yard.tip()
        merge_again(yard)
        assert yard.tip() == before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["kill-before", "kill-after"])
def test_a_push_killed_at_any_git_command_is_made_exactly_once(yard: Yard, tmp_path: Path, how: str) -> None:
    far = yard.repository.parent / "far.git"
    for at in range(1, commands_of(yard, "push", tmp_path / "counting") + 1):
        git(far, "update-ref", "-d", f"refs/heads/{JOB_BRANCH}")
        assert run(yard, "push", stand_in(tmp_path / f"{how}-{at}", at, how)) == -9, at
        yard.deliverer.push(yard.work, JOB_BRANCH)
        assert git(far, "for-each-ref", "--format=%(refname:short)", "refs/heads/thirdshift") == JOB_BRANCH
        assert git(far, "rev-parse", f"{JOB_BRANCH}^{{tree}}") == yard.work.tree
        assert git(far, "fsck", "--strict", "--no-dangling") == ""


def test_a_merge_whose_git_fails_at_any_command_leaves_nothing_half_done(yard: Yard, tmp_path: Path) -> None:
    base = yard.commit_on_main({"theirs.txt": "theirs\n"})
    for at in range(1, commands_of(yard, "merge", tmp_path / "counting") + 1):
        git(yard.repository, "update-ref", "refs/heads/main", base)
        before = {n: f for n, f in fingerprint(yard.repository).items() if not n.startswith(".git/objects/")}
        deliverer = HubDeliverer(str(yard.bench.hub_path), git=str(stand_in(tmp_path / f"refuse-{at}", at, "refuse")))
        try:
            plan = deliverer.plan_merge(yard.work)
            done = plan.state is MergeState.READY and deliverer.land(yard.work, plan)
        except ThirdshiftError:
            done = False
        if not done:
            after = {n: f for n, f in fingerprint(yard.repository).items() if not n.startswith(".git/objects/")}
            assert after == before, at
        merge_again(yard)
        landed_once(yard, base)
