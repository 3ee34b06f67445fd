from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.hub.deliveries import Yard, make_yard
from tests.adapters.hub.repositories import Bench, fingerprint, git, write
from thirdshift.core.delivery import MergeState, Work
from thirdshift.core.errors import DeliveryRefused


@pytest.fixture
def yard(bench: Bench) -> Yard:
    return make_yard(bench)


def deliver(yard: Yard, work: Work | None = None) -> bool:
    plan = yard.deliverer.plan_merge(work or yard.work)
    assert plan.state is MergeState.READY
    return yard.deliverer.land(work or yard.work, plan)


def test_a_base_that_stands_still_is_fast_forwarded_by_one_commit(yard: Yard) -> None:
    plan = yard.deliverer.plan_merge(yard.work)
    assert (plan.state, plan.moved, plan.tree) == (MergeState.READY, False, yard.work.tree)
    assert yard.deliverer.land(yard.work, plan)
    assert yard.tip() == plan.commit
    assert git(yard.repository, "log", "-1", "--format=%P|%T|%(trailers:key=Run-Id,valueonly)", "main") == (
        f"{yard.work.base_commit}|{yard.work.tree}|run-1"
    )
    assert git(yard.repository, "fsck", "--strict", "--no-dangling") == ""


def test_planning_changes_nothing_outside_the_hub(yard: Yard) -> None:
    yard.commit_on_main({"theirs.txt": "theirs\n"})
    before = fingerprint(yard.repository)
    yard.deliverer.plan_merge(yard.work)
    assert fingerprint(yard.repository) == before


