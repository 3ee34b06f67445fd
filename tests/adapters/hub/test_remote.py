"""A remote repository, over git's real ssh transport; only the ssh client is a stand-in that stays here."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import FILES, Bench, git, make_repository, write
from thirdshift.adapters.hub import LocalHub, Transport
from thirdshift.core.errors import RepositoryRefused

URL = "ssh://git@far.example/srv/team.git"


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """The bare repository behind ``URL``."""
    git(tmp_path, "clone", "-q", "--bare", str(make_repository(tmp_path / "origin", FILES)), "far.git")
    git(tmp_path / "far.git", "tag", "-a", "v1", "-m", "v1")
    return tmp_path / "far.git"


@pytest.fixture
def hub(far: Path, tmp_path: Path) -> LocalHub:
    client = tmp_path / "ssh"
    client.write_text(
        "#!/bin/sh\n"
        'for last; do :; done\ncase "$last" in git-*) ;; *) exit 1;; esac\n'
        f'exec env -i PATH=/usr/bin:/bin HOME=/nonexistent sh -c "$(echo "$last" | sed \'s|/srv/team.git|{far}|\')"\n'
    )
    client.chmod(0o755)
    return LocalHub(str(tmp_path / "hub"), transport=Transport(ssh_command=shlex.quote(str(client))))


def test_a_remote_base_is_resolved_imported_and_delivered_to(hub: LocalHub, far: Path, tmp_path: Path) -> None:
    commit = git(far, "rev-parse", "main")
    for name in ("main", "v1", "HEAD", commit, "refs/heads/main"):
        found = hub.resolve(URL, name)
        assert (found.commit, found.tree) == (commit, git(far, "rev-parse", "main^{tree}")), name
    assert git(tmp_path / "hub", "count-objects") == "0 objects, 0 kilobytes"
    base = hub.import_base(URL, commit, "job-1")
    workspace = tmp_path / "w"
    hub.restore(str(workspace), base.tree, "loop-1")
    write(workspace, {"new": "x"})
    snapshot = Bench(hub, tmp_path / "hub", far, base, workspace).snapshot()
    for _ in range(2):
        delivered = hub.deliver(snapshot.tree, base.commit, "done", URL, "thirdshift/job-1")
        assert git(far, "rev-parse", "thirdshift/job-1") == delivered
    again = hub.deliver(base.tree, base.commit, "undone", URL, "thirdshift/job-1")
    assert git(far, "rev-parse", "thirdshift/job-1") == again
    assert git(far, "rev-parse", "main") == commit
    git(far, "update-ref", "refs/heads/thirdshift/job-1", commit)
    with pytest.raises(RepositoryRefused, match="Thirdshift did not make"):
        hub.deliver(snapshot.tree, base.commit, "done", URL, "thirdshift/job-1")


def test_a_remote_that_lacks_the_base_or_is_not_there_is_refused(hub: LocalHub, far: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryRefused, match="did you mean 'main'"):
        hub.resolve(URL, "mian")
    with pytest.raises(RepositoryRefused, match="Check the address"):
        hub.resolve(URL, "1" * 40)
    far.rename(tmp_path / "moved")
    with pytest.raises(RepositoryRefused, match=r"could not reach ssh://\*\*\*@far\.example"):
        hub.resolve(URL, "main")
