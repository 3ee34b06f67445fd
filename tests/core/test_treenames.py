from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.treenames import (
    alias_key,
    aliases,
    is_git_directory_name,
    link_problem,
    name_problem,
    poison,
)


@pytest.mark.parametrize(
    "name",
    [
        ".git", ".GIT", ".Git", ".git.", ".git ", ".git. . ", "git~1", "GIT~1", "git~12", ".g\u200cit",
        "\u200b.git", ".git\ufeff", "\uff0egit", ".\uff47it", "\u2024git", ".g\u00adit", ".git\u2060",
        ".git:stream", ".git::$INDEX_ALLOCATION", "a\\.git\\config", ".\\.GIT", ".git\ufe0f",
    ],
)  # fmt: skip
def test_every_spelling_of_the_git_directory_is_known(name: str) -> None:
    assert is_git_directory_name(name)
    assert poison(name) is not None
    assert name_problem(name) is not None


@pytest.mark.parametrize(
    "name",
    [".gitignore", ".gitattributes", ".github", "git", "digit~1", "git~", "git~x", ".git-blame-ignore-revs"],
)
def test_names_that_only_look_like_it_are_let_be(name: str) -> None:
    assert not is_git_directory_name(name)
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "bad\udcff"])
def test_what_is_no_name_is_poison(name: str) -> None:
    assert poison(name) is not None


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", "a\x7f", "a\u0085b", "a\u202egnp.exe", "a\u2066b", "tab\t"])
def test_names_that_deceive_a_terminal_may_not_be_added_but_may_come_from_a_base(name: str) -> None:
    assert name_problem(name) is not None
    assert poison(name) is None


@pytest.mark.parametrize("name", ["a b", "naïve.py", "日本語.txt", "👩\u200d💻.md", "...", "-rf", '"quoted"', "a\\b"])
def test_odd_but_honest_names_may_be_added(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("README", "readme"),
        ("straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "a."),
        ("a", "a "),
        ("a", "a\u200b"),
        ("ﬁle", "file"),
        ("K", "\u212a"),
    ],
)
def test_names_that_one_system_takes_for_one_are_aliases(one: str, other: str) -> None:
    assert aliases([one, "else", other]) == (tuple(sorted((one, other))),)


def test_different_names_are_no_aliases() -> None:
    assert aliases(["a", "b", "a.b", "é"]) == ()


@given(st.text())
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert alias_key(alias_key(name)) == alias_key(name)


@given(st.text(min_size=1, max_size=20))
def test_whatever_aliases_to_the_git_directory_is_a_spelling_of_it(name: str) -> None:
    if alias_key(name) == alias_key(".git"):
        assert is_git_directory_name(name)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", "b"),
        ("a/b/c", "../../d"),
        ("a/b", ".."),
        ("a", "."),
        ("a", "sub/../b"),
        ("a", "a"),
        ("loop", "loop2"),
        ("x", "dir/y"),
        ("x", "nowhere/at/all"),
        (".gitconfig-example", "b"),
    ],
)
def test_links_within_the_tree_are_let_be(path: str, target: str) -> None:
    assert link_problem(path, target, {"loop": "loop2", "loop2": "loop", "dir": "real"}) is None


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", "/etc/passwd"),
        ("a", ".."),
        ("a/b", "../.."),
        ("a/b", "../../c"),
        ("a", "b/../../c"),
        ("a", ".git/config"),
        ("a", "sub/.GIT/hooks"),
        ("a", "out/passwd"),
        ("a", "deep/../../.."),
        (".gitignore", "b"),
        ("sub/.gitmodules", "b"),
    ],
)
def test_links_that_leave_the_tree_are_named(path: str, target: str) -> None:
    links = {"out": "/etc", "deep": "one/two"}
    assert link_problem(path, target, links) is not None


def test_a_link_is_followed_through_the_tree_s_other_links_as_a_kernel_would() -> None:
    links = {"deep/in/here": "../../top"}
    assert link_problem("a", "deep/in/here/../x", links) is None
    assert link_problem("a", "deep/in/here/../../x", links) is not None


NAMES = st.sampled_from(["a", "b", "c", "..", "."])
TARGETS = st.lists(NAMES, min_size=1, max_size=6).map("/".join)


@given(st.dictionaries(st.sampled_from(["a", "b", "a/b", "c/a", "c/b/a"]), TARGETS))
def test_no_set_of_links_makes_the_check_run_for_ever(links: dict[str, str]) -> None:
    for path, target in links.items():
        link_problem(path, target, links)


@given(st.text("ab/.", min_size=1, max_size=15), TARGETS)
def test_a_lone_link_that_passes_stays_inside_by_plain_path_arithmetic(path: str, target: str) -> None:
    depth = len(path.split("/")) - 1
    if link_problem(path, target, {}) is None:
        for part in target.split("/"):
            depth += -1 if part == ".." else 0 if part in {"", "."} else 1
            assert depth >= 0
