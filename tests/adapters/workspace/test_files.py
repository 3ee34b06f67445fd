from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from thirdshift.adapters.workspace.files import FileRefused, read_beneath, write_beneath
from thirdshift.core.tree_path import TreePathRefused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    workspace = tmp_path / "tree"
    (workspace / "src").mkdir(parents=True)
    (workspace / "src" / "app.py").write_text("print('hi')\n")
    (tmp_path / "outside.txt").write_text("secret")
    return workspace


@pytest.mark.parametrize(
    "path", ["", "/", "/etc/passwd", "../outside.txt", "src/../../outside.txt", "a\0b", ".git/HEAD"]
)
def test_a_path_that_is_not_inside_the_workspace_is_neither_read_nor_written(root: Path, path: str) -> None:
    with pytest.raises(TreePathRefused):
        read_beneath(str(root), path, 100)
    with pytest.raises(TreePathRefused):
        write_beneath(str(root), path, b"x")


@pytest.mark.parametrize("path", ["src/app.py", "./src//app.py", "/workspace/src/app.py"])
def test_a_file_is_read_under_the_names_that_an_agent_may_use_for_it(root: Path, path: str) -> None:
    assert read_beneath(str(root), path, 100) == b"print('hi')\n"


def test_a_file_longer_than_the_bound_is_read_to_one_byte_past_it(root: Path) -> None:
    assert read_beneath(str(root), "src/app.py", 4) == b"print"


def test_a_link_out_of_the_tree_is_not_followed_when_reading(root: Path) -> None:
    (root / "link").symlink_to(root.parent / "outside.txt")
    with pytest.raises(FileRefused, match="symbolic link"):
        read_beneath(str(root), "link", 100)


def test_a_linked_directory_is_not_followed_when_writing(root: Path) -> None:
    (root / "dir").symlink_to(root.parent)
    with pytest.raises(FileRefused):
        write_beneath(str(root), "dir/outside.txt", b"changed")
    assert (root.parent / "outside.txt").read_text() == "secret"


def test_a_link_in_place_of_the_file_is_not_written_through(root: Path) -> None:
    (root / "link").symlink_to(root.parent / "outside.txt")
    with pytest.raises(FileRefused, match="symbolic link"):
        write_beneath(str(root), "link", b"changed")
    assert (root.parent / "outside.txt").read_text() == "secret"


def test_a_link_planted_at_the_staging_name_is_not_written_through(root: Path) -> None:
    (root / ".a.txt.new").symlink_to(root.parent / "outside.txt")
    write_beneath(str(root), "a.txt", b"fine")
    assert (root / "a.txt").read_bytes() == b"fine"
    assert (root.parent / "outside.txt").read_text() == "secret"


def test_a_fifo_is_refused_without_waiting_for_a_writer(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(FileRefused, match="not a regular file"):
        read_beneath(str(root), "pipe", 100)
    with pytest.raises(FileRefused, match="not a regular file"):
        write_beneath(str(root), "pipe", b"x")


def test_a_new_file_comes_with_its_directories(root: Path) -> None:
    write_beneath(str(root), "new/deep/file.txt", b"content")
    assert (root / "new/deep/file.txt").read_bytes() == b"content"


def test_an_existing_file_keeps_its_permission_bits(root: Path) -> None:
    (root / "run.sh").write_text("old")
    (root / "run.sh").chmod(0o755)
    write_beneath(str(root), "run.sh", b"new")
    assert stat.S_IMODE((root / "run.sh").stat().st_mode) == 0o755
    assert sorted(p.name for p in root.iterdir()) == ["run.sh", "src"]


@pytest.mark.parametrize(("path", "says"), [("missing.py", "does not exist"), ("src", "is a directory")])
def test_what_cannot_be_read_is_explained(root: Path, path: str, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        read_beneath(str(root), path, 100)


def test_a_directory_is_not_replaced_by_a_file(root: Path) -> None:
    with pytest.raises(FileRefused, match="is a directory"):
        write_beneath(str(root), "src", b"x")
