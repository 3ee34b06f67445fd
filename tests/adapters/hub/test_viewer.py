from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.hub.repositories import Bench, write
from thirdshift.core.errors import HubUnavailable


def test_a_diff_shows_what_changed_and_says_where_it_was_cut(bench: Bench) -> None:
    write(bench.workspace, {"src/app.py": "print('ho')\n", "new.txt": "1\n2\n3\n"})
    tree = bench.snapshot().tree
    whole = bench.hub.diff(bench.base.tree, tree, 1000)
    assert "-print('hi')\n+print('ho')\n" in whole
    assert "new file mode 100644" in whole
    cut = bench.hub.diff(bench.base.tree, tree, 5)
    lines = whole.splitlines()
    assert cut.splitlines() == [
        *lines[:5],
        f"... {len(lines) - 5} more lines of {len(lines)}; the diff was cut here",
    ]
    assert bench.hub.diff(tree, tree, 5) == ""


def test_attributes_and_binary_bytes_hide_nothing_from_a_diff(bench: Bench, tmp_path: Path) -> None:
    write(
        bench.workspace,
        {
            ".gitattributes": "*.py -diff -text\n*.md binary\n*.sh diff=evil\n",
            "src/app.py": "print('hidden')\n",
            "README.md": "# hidden too\n",
            "run.sh": b"echo \0 nul\n",
        },
    )
    shown = bench.hub.diff(bench.base.tree, bench.snapshot().tree, 1000)
    assert "+print('hidden')" in shown
    assert "+# hidden too" in shown
    assert "+echo \0 nul" in shown
    assert "Binary files" not in shown


def test_a_long_line_is_cut_and_says_so(bench: Bench) -> None:
    write(bench.workspace, {"long": "x" * 10_000 + "\n"})
    shown = bench.hub.diff(bench.base.tree, bench.snapshot().tree, 1000)
    assert "more bytes in this line" in shown
    assert len(shown) < 3000


def test_a_rename_is_two_paths(bench: Bench) -> None:
    (bench.workspace / "src/app.py").rename(bench.workspace / "src/main.py")
    assert bench.hub.changed_paths(bench.base.tree, bench.snapshot().tree) == ("src/app.py", "src/main.py")


def test_a_file_is_read_up_to_a_size_and_links_are_followed_within_the_tree(bench: Bench) -> None:
    (bench.workspace / "AGENTS.md").symlink_to("README.md")
    tree = bench.snapshot().tree
    read = bench.hub.read_file
    assert read(tree, "README.md", 100) == b"# Hello\n"
    assert read(tree, "README.md", 8) == b"# Hello\n"
    assert read(tree, "README.md", 7) is None
    assert read(tree, "AGENTS.md", 100) == b"# Hello\n"
    assert read(tree, "data.bin", 256) == bytes(range(256))
    for path in ("", "src", "missing", "src/missing", "/README.md", "../x", "./README.md", "src//app.py", "a\nb"):
        assert read(tree, path, 100) is None, path
    assert set(bench.hub.list_paths(tree)) == {
        "AGENTS.md",
        "README.md",
        "data.bin",
        "src/app.py",
        "src/deep/er/mod.py",
    }


def test_trees_that_are_not_there_are_said_plainly(bench: Bench) -> None:
    for ask in (bench.hub.list_paths, lambda tree: bench.hub.diff(tree, bench.base.tree, 5)):
        with pytest.raises(HubUnavailable, match="submit the spec again"):
            ask("1" * 40)
    with pytest.raises(HubUnavailable, match="submit the spec again"):
        bench.hub.changed_paths("1" * 40, bench.base.tree)
