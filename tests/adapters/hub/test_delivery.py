from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.hub.repositories import Bench, fingerprint, git, make_repository, write
from thirdshift.core.errors import RepositoryRefused

BRANCH = "thirdshift/job-1"


@pytest.fixture
def tree(bench: Bench) -> str:
    write(bench.workspace, {"src/app.py": "print('delivered')\n", "new.txt": "new\n"})
    return bench.snapshot().tree


def deliver(bench: Bench, tree: str, branch: str = BRANCH, message: str = "Deliver it\n\nBody") -> str:
    return bench.hub.deliver(tree, bench.base.commit, message, str(bench.repository), branch)


def added(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Paths that are new; everything that was there must be there still, byte for byte."""
    assert {name: after.get(name) for name in before} == before
    return after.keys() - before.keys()


def make_busy(repository: Path, marker: Path) -> None:
    """A repository in use: dirty, with stashes, reflogs, a worktree, a merge stopped half-way, and hooks."""
    write(repository, {"src/app.py": "stashed"})
    git(repository, "stash")
    git(repository, "branch", "side")
    git(repository, "worktree", "add", "-q", "-b", "other", str(repository.parent / "linked"))
    git(repository, "fetch", "-q", ".", "side")
    write(repository, {"README.md": "dirty", "untracked": "u", "staged": "s"})
    git(repository, "add", "staged")
    for hook in ("reference-transaction", "post-update", "post-checkout", "pre-auto-gc", "post-index-change"):
        write(repository / ".git/hooks", {hook: f"#!/bin/sh\ntouch {marker}\n"})
        (repository / ".git/hooks" / hook).chmod(0o755)
    git(repository, "config", "gc.auto", "1")
    git(repository, "config", "core.logAllRefUpdates", "always")


def test_a_delivery_adds_one_ref_and_objects_and_touches_nothing_else(bench: Bench, tree: str, tmp_path: Path) -> None:
    marker = tmp_path / "hook-ran"
    make_busy(bench.repository, marker)
    marker.unlink(missing_ok=True)
    before = fingerprint(bench.repository)
    linked = fingerprint(tmp_path / "linked")
    commit = deliver(bench, tree)
    new = added(before, fingerprint(bench.repository))
    refs = {name for name in new if not name.startswith(".git/objects/")}
    assert refs == {".git/refs/heads/thirdshift", ".git/refs/heads/thirdshift/job-1"}
    assert fingerprint(tmp_path / "linked") == linked
    assert not marker.exists()
    where = bench.repository
    assert git(where, "-c", "core.hooksPath=/dev/null", "rev-parse", BRANCH, f"{BRANCH}^", f"{BRANCH}^{{tree}}") == (
        f"{commit}\n{bench.base.commit}\n{tree}"
    )
    assert git(where, "log", "-1", "--format=%an|%ae|%B|%ai", BRANCH) == (
        "Thirdshift|thirdshift@localhost|Deliver it\n\nBody\n|2023-11-14 23:13:20 +0100"
    )
    assert git(where, "fsck", "--strict", "--no-dangling") == ""


def test_a_repeated_delivery_is_the_same_and_changes_nothing(bench: Bench, tree: str) -> None:
    commit = deliver(bench, tree)
    before = fingerprint(bench.repository)
    assert deliver(bench, tree) == commit
    git(bench.repository, "switch", "-q", BRANCH)
    assert deliver(bench, tree) == commit
    git(bench.repository, "switch", "-q", "main")
    assert {name for name in fingerprint(bench.repository) if name not in before} <= {".git/ORIG_HEAD"}


def test_a_new_delivery_replaces_an_older_one_of_thirdshift(bench: Bench, tree: str) -> None:
    first = deliver(bench, bench.base.tree)
    second = deliver(bench, tree)
    assert first != second
    assert git(bench.repository, "rev-parse", BRANCH) == second


def test_a_branch_that_somebody_made_is_left_alone(bench: Bench, tree: str) -> None:
    git(bench.repository, "branch", BRANCH)
    before = fingerprint(bench.repository)
    with pytest.raises(RepositoryRefused, match=r"Thirdshift did not make.*git branch -m"):
        deliver(bench, tree)
    assert fingerprint(bench.repository) == before


def test_a_delivery_that_somebody_built_on_is_left_alone(bench: Bench, tree: str) -> None:
    deliver(bench, bench.base.tree)
    git(bench.repository, "switch", "-q", BRANCH)
    git(bench.repository, "commit", "-q", "--allow-empty", "-m", "mine")
    git(bench.repository, "switch", "-q", "main")
    with pytest.raises(RepositoryRefused, match="Thirdshift did not make"):
        deliver(bench, tree)


@pytest.mark.parametrize("in_linked_worktree", [False, True])
def test_a_branch_that_is_checked_out_is_left_alone(bench: Bench, tree: str, in_linked_worktree: bool) -> None:
    deliver(bench, bench.base.tree)
    if in_linked_worktree:
        git(bench.repository, "worktree", "add", "-q", str(bench.repository.parent / "linked"), BRANCH)
    else:
        git(bench.repository, "switch", "-q", BRANCH)
    before = fingerprint(bench.repository)
    with pytest.raises(RepositoryRefused, match=r"is checked out in .*git switch"):
        deliver(bench, tree)
    assert fingerprint(bench.repository) == before


def test_an_unborn_branch_that_is_checked_out_is_left_unborn(bench: Bench, tree: str) -> None:
    git(bench.repository, "switch", "-q", "--orphan", BRANCH)
    before = fingerprint(bench.repository)
    with pytest.raises(RepositoryRefused, match="is checked out"):
        deliver(bench, tree)
    assert fingerprint(bench.repository) == before


def test_a_branch_that_is_a_pointer_to_another_moves_nothing_else(bench: Bench, tree: str) -> None:
    git(bench.repository, "symbolic-ref", f"refs/heads/{BRANCH}", "refs/heads/not-there-yet")
    commit = deliver(bench, tree)
    assert git(bench.repository, "rev-parse", BRANCH) == commit
    assert git(bench.repository, "branch", "--list", "not-there-yet") == ""


def test_a_branch_name_in_the_way_is_said(bench: Bench, tree: str) -> None:
    git(bench.repository, "branch", "thirdshift")
    with pytest.raises(RepositoryRefused, match="in the way; rename"):
        deliver(bench, tree)


@pytest.mark.parametrize("branch", ["-f", "a b", "a..b", "HEAD", "x.lock", "", "a:b", "refs~1"])
def test_what_is_no_branch_name_is_refused(bench: Bench, tree: str, branch: str) -> None:
    with pytest.raises(RepositoryRefused, match="Give a plain branch name"):
        deliver(bench, tree, branch)


def test_a_repository_whose_base_was_dropped_gets_the_history_again(bench: Bench, tree: str, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other", {"x": "x"})
    commit = bench.hub.deliver(tree, bench.base.commit, "m", str(other), BRANCH)
    assert git(other, "rev-list", "--count", commit) == "2"
    assert git(other, "fsck", "--strict", "--no-dangling") == ""


def test_a_lock_left_by_another_git_is_named_with_the_remedy(bench: Bench, tree: str) -> None:
    write(bench.repository / ".git/refs/heads/thirdshift", {"job-1.lock": ""})
    with pytest.raises(RepositoryRefused, match="remove the lock file"):
        deliver(bench, tree)


def test_a_repository_that_is_not_there_any_more_is_refused(bench: Bench, tree: str, tmp_path: Path) -> None:
    bench.repository.rename(tmp_path / "moved")
    with pytest.raises(RepositoryRefused, match="does not exist"):
        deliver(bench, tree)
