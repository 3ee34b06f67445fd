from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import Bench, git, make_repository, trailers, write
from thirdshift.adapters.hub import LocalHub, TreeLimits
from thirdshift.core.errors import TreeRefused


def test_an_unchanged_workspace_makes_no_commit(bench: Bench) -> None:
    snapshot = bench.snapshot()
    assert not snapshot.changed
    assert (snapshot.tree, snapshot.commit) == (bench.base.tree, bench.base.commit)
    assert git(bench.hub_path, "for-each-ref", "refs/thirdshift/loop-1") == ""


def test_a_changed_workspace_is_one_commit_with_the_trailers_of_its_step(bench: Bench) -> None:
    write(bench.workspace, {"src/app.py": "print('ho')\n", "new/file.txt": "new\n"})
    (bench.workspace / "README.md").unlink()
    snapshot = bench.snapshot()
    assert snapshot.changed
    assert git(bench.hub_path, "rev-parse", "refs/thirdshift/loop-1") == snapshot.commit
    assert git(bench.hub_path, "rev-parse", f"{snapshot.commit}^", f"{snapshot.commit}^{{tree}}").split() == [
        bench.base.commit,
        snapshot.tree,
    ]
    assert bench.hub.changed_paths(bench.base.tree, snapshot.tree) == (
        "README.md",
        "new/file.txt",
        "src/app.py",
    )
    message = git(bench.hub_path, "log", "-1", "--format=%(trailers:unfold)|%an <%ae>|%cn|%ai", snapshot.commit)
    assert message.split("|") == [
        "Job: job-1\nLoop: loop-1\nAttempt: 1\nStep: 1\nModel: local/tiny\nCost-Usd: 0.000012\n",
        "Thirdshift <thirdshift@localhost>",
        "Thirdshift",
        "2023-11-14 23:13:20 +0100",
    ]


def test_trailers_cannot_be_forged_by_a_model_s_name(bench: Bench) -> None:
    write(bench.workspace, {"a": "a"})
    forged = trailers().model_copy(update={"model": "x\nCost-Usd: 0\x1b[2J"})
    snapshot = bench.hub.snapshot(str(bench.workspace), "loop-1", bench.base.commit, forged)
    lines = git(bench.hub_path, "log", "-1", "--format=%B", snapshot.commit).splitlines()
    assert "Model: x Cost-Usd: 0 [2J" in lines
    assert "Cost-Usd: 0" not in lines


def test_the_same_snapshot_again_is_the_same_commit_even_from_a_hub_that_forgot(bench: Bench) -> None:
    write(bench.workspace, {"src/app.py": "print('ho')\n"})
    first = bench.snapshot()
    for index in (bench.hub_path / "thirdshift-index").iterdir():
        index.unlink()
    again = LocalHub(str(bench.hub_path)).snapshot(str(bench.workspace), "loop-1", bench.base.commit, trailers())
    assert again == first


def test_steps_stack_and_a_later_attempt_may_start_from_an_earlier_tree(bench: Bench) -> None:
    write(bench.workspace, {"one": "1"})
    first = bench.snapshot()
    write(bench.workspace, {"two": "2"})
    second = bench.snapshot(first.commit)
    assert not bench.snapshot(second.commit).changed
    bench.restore(first.tree)
    assert not (bench.workspace / "two").exists()
    assert not bench.snapshot(first.commit).changed
    write(bench.workspace, {"three": "3"})
    third = bench.snapshot(first.commit)
    assert bench.hub.list_paths(third.tree) == tuple(sorted([*bench.hub.list_paths(bench.base.tree), "one", "three"]))
    assert git(bench.hub_path, "fsck", "--strict", "--no-dangling") == ""


