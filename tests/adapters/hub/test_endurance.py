"""Several processes at once, processes that are killed, disks that fill up, files that may not be read."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import FILES, Bench, git, make_repository, trailers, write
from thirdshift.adapters.hub import LocalHub
from thirdshift.core.errors import HubUnavailable, RepositoryRefused

FORK = multiprocessing.get_context("fork")
ROOT = Path(__file__).parents[3]
NOBODY = 65534


def _run_loop(hub_path: str, repository: str, root: str, loop: str, steps: int) -> None:
    hub = LocalHub(hub_path)
    base = hub.import_base(repository, hub.resolve(repository, "main").commit, f"job-{loop}")
    workspace = Path(root) / loop
    hub.restore(str(workspace), base.tree, loop)
    commit = base.commit
    for step in range(steps):
        write(workspace, {f"file-{step}": loop, "shared": f"{step}", "src/app.py": f"{loop} {step}"})
        commit = hub.snapshot(str(workspace), loop, commit, trailers(step)).commit


def test_many_processes_share_a_hub_that_none_of_them_found(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", FILES)
    hub = tmp_path / "hub"
    loops = [f"loop-{at}" for at in range(6)]
    workers = [
        FORK.Process(target=_run_loop, args=(str(hub), str(repository), str(tmp_path), loop, 8)) for loop in loops
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * len(workers)
    for loop in loops:
        assert git(hub, "rev-list", "--count", f"refs/thirdshift/{loop}") == "9"
        assert git(hub, "show", f"refs/thirdshift/{loop}:src/app.py") == f"{loop} 7"
    assert git(hub, "fsck", "--strict", "--no-dangling") == ""
    assert list((hub / "thirdshift-tmp").iterdir()) == []


def _snapshot_for_ever(hub: LocalHub, workspace: Path, commit: str, tell: int) -> None:
    for step in range(10_000):
        write(workspace, {f"file-{step}": "x" * 1000, "src/app.py": f"{step}"})
        os.write(tell, b".")
        commit = hub.snapshot(str(workspace), "loop-1", commit, trailers(step)).commit


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 11])
def test_a_worker_killed_in_a_snapshot_wedges_and_breaks_nothing(bench: Bench, steps: int) -> None:
    ear, mouth = os.pipe()
    worker = FORK.Process(target=_snapshot_for_ever, args=(bench.hub, bench.workspace, bench.base.commit, mouth))
    worker.start()
    for _ in range(steps):
        os.read(ear, 1)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    os.close(ear)
    os.close(mouth)
    tip = git(bench.hub_path, "rev-parse", "--verify", "-q", "refs/thirdshift/loop-1", check=False)
    snapshot = bench.snapshot(tip or bench.base.commit)
    out = bench.workspace.parent / "out"
    bench.hub.export(snapshot.tree, str(out))
    for path in out.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (bench.workspace / path.relative_to(out)).read_bytes()
    bench.restore(snapshot.tree)
    assert git(bench.hub_path, "fsck", "--strict", "--no-dangling") == ""


def test_locks_that_a_killed_git_left_behind_do_not_wedge_a_loop(bench: Bench) -> None:
    (bench.hub_path / "refs/thirdshift").mkdir(exist_ok=True)
    (bench.hub_path / "refs/thirdshift/loop-1.lock").write_text("")
    (bench.hub_path / "thirdshift-index/loop-1.new").write_text("{half")
    (bench.hub_path / "thirdshift-index/loop-1").write_text("{half")
    (bench.hub_path / "thirdshift-tmp/inner-loop-1/objects").mkdir(parents=True)
    write(bench.workspace, {"a": "a"})
    assert bench.snapshot().changed
    bench.restore()
    (bench.hub_path / "refs/thirdshift/job-2").mkdir()
    (bench.hub_path / "refs/thirdshift/job-2/base.lock").write_text("")
    assert bench.hub.import_base(str(bench.repository), bench.base.commit, "job-2").commit == bench.base.commit


def test_a_half_restored_workspace_is_not_recorded(bench: Bench) -> None:
    broken = LocalHub(str(bench.hub_path), git=str(bench.workspace.parent / "git"))
    write(
        bench.workspace.parent,
        {"git": '#!/bin/sh\ncase " $* " in *" pack-objects "*) kill -9 $PPID;; esac\nexec git "$@"\n'},
    )
    (bench.workspace.parent / "git").chmod(0o755)
    worker = FORK.Process(target=broken.restore, args=(str(bench.workspace), bench.base.tree, "loop-1"))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    with pytest.raises(HubUnavailable, match="Restore it again"):
        bench.snapshot()
    bench.restore()
    assert not bench.snapshot().changed


@pytest.mark.parametrize("name", ["a/b", "..", "ünï", "x" * 300, "a b", "-x", "x.lock", ".", "a~b"])
def test_any_name_of_a_loop_and_a_job_will_do(bench: Bench, name: str) -> None:
    base = bench.hub.import_base(str(bench.repository), bench.base.commit, f"job-{name}")
    bench.hub.restore(str(bench.workspace), base.tree, name)
    write(bench.workspace, {"a": "a"})
    assert bench.hub.snapshot(str(bench.workspace), name, base.commit, trailers()).changed
    assert git(bench.hub_path, "fsck", "--strict", "--no-dangling") == ""
    assert bench.workspace.parent.joinpath("hub", "thirdshift-index").is_dir()


def test_a_directory_that_is_no_hub_is_not_taken_for_one(bench: Bench, tmp_path: Path) -> None:
    write(tmp_path, {"precious/file": "x"})
    hub = LocalHub(str(tmp_path / "precious"))
    with pytest.raises(HubUnavailable, match="is not empty and no hub"):
        hub.import_base(str(bench.repository), bench.base.commit, "job-1")
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["file"]


def test_a_machine_without_git_is_told_to_install_it(bench: Bench, tmp_path: Path) -> None:
    hub = LocalHub(str(tmp_path / "hub2"), git=str(tmp_path / "no-git"))
    with pytest.raises(HubUnavailable, match="Install git"):
        hub.resolve(str(bench.repository), "main")


@pytest.fixture
def open_ground() -> Iterator[Path]:
    """A directory that an ordinary user may use."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o777)
    yield root
    subprocess.run(["chmod", "-R", "u+rwX", str(root)], check=False)
    shutil.rmtree(root)