def test_a_base_that_moved_gets_a_merge_whose_tree_is_new(yard: Yard) -> None:
    theirs = yard.commit_on_main({"theirs.txt": "theirs\n"})
    plan = yard.deliverer.plan_merge(yard.work)
    assert plan.moved
    assert plan.tip == theirs
    assert plan.tree != yard.work.tree
    assert yard.deliverer.land(yard.work, plan)
    first, second = git(yard.repository, "log", "-1", "--format=%P", "main").split()
    assert first == theirs
    assert git(yard.repository, "rev-parse", f"{second}^", f"{second}^{{tree}}") == (
        f"{yard.work.base_commit}\n{yard.work.tree}"
    )
    names = git(yard.repository, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert {"theirs.txt", "new.txt", "src/app.py"} <= set(names)
    assert git(yard.repository, "show", "main:src/app.py") == "print('hello')"


def test_a_base_that_moves_while_the_merge_is_judged_is_not_overwritten(yard: Yard) -> None:
    yard.commit_on_main({"theirs.txt": "theirs\n"})
    plan = yard.deliverer.plan_merge(yard.work)
    later = yard.commit_on_main({"theirs.txt": "more\n"})
    assert not yard.deliverer.land(yard.work, plan)
    assert yard.tip() == later
    assert deliver(yard)
    assert git(yard.repository, "show", "main:theirs.txt") == "more"


def test_a_conflict_is_not_delivered_and_says_where(yard: Yard) -> None:
    theirs = yard.commit_on_main({"src/app.py": "print('goodbye')\n"})
    plan = yard.deliverer.plan_merge(yard.work)
    assert plan.state is MergeState.REFUSED
    assert plan.why == "main cannot be merged onto: it has moved, and both sides changed src/app.py."
    assert yard.tip() == theirs


def test_a_base_that_was_rewritten_does_not_get_back_what_was_taken_out(yard: Yard) -> None:
    git(yard.repository, "update-ref", "refs/heads/main", git(yard.repository, "commit-tree", "-m", "x", "main^{tree}"))
    plan = yard.deliverer.plan_merge(yard.work)
    assert plan.state is MergeState.REFUSED
    assert "was rewritten" in plan.why


def test_what_has_landed_is_known_again_whatever_came_after_it(yard: Yard) -> None:
    assert deliver(yard)
    landed = yard.tip()
    yard.commit_on_main({"new.txt": "edited\n"})
    plan = yard.deliverer.plan_merge(yard.work)
    assert (plan.state, plan.commit) == (MergeState.LANDED, landed)


def test_a_change_that_somebody_else_made_too_needs_no_merge(yard: Yard) -> None:
    deliver(yard)
    tree = git(yard.repository, "rev-parse", "main^{tree}")
    git(yard.repository, "update-ref", "refs/heads/main", yard.work.base_commit)
    same = git(yard.repository, "commit-tree", "-p", yard.work.base_commit, "-m", "by hand", tree)
    git(yard.repository, "update-ref", "refs/heads/main", same)
    plan = yard.deliverer.plan_merge(yard.work)
    assert (plan.state, plan.commit) == (MergeState.LANDED, same)


def test_the_same_plan_twice_is_the_same_commit(yard: Yard) -> None:
    yard.commit_on_main({"theirs.txt": "theirs\n"})
    assert yard.deliverer.plan_merge(yard.work) == yard.deliverer.plan_merge(yard.work)


@pytest.mark.parametrize("dirty", [False, True])
def test_a_base_that_is_checked_out_is_not_moved_under_a_persons_feet(yard: Yard, dirty: bool) -> None:
    plan = yard.deliverer.plan_merge(yard.work)
    git(yard.repository, "switch", "-q", "main")
    if dirty:
        write(yard.repository, {"README.md": "dirty", "staged": "s"})
        git(yard.repository, "add", "staged")
    before = fingerprint(yard.repository)
    assert yard.deliverer.checked_out_in(str(yard.repository), "main") == str(yard.repository)
    with pytest.raises(DeliveryRefused, match=r"main is checked out in .*git -C .* merge thirdshift/job-1"):
        yard.deliverer.land(yard.work, plan)
    assert fingerprint(yard.repository) == before


def test_a_merge_leaves_checkout_index_stashes_and_other_branches_as_they_were(yard: Yard) -> None:
    write(yard.repository, {"src/app.py": "stashed"})
    git(yard.repository, "stash")
    write(yard.repository, {"README.md": "dirty", "untracked": "u", "staged": "s"})
    git(yard.repository, "add", "staged")
    before = fingerprint(yard.repository)
    assert deliver(yard)
    after = fingerprint(yard.repository)
    changed = {name for name in before if after.get(name) != before[name]}
    # Git notes the move in the branch's own reflog, by which a person can go back.
    assert changed == {".git/refs/heads/main", ".git/logs/refs/heads/main"}
    assert all(name.startswith(".git/objects/") for name in after.keys() - before.keys())


def test_a_merge_ignores_drivers_and_attributes_of_the_repository(yard: Yard, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    git(yard.repository, "config", "merge.evil.driver", f"touch {marker}")
    yard.commit_on_main({".gitattributes": "* merge=evil\n", "src/app.py": "print('goodbye')\n"})
    assert yard.deliverer.plan_merge(yard.work).state is MergeState.REFUSED
    assert not marker.exists()


def test_a_branch_that_is_another_ones_name_is_refused(yard: Yard) -> None:
    git(yard.repository, "branch", "trunk", "main")
    plan = yard.deliverer.plan_merge(yard.work)
    git(yard.repository, "symbolic-ref", "refs/heads/main", "refs/heads/trunk")
    with pytest.raises(DeliveryRefused, match=r"main of .* is another name for trunk"):
        yard.deliverer.land(yard.work, plan)


def test_a_base_that_is_gone_is_said(yard: Yard) -> None:
    git(yard.repository, "branch", "-D", "main")
    with pytest.raises(DeliveryRefused, match="is not there any more"):
        yard.deliverer.plan_merge(yard.work)


@pytest.mark.parametrize(("base", "branch"), [("HEAD", "desk"), ("main", "main"), ("v1", ""), ("mai", "")])
def test_the_branch_that_a_base_names_is_found(yard: Yard, base: str, branch: str) -> None:
    git(yard.repository, "tag", "v1", "main")
    assert yard.deliverer.branch_named(str(yard.repository), base) == branch
