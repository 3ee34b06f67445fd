from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.tree_path import TreePathRefused, tree_path


@pytest.mark.parametrize(
    ("given_path", "path"),
    [
        ("src/app.py", "src/app.py"),
        ("./src//app.py", "src/app.py"),
        ("/workspace/src/app.py", "src/app.py"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        (".gitignore", ".gitignore"),
        ("a b/c d.txt", "a b/c d.txt"),
        ("übung/名.md", "übung/名.md"),
    ],
)
def test_a_path_has_one_spelling(given_path: str, path: str) -> None:
    assert tree_path(given_path) == path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd", "not relative"),
        ("/workspace", "not relative"),
        ("~/.ssh/id", "not relative"),
        ("C:/x.py", "not relative"),
        ("../x.py", "leaves the workspace"),
        ("a/../../x.py", "leaves the workspace"),
        ("/workspace/../x.py", "leaves the workspace"),
        ("a\\b.py", "backslash"),
        (".git/config", r"inside \.git"),
        ("a/.GIT/hooks/x", r"inside \.git"),
        (".git./config", r"inside \.git"),
        ("git~1/config", r"inside \.git"),
        ("a\x00b", "hidden"),
        ("a\u202eb.py", "hidden"),
        ("a\nb", "hidden"),
        ("\ud800", "hidden"),
        ("", "names no file"),
        ("./.", "names no file"),
        ("src/", "names a directory"),
        ("x ", "begins or ends with a blank"),
        ("x.", "ends with a dot"),
        ("a" * 256, "longer than 255"),
        ("a/" * 600 + "b", "longer than 1024"),
    ],
)
def test_a_hostile_path_is_refused_with_words(path: str, why: str) -> None:
    with pytest.raises(TreePathRefused, match=why):
        tree_path(path)


@given(st.text(alphabet=st.sampled_from(list("a./\\~ gitGIT:é\u200b\x00")), max_size=20))
def test_what_is_accepted_stays_inside_and_is_its_own_spelling(text: str) -> None:
    try:
        path = tree_path(text)
    except TreePathRefused:
        return
    assert tree_path(path) == path
    assert not path.startswith("/")
    assert not {"..", ".", ""} & set(path.split("/"))
    assert ".git" not in path.casefold().split("/")
