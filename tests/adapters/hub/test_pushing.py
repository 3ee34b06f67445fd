"""Pushes to the remote of a local repository: a bare one on this disk, and one over git's real ssh transport."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.adapters.hub.deliveries import JOB_BRANCH, Yard, make_yard
from tests.adapters.hub.repositories import Bench, fingerprint, git, write
from thirdshift.adapters.hub import Transport
from thirdshift.adapters.hub.deliverer import HubDeliverer
from thirdshift.core.delivery import MergeState
from thirdshift.core.errors import DeliveryRefused, RepositoryRefused, RepositoryUnreachable

URL = "ssh://git@far.example/srv/team.git"


@pytest.fixture
def yard(bench: Bench) -> Yard:
    return make_yard(bench)


@pytest.fixture
def far(yard: Yard, tmp_path: Path) -> Path:
    """The bare repository that is the remote ``origin``."""
    git(tmp_path, "clone", "-q", "--bare", str(yard.repository), "far.git")
    git(yard.repository, "remote", "add", "origin", str(tmp_path / "far.git"))
    return tmp_path / "far.git"


def over_ssh(yard: Yard, far: Path, client: Path) -> HubDeliverer:
    """A deliverer that reaches the bare repository over git's ssh transport; only the ssh client is a stand-in."""
    client.write_text(
        "#!/bin/sh\n"
        'for last; do :; done\ncase "$last" in git-*) ;; *) exit 1;; esac\n'
        f'exec env -i PATH=/usr/bin:/bin HOME=/nonexistent sh -c "$(echo "$last" | sed \'s|/srv/team.git|{far}|\')"\n'
    )
    client.chmod(0o755)
    git(yard.repository, "remote", "set-url", "origin", URL)
    return HubDeliverer(str(yard.bench.hub_path), transport=Transport(ssh_command=shlex.quote(str(client))))


def test_a_push_sets_one_branch_of_the_bare_remote_and_nothing_at_home(yard: Yard, far: Path) -> None:
    before = fingerprint(yard.repository)
    commit = yard.deliverer.push(yard.work, JOB_BRANCH)
    assert git(far, "for-each-ref", "--format=%(refname)", "refs/heads/thirdshift") == f"refs/heads/{JOB_BRANCH}"
    assert git(far, "rev-parse", JOB_BRANCH, f"{JOB_BRANCH}^{{tree}}") == f"{commit}\n{yard.work.tree}"
    assert git(far, "fsck", "--strict", "--no-dangling") == ""
    assert fingerprint(yard.repository) == before


def test_a_repeated_push_changes_nothing(yard: Yard, far: Path) -> None:
    commit = yard.deliverer.push(yard.work, JOB_BRANCH)
    before = fingerprint(far)
    assert yard.deliverer.push(yard.work, JOB_BRANCH) == commit
    assert fingerprint(far) == before


def test_somebody_elses_branch_on_the_remote_is_left_alone(yard: Yard, far: Path) -> None:
    theirs = git(far, "rev-parse", "main")
    git(far, "branch", JOB_BRANCH, "main")
    with pytest.raises(RepositoryRefused, match="Thirdshift did not make"):
        yard.deliverer.push(yard.work, JOB_BRANCH)
    assert git(far, "rev-parse", JOB_BRANCH) == theirs


def test_the_remote_that_the_base_branch_belongs_to_comes_before_origin(yard: Yard, far: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(yard.repository), "other.git")
    git(yard.repository, "remote", "add", "upstream", "../other.git")
    git(yard.repository, "config", "branch.main.remote", "upstream")
    yard.deliverer.push(yard.work, JOB_BRANCH)
    assert git(tmp_path / "other.git", "branch", "--list", JOB_BRANCH)
    assert not git(far, "branch", "--list", JOB_BRANCH)


def test_a_repository_without_a_remote_says_how_to_add_one(yard: Yard) -> None:
    with pytest.raises(DeliveryRefused, match=r"no remote 'origin'.*git -C .* remote add origin URL"):
        yard.deliverer.push(yard.work, JOB_BRANCH)


def test_a_remote_that_would_run_a_command_is_refused(yard: Yard, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    git(yard.repository, "remote", "add", "origin", f"ext::sh -c touch% {marker}")
    with pytest.raises(RepositoryRefused, match="may run commands"):
        yard.deliverer.push(yard.work, JOB_BRANCH)
    assert not marker.exists()


def test_over_ssh_a_push_is_done_once_and_says_where(yard: Yard, far: Path, tmp_path: Path) -> None:
    deliverer = over_ssh(yard, far, tmp_path / "ssh")
    commit = deliverer.push(yard.work, JOB_BRANCH)
    assert deliverer.push(yard.work, JOB_BRANCH) == commit == git(far, "rev-parse", JOB_BRANCH)
    assert deliverer.remote_url(str(yard.repository), "main") == "ssh://***@far.example/srv/team.git"
    assert deliverer.branch_named(URL, "HEAD") == git(far, "symbolic-ref", "--short", "HEAD")
    assert deliverer.branch_named(URL, "main") == "main"
    assert deliverer.branch_named(URL, "gone") == ""


def test_a_merge_onto_a_remote_branch_never_overwrites_what_came_meanwhile(
    yard: Yard, far: Path, tmp_path: Path
) -> None:
    deliverer = over_ssh(yard, far, tmp_path / "ssh")
    work = yard.work.model_copy(update={"repository": URL})
    plan = deliverer.plan_merge(work)
    theirs = git(far, "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")
    git(far, "update-ref", "refs/heads/main", theirs)
    assert not deliverer.land(work, plan)
    assert git(far, "rev-parse", "main") == theirs
    again = deliverer.plan_merge(work)
    assert again.moved
    assert deliverer.land(work, again)
    assert deliverer.land(work, again)  # the same once more
    assert git(far, "rev-parse", "main") == again.commit
    assert deliverer.plan_merge(work).state is MergeState.LANDED


def test_a_protected_branch_is_said_to_be_refused_and_not_tried_for_ever(yard: Yard, far: Path, tmp_path: Path) -> None:
    deliverer = over_ssh(yard, far, tmp_path / "ssh")
    write(far / "hooks", {"update": "#!/bin/sh\necho protected >&2\nexit 1\n"})
    (far / "hooks" / "update").chmod(0o755)
    work = yard.work.model_copy(update={"repository": URL})
    with pytest.raises(DeliveryRefused, match=r"took the push and refused it.*deliver by a pull request"):
        deliverer.land(work, deliverer.plan_merge(work))


def test_a_remote_that_does_not_answer_may_answer_later(yard: Yard, far: Path, tmp_path: Path) -> None:
    deliverer = over_ssh(yard, far, tmp_path / "ssh")
    far.rename(tmp_path / "moved")
    with pytest.raises(RepositoryUnreachable, match="Check the address"):
        deliverer.push(yard.work, JOB_BRANCH)