def test_bytes_go_in_and_out_as_they_are(bench: Bench) -> None:
    odd: dict[str, str | bytes] = {
        ".gitattributes": "* text=auto eol=crlf ident filter=evil working-tree-encoding=UTF-16\n*.txt text\n",
        "crlf.txt": b"a\r\nb\r\n",
        "lf.txt": b"a\nb\n",
        "ident.txt": b"$Id$\n",
        "latin.txt": b"\xe9\xff\x00",
        'quote"d name': b"q",
        '"leading': b"q",
        "sp ace/tr ailing ": b"s",
        "back\\slash": b"b",
        "naïve-日本語.txt": "x",
        "-rf": b"dash",
        "empty": b"",
    }
    write(bench.workspace, odd)
    (bench.workspace / "run.sh").write_text("#!/bin/sh\n")
    (bench.workspace / "run.sh").chmod(0o755)
    (bench.workspace / "link").symlink_to("src/app.py")
    (bench.workspace / "dangling").symlink_to("no/where")
    snapshot = bench.snapshot()
    out = bench.workspace.parent / "out"
    bench.hub.export(snapshot.tree, str(out))
    for name, content in odd.items():
        assert (out / name).read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert (out / "link").readlink() == Path("src/app.py")
    assert (out / "dangling").readlink() == Path("no/where")
    assert stat.S_IMODE((out / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((out / "crlf.txt").stat().st_mode) == 0o644
    assert not (out / ".git").exists()
    assert git(bench.hub_path, "fsck", "--strict", "--no-dangling") == ""


def test_a_file_becomes_a_directory_a_directory_a_file_and_a_link_either(bench: Bench) -> None:
    write(bench.workspace, {"a": "file", "b/c": "below"})
    (bench.workspace / "l").symlink_to("a")
    first = bench.snapshot()
    for name in ("a", "l", "b/c"):
        (bench.workspace / name).unlink()
    (bench.workspace / "b").rmdir()
    write(bench.workspace, {"a/x": "1", "b": "2", "l": "no link"})
    second = bench.snapshot(first.commit)
    assert {"a/x", "b", "l"} <= set(bench.hub.list_paths(second.tree))
    assert not {"a", "b/c"} & set(bench.hub.list_paths(second.tree))
    assert bench.hub.read_file(second.tree, "l", 100) == b"no link"


def test_everything_may_be_deleted(bench: Bench) -> None:
    for name in ("README.md", "src/app.py", "src/deep/er/mod.py", "data.bin"):
        (bench.workspace / name).unlink()
    snapshot = bench.snapshot()
    assert bench.hub.list_paths(snapshot.tree) == ()
    bench.restore(snapshot.tree)
    assert [path.name for path in bench.workspace.iterdir()] == [".git"]
    assert not bench.snapshot(snapshot.commit).changed


def test_an_edit_that_hides_its_traces_in_size_and_time_is_seen(bench: Bench) -> None:
    target = bench.workspace / "src/app.py"
    bench.snapshot()
    before = target.stat()
    content = target.read_bytes()
    with target.open("r+b") as sink:
        sink.write(content.swapcase())
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert target.stat().st_size == before.st_size
    assert bench.snapshot().changed


@pytest.mark.parametrize("round_", range(20))
def test_an_edit_right_after_a_snapshot_is_seen(bench: Bench, round_: int) -> None:
    target = bench.workspace / "src/app.py"
    target.write_text("a" * 10)
    first = bench.snapshot()
    target.write_text("b" * 10)
    assert bench.snapshot(first.commit).changed


def test_what_gitignore_names_stays_out_unless_it_is_tracked(bench: Bench) -> None:
    write(
        bench.workspace,
        {
            ".gitignore": "build/\n*.log\n!keep.log\n",
            "build/out.o": "x",
            "a.log": "x",
            "keep.log": "x",
            "src/.gitignore": "/local\n",
            "src/local": "x",
            "local": "x",
            "src/__pycache__/app.pyc": "x",
            ".pytest_cache/v": "x",
        },
    )
    snapshot = bench.snapshot()
    new = set(bench.hub.changed_paths(bench.base.tree, snapshot.tree))
    assert new == {".gitignore", "keep.log", "src/.gitignore", "local"}
    write(bench.workspace, {".gitignore": "*\n", "src/app.py": "changed, though ignored"})
    later = bench.snapshot(snapshot.commit)
    assert set(bench.hub.changed_paths(snapshot.tree, later.tree)) == {".gitignore", "src/app.py"}


def test_excluded_mount_points_stay_out_and_what_the_tree_has_there_stays_in(bench: Bench) -> None:
    write(bench.workspace, {".cache/lib": "x", "src/deep/venv/lib": "x"})
    (bench.workspace / "src/deep/er/mod.py").unlink()
    exclude = (".cache", "src/deep/venv", "src/deep/er")
    assert not bench.snapshot(exclude=exclude).changed


def test_the_inner_git_never_enters_the_tree(bench: Bench) -> None:
    write(bench.workspace, {".git/hooks/pre-commit": "#!/bin/sh\n", "a": "a"})
    assert bench.hub.changed_paths(bench.base.tree, bench.snapshot().tree) == ("a",)


def _nested_repository(root: Path) -> str:
    make_repository(root / "vendor/lib", {"x": "x"})
    return "vendor/lib/.git"


def _git_file(root: Path) -> str:
    write(root, {"sub/.git": "gitdir: /etc"})
    return "sub/.git"


def _spelled(name: str) -> object:
    def make(root: Path) -> str:
        write(root, {f"{name}/config": "[core]"})
        return name

    return make


def _fifo(root: Path) -> str:
    os.mkfifo(root / "src/pipe")
    return "src/pipe"


def _socket(root: Path) -> str:
    here = Path.cwd()
    listener = socket.socket(socket.AF_UNIX)
    os.chdir(root)  # a socket's path is short
    try:
        listener.bind("sock")
    finally:
        os.chdir(here)
        listener.close()
    return "sock"


def _setuid(root: Path) -> str:
    write(root, {"tool": "x"})
    (root / "tool").chmod(0o4755)
    return "tool"


def _setgid(root: Path) -> str:
    write(root, {"tool": "x"})
    (root / "tool").chmod(0o2755)
    return "tool"


def _absolute_link(root: Path) -> str:
    (root / "passwd").symlink_to("/etc/passwd")
    return "passwd"


def _leaving_link(root: Path) -> str:
    (root / "src/up").symlink_to("../../secret")
    return "src/up"


def _link_into_git(root: Path) -> str:
    (root / "conf").symlink_to(".git/config")
    return "conf"


def _link_for_gitmodules(root: Path) -> str:
    (root / ".gitmodules").symlink_to("README.md")
    return ".gitmodules"


def _alias_of_case(root: Path) -> str:
    write(root, {"readme.MD": "x"})
    return "readme.MD"


def _alias_of_directory(root: Path) -> str:
    write(root, {"SRC/x": "x"})
    return "SRC"


def _alias_of_form(root: Path) -> str:
    write(root, {"caf\u00e9": "x", "cafe\u0301": "y"})
    return "caf\u00e9"


def _control_character(root: Path) -> str:
    write(root, {"a\x1b[2Jb": "x"})
    return "a\x1b[2Jb"


def _not_utf8(root: Path) -> str:
    (Path(os.fsdecode(os.fsencode(root) + b"/bad\xff"))).write_text("x")
    return "bad\udcff"


def _large(root: Path) -> str:
    with (root / "huge").open("wb") as sink:
        sink.truncate((50 << 20) + 1)
    return "huge"


def _unreadable_file(root: Path) -> str:
    write(root, {"shut": "x"})
    (root / "shut").chmod(0)
    return "shut"


def _unreadable_directory(root: Path) -> str:
    write(root, {"shut/x": "x"})
    (root / "shut").chmod(0)
    return "shut"


@pytest.mark.parametrize(
    "make",
    [
        _nested_repository, _git_file, _spelled(".GIT"), _spelled(".git "), _spelled("git~1"),
        _spelled(".g\u200cit"), _spelled("\uff0egit"), _fifo, _socket, _setuid, _setgid, _absolute_link,
        _leaving_link, _link_into_git, _link_for_gitmodules, _alias_of_case, _alias_of_directory,
        _alias_of_form, _control_character, _not_utf8, _large, _unreadable_file, _unreadable_directory,
    ],
)  # fmt: skip
def test_what_no_tree_may_hold_is_refused_by_name_and_nothing_is_recorded(bench: Bench, make: object) -> None:
    path = make(bench.workspace)  # type: ignore[operator]
    with pytest.raises(TreeRefused) as refusal:
        bench.snapshot()
    assert f"- {path!r} " in str(refusal.value)
    assert git(bench.hub_path, "for-each-ref", "refs/thirdshift/loop-1") == ""
    bench.restore()
    assert not bench.snapshot().changed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device files")
def test_a_device_file_is_refused(bench: Bench) -> None:
    os.mknod(bench.workspace / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with pytest.raises(TreeRefused, match="'null' is a device file"):
        bench.snapshot()


def test_every_problem_is_named_at_once(bench: Bench) -> None:
    os.mkfifo(bench.workspace / "pipe")
    (bench.workspace / "out").symlink_to("/etc")
    (bench.workspace / "through").symlink_to("out/passwd")
    with pytest.raises(TreeRefused) as refusal:
        bench.snapshot()
    assert [line.split("'")[1] for line in str(refusal.value).splitlines()[1:]] == ["out", "pipe", "through"]


def test_what_git_ignores_may_be_anything(bench: Bench) -> None:
    write(bench.workspace, {".gitignore": "junk/\n", "junk/.git/config": "x"})
    os.mkfifo(bench.workspace / "junk/pipe")
    assert bench.hub.changed_paths(bench.base.tree, bench.snapshot().tree) == (".gitignore",)


def test_what_the_base_came_with_is_let_be_but_may_not_grow(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "r", {"README": "a", "readme": "b", "big": "x" * 100})
    (repository / "out").symlink_to("/etc")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "links")
    hub = LocalHub(str(tmp_path / "hub"), limits=TreeLimits(file_bytes=50))
    base = hub.import_base(str(repository), hub.resolve(str(repository), "main").commit, "job-1")
    workspace = tmp_path / "w"
    hub.restore(str(workspace), base.tree, "l")
    write(workspace, {"fine": "x"})
    first = hub.snapshot(str(workspace), "l", base.commit, trailers())
    assert hub.changed_paths(base.tree, first.tree) == ("fine",)
    write(workspace, {"big": "y" * 100, "Readme": "c"})
    (workspace / "in").symlink_to("out/passwd")
    with pytest.raises(TreeRefused) as refusal:
        hub.snapshot(str(workspace), "l", first.commit, trailers())
    assert [line.split("'")[1] for line in str(refusal.value).splitlines()[1:]] == ["Readme", "big", "in"]


def test_trees_over_a_limit_are_refused(bench: Bench) -> None:
    write(bench.workspace, {f"f{at}": "x" for at in range(20)})
    few = LocalHub(str(bench.hub_path), limits=TreeLimits(files=10))
    with pytest.raises(TreeRefused, match="more than 10 files"):
        few.snapshot(str(bench.workspace), "loop-1", bench.base.commit, trailers())
    small = LocalHub(str(bench.hub_path), limits=TreeLimits(tree_bytes=10))
    with pytest.raises(TreeRefused, match="10 are the most"):
        small.snapshot(str(bench.workspace), "loop-1", bench.base.commit, trailers())


def test_ignore_files_are_bounded(bench: Bench) -> None:
    write(bench.workspace, {".gitignore": "*a\n" * 5000})
    with pytest.raises(TreeRefused, match="5000 patterns"):
        bench.snapshot()


def test_a_link_called_gitignore_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("*\n")
    (bench.workspace / ".gitignore").symlink_to("../evil")
    write(bench.workspace, {"a": "a"})
    with pytest.raises(TreeRefused, match=r"'\.gitignore'"):
        bench.snapshot()


def test_a_directory_swapped_for_a_link_hides_and_leaks_nothing(bench: Bench, tmp_path: Path) -> None:
    write(tmp_path, {"outside/app.py": "secret"})
    (bench.workspace / "src/app.py").unlink()
    (bench.workspace / "src").rename(bench.workspace / "moved")
    (bench.workspace / "src").symlink_to("../outside")
    with pytest.raises(TreeRefused, match="'src' is a symbolic link that leaves the tree"):
        bench.snapshot()
