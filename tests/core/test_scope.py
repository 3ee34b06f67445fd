from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.scope import outside


@pytest.mark.parametrize(
    ("globs", "path", "allowed"),
    [
        (["**"], "a/b/c.py", True),
        (["src/**"], "src/a.py", True),
        (["src/**"], "src/deep/er/a.py", True),
        (["src/**"], "src", False),
        (["src/**"], "srcx/a.py", False),
        (["src/**"], "lib/src/a.py", False),
        (["src/"], "src/deep/a.py", True),
        (["src/"], "src", False),
        (["src"], "src/deep/a.py", True),
        (["src"], "src", True),
        (["setup.py"], "sub/setup.py", False),
        (["*.md"], "README.md", True),
        (["*.md"], "docs/README.md", False),
        (["**/*.md"], "docs/deep/README.md", True),
        (["**/*.md"], "README.md", True),
        (["src/*"], "src/a.py", True),
        (["src/*"], "src/deep/a.py", False),
        (["src/**/test_*.py"], "src/test_a.py", True),
        (["src/**/test_*.py"], "src/a/b/test_a.py", True),
        (["src/**/test_*.py"], "src/a/b/best_a.py", False),
        (["a?c"], "abc", True),
        (["a?c"], "a/c", False),
        (["[a-c]x"], "bx", True),
        (["[!a-c]x"], "bx", False),
        (["[[:digit:]]x"], "7x", True),
        (["[a"], "[a", False),
        ([r"\*.py"], "*.py", True),
        ([r"\*.py"], "a.py", False),
        (["/src/**"], "src/a", True),
        (["./src/**"], "src/a", True),
        (["src/**", "!src/secret/**"], "src/secret/key", False),
        (["src/**", "!src/secret/**"], "src/open", True),
        (["!src/secret/**", "src/**"], "src/secret/key", True),
        ([], "anything", False),
        ([""], "anything", False),
        (["SRC/**"], "src/a", False),
    ],
)
def test_a_path_is_in_scope_exactly_if_a_pattern_says_so(globs: list[str], path: str, allowed: bool) -> None:
    assert outside([path], globs) == (() if allowed else (path,))


PATHS = st.lists(st.text("ab.*[]!?\\-é", min_size=1, max_size=6), min_size=1, max_size=5).map("/".join)


@given(st.lists(PATHS))
def test_two_stars_let_everything_be_written_and_no_pattern_lets_nothing(paths: list[str]) -> None:
    assert outside(paths, ["**"]) == ()
    assert outside(paths, []) == tuple(paths)


@given(st.lists(PATHS), st.lists(st.text("ab/*?[]!\\-", max_size=12)))
def test_what_is_outside_is_a_part_of_what_was_asked_in_its_order(paths: list[str], globs: list[str]) -> None:
    refused = outside(paths, globs)
    assert list(refused) == [path for path in paths if path in set(refused)]


@given(PATHS, st.lists(st.text("ab/*?[]\\-", max_size=12)), st.text("ab/*?[]\\-", max_size=12))
def test_one_more_pattern_never_takes_a_path_out(path: str, globs: list[str], more: str) -> None:
    if not outside([path], globs):
        assert not outside([path], [*globs, more])


def test_a_hostile_pattern_is_matched_at_once() -> None:
    pattern = "*a" * 200 + "b"
    assert outside(["a" * 400, "/".join(["a"] * 400)], [pattern, "**/a/" * 200 + "b"]) != ()
