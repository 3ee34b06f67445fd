from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import CLEAN, FILES, Bench, fingerprint, git, make_repository, write
from thirdshift.adapters.hub import LocalHub
from thirdshift.core.errors import HubUnavailable


def files_of(workspace: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for path in workspace.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(workspace).parts
    }


def test_a_restored_workspace_holds_exactly_the_tree(bench: Bench) -> None:
    write(bench.workspace, {"junk/deep/x": "x", "README.md": "changed"})
    (bench.workspace / "src/app.py").unlink()
    bench.restore()
    wanted = {name: content.encode() if isinstance(content, str) else content for name, content in FILES.items()}
    assert files_of(bench.workspace) == wanted
    assert not (bench.workspace / "junk").exists()


def test_the_inner_git_is_one_root_commit_with_no_past_and_no_way_out(bench: Bench) -> None:
    write(bench.workspace, {"src/app.py": "step"})
    snapshot = bench.snapshot()
    bench.restore(snapshot.tree)
    where = bench.workspace
    assert git(where, "rev-list", "--all", "--count") == "1"
    assert git(where, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(where, "rev-parse", "HEAD^{tree}") == snapshot.tree
    assert git(where, "remote") == git(where, "stash", "list") == git(where, "reflog") == ""
    assert git(where, "status", "--porcelain") == ""
    assert git(where, "fsck", "--strict") == ""
    assert git(where, "cat-file", "-t", bench.base.commit, check=False) == ""
    assert not (where / ".git/objects/info/alternates").exists()
    assert not list((where / ".git").glob("hooks/*"))
    hub_files = {path.stat().st_ino for path in bench.hub_path.rglob("*") if path.is_file()}
    assert not hub_files & {path.stat().st_ino for path in (where / ".git").rglob("*") if path.is_file()}
    listed = git(where, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    allowed = git(where, "rev-list", "--objects", "--no-object-names", "HEAD").split()
    assert sorted(listed) == sorted(allowed)
    assert str(bench.hub_path) not in (where / ".git/config").read_text()


def test_the_agent_may_use_its_git(bench: Bench) -> None:
    write(bench.workspace, {"src/app.py": "mine"})
    done = subprocess.run(
        ["git", "-C", str(bench.workspace), "commit", "-qam", "mine"],
        env={"PATH": CLEAN["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert bench.snapshot().changed


def test_a_vandalised_inner_git_is_never_run_and_always_replaced(bench: Bench, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    inner = bench.workspace / ".git"
    evil = f"touch {marker}"
    (inner / "config").write_text(
        f"[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n\tpager = {evil}\n\thooksPath = hooks\n"
        f'[filter "x"]\n\tclean = {evil}\n\tsmudge = {evil}\n\trequired = true\n[diff]\n\texternal = {evil}\n'
        f"[gc]\n\tauto = 1\n[alias]\n\tread-tree = !{evil}\n[include]\n\tpath = /dev/zero\n"
    )
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-commit", "fsmonitor"):
        write(inner, {f"hooks/{hook}": f"#!/bin/sh\n{evil}\n"})
        (inner / "hooks" / hook).chmod(0o755)
    write(bench.workspace, {".gitattributes": "* filter=x diff=x merge=x\n", "a.txt": "a"})
    snapshot = bench.snapshot()
    bench.hub.diff(bench.base.tree, snapshot.tree, 100)
    shutil.rmtree(inner)
    inner.symlink_to("/etc")
    bench.snapshot(snapshot.commit)
    bench.restore(snapshot.tree)
    assert inner.is_dir()
    assert not inner.is_symlink()
    assert git(bench.workspace, "rev-list", "--all", "--count") == "1"
    assert not marker.exists()


def test_junk_of_every_kind_is_cleared_and_nothing_outside_is_touched(bench: Bench, tmp_path: Path) -> None:
    write(tmp_path, {"outside/precious": "p", "outside/shut/x": "x"})
    (tmp_path / "outside/shut").chmod(0o500)
    before = fingerprint(tmp_path / "outside")
    workspace = bench.workspace
    (workspace / "link-to-directory").symlink_to(tmp_path / "outside")
    write(workspace, {"shut/deep/file": "x", "src/shut/file": "x"})
    (workspace / "src/shut/up").symlink_to(tmp_path / "outside")
    os.mkfifo(workspace / "shut/pipe")
    os.link(tmp_path / "outside/precious", workspace / "hardlink")
    for name in ("shut/deep", "shut", "src/shut"):
        (workspace / name).chmod(0)
    workspace.chmod(0o500)
    bench.restore()
    assert set(files_of(workspace)) == set(FILES)
    assert fingerprint(tmp_path / "outside") == before


def test_nesting_deeper_than_a_path_may_be_long_is_cleared(bench: Bench) -> None:
    here = os.open(bench.workspace, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("dddddddd", dir_fd=here)
        below = os.open("dddddddd", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    bench.restore()
    assert set(files_of(bench.workspace)) == set(FILES)


def test_immutable_files_are_cleared_where_this_user_may(bench: Bench) -> None:
    write(bench.workspace, {"stuck/file": "x", "log": "x"})
    chattr = shutil.which("chattr")
    locked = chattr is not None and all(
        subprocess.run([chattr, flag, str(bench.workspace / name)], capture_output=True, check=False).returncode == 0
        for flag, name in (("+i", "stuck/file"), ("+i", "stuck"), ("+a", "log"))
    )
    if not locked:
        pytest.skip("this file system or user cannot make files immutable")
    bench.restore()
    assert set(files_of(bench.workspace)) == set(FILES)


def test_excluded_mount_points_are_left_alone(bench: Bench) -> None:
    write(bench.workspace, {".venv/bin/python": "p", "web/node_modules/x": "x", "web/app.js": "a"})
    bench.hub.restore(str(bench.workspace), bench.base.tree, "loop-1", exclude=(".venv", "web/node_modules"))
    assert set(files_of(bench.workspace)) == {*FILES, ".venv/bin/python", "web/node_modules/x"}
    assert git(bench.workspace, "status", "--porcelain") == ""


def test_a_missing_workspace_is_made(bench: Bench) -> None:
    shutil.rmtree(bench.workspace)
    bench.restore()
    assert set(files_of(bench.workspace)) == set(FILES)


def test_a_workspace_that_is_a_link_is_refused(bench: Bench, tmp_path: Path) -> None:
    write(tmp_path, {"precious/file": "x"})
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    with pytest.raises(HubUnavailable):
        bench.hub.restore(str(tmp_path / "link"), bench.base.tree, "loop-1")
    assert (tmp_path / "precious/file").exists()


@pytest.mark.parametrize("name", [".", "hub", "hub/inside"])
def test_a_workspace_that_overlaps_the_hub_is_refused(bench: Bench, tmp_path: Path, name: str) -> None:
    with pytest.raises(HubUnavailable, match="overlap"):
        bench.hub.restore(str(tmp_path / name), bench.base.tree, "loop-1")
    assert (bench.hub_path / "HEAD").exists()


def test_a_tree_that_the_hub_does_not_have_changes_nothing(bench: Bench) -> None:
    with pytest.raises(HubUnavailable, match="has no tree"):
        bench.restore("1" * 40)
    assert set(files_of(bench.workspace)) == set(FILES)


def test_an_export_needs_an_empty_directory_and_holds_no_git(bench: Bench, tmp_path: Path) -> None:
    bench.hub.export(bench.base.tree, str(tmp_path / "new/out"))
    assert set(files_of(tmp_path / "new/out")) == set(FILES)
    assert not (tmp_path / "new/out/.git").exists()
    with pytest.raises(HubUnavailable, match="not empty"):
        bench.hub.export(bench.base.tree, str(tmp_path / "new/out"))


def test_a_submodule_is_an_empty_directory_and_survives_a_snapshot(tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library", {"lib.py": "x"})
    repository = make_repository(tmp_path / "r", {"a": "a"})
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "vendor/lib")
    git(repository, "commit", "-q", "-m", "submodule")
    hub = LocalHub(str(tmp_path / "hub"))
    base = hub.import_base(str(repository), hub.resolve(str(repository), "main").commit, "job-1")
    workspace = tmp_path / "w"
    hub.restore(str(workspace), base.tree, "loop-1")
    assert list((workspace / "vendor/lib").iterdir()) == []
    made = Bench(hub, tmp_path / "hub", repository, base, workspace)
    assert not made.snapshot().changed
    write(workspace, {"b": "b"})
    snapshot = made.snapshot()
    assert hub.changed_paths(base.tree, snapshot.tree) == ("b",)
    assert "vendor/lib" not in hub.list_paths(snapshot.tree)
    assert git(tmp_path / "hub", "ls-tree", snapshot.tree, "vendor/lib").startswith("160000 commit")


def test_the_umask_does_not_change_modes(bench: Bench) -> None:
    before = os.umask(0o077)
    try:
        bench.restore()
    finally:
        os.umask(before)
    assert (bench.workspace / "README.md").stat().st_mode & 0o777 == 0o644