def as_ordinary_user(work: Callable[[], object]) -> object:
    """The result of ``work``, or the exception that it raised, done by a user who is not root."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            result: object = work()
        except Exception as error:  # noqa: BLE001 - it is handed to the test
            result = (type(error).__name__, str(error))
        os.write(mouth, pickle.dumps(result))
        os._exit(0)
    os.close(mouth)
    with os.fdopen(ear, "rb") as source:
        said = source.read()
    os.waitpid(child, 0)
    return pickle.loads(said)  # noqa: S301 - our own child wrote it


def test_an_ordinary_user_s_workspace_is_cleared_of_shut_directories(open_ground: Path) -> None:
    def work() -> object:
        bench = _bench(open_ground)
        write(bench.workspace, {"shut/deep/er/x": "x", "src/app.py": "y"})
        for name in ("shut/deep/er", "shut/deep", "shut", "src"):
            (bench.workspace / name).chmod(0)
        bench.workspace.chmod(0o100)
        bench.restore()
        return sorted(path.name for path in bench.workspace.iterdir())

    assert as_ordinary_user(work) == [".git", "README.md", "data.bin", "src"]


def test_a_repository_or_hub_without_permission_is_said_plainly(open_ground: Path) -> None:
    def work() -> object:
        bench = _bench(open_ground)
        said = []
        bench.repository.chmod(0)
        for shut in (bench.repository, bench.repository / "sub"):
            try:
                bench.hub.resolve(str(shut), "main")
            except RepositoryRefused as error:
                said.append(str(error))
        bench.repository.chmod(0o755)
        (bench.repository / ".git/objects").chmod(0o500)
        for path in (bench.repository / ".git/objects").iterdir():
            path.chmod(0o500)
        write(bench.workspace, {"a": "a"})
        tree = bench.snapshot().tree
        try:
            bench.hub.deliver(tree, bench.base.commit, "m", str(bench.repository), "thirdshift/x")
        except RepositoryRefused as error:
            said.append(str(error))
        write(bench.workspace, {"b": "b"})
        (bench.hub_path / "thirdshift-index").chmod(0)
        try:
            bench.snapshot()
        except HubUnavailable as error:
            said.append(str(error))
        (bench.hub_path / "thirdshift-index").chmod(0o755)
        return said

    said = as_ordinary_user(work)
    assert isinstance(said, list)
    assert len(said) == 4, said
    assert all("read permission" in text for text in said[:2])
    assert "may not write" in said[2]
    assert "permission is denied" in said[3]


def _bench(root: Path) -> Bench:
    repository = make_repository(root / "repository", FILES)
    hub = LocalHub(str(root / "hub"))
    base = hub.import_base(str(repository), hub.resolve(str(repository), "main").commit, "job-1")
    bench = Bench(hub, root / "hub", repository, base, root / "workspace")
    bench.restore()
    return bench


FULL_DISK = """
import os, sys
from pathlib import Path
from tests.adapters.hub.repositories import FILES, Bench, git, make_repository, write
from thirdshift.adapters.hub import LocalHub
from thirdshift.core.errors import HubUnavailable
root, small = Path(sys.argv[1]), Path(sys.argv[2])
repository = make_repository(root / "repository", FILES)
hub = LocalHub(str(small / "hub"))
base = hub.import_base(str(repository), hub.resolve(str(repository), "main").commit, "job-1")
bench = Bench(hub, small / "hub", repository, base, root / "workspace")
bench.restore()
write(bench.workspace, {"noise": os.urandom(3 << 20)})
for attempt in range(2):
    try:
        bench.snapshot()
    except HubUnavailable as error:
        assert "disk is full" in str(error), error
    else:
        raise SystemExit("a full disk went unnoticed")
assert git(small / "hub", "for-each-ref", "refs/thirdshift/loop-1") == ""
try:
    hub.restore(str(small / "workspace"), base.tree, "loop-2")
    write(small, {"filler": b""})
    with (small / "filler").open("wb") as sink:
        while True:
            sink.write(bytes(4096))
            sink.flush()
except OSError:
    pass
try:
    hub.restore(str(small / "workspace"), base.tree, "loop-2")
except HubUnavailable as error:
    assert "disk is full" in str(error), error
(small / "filler").unlink()
write(bench.workspace, {"noise": "quiet"})
assert bench.snapshot().changed
bench.restore()
"""


def test_a_full_disk_is_said_plainly_and_half_does_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    inside = f'mount -t tmpfs -o size=2m tmpfs {small} || exit 77\nexec "$0" "$@"'
    command = ["unshare", "-rm", "sh", "-c", inside, sys.executable, "-c", FULL_DISK, str(tmp_path), str(small)]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here to make a small disk with")
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this user may not mount a small disk")
    assert done.returncode == 0, done.stderr
