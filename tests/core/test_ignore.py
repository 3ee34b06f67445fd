from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.ignore import is_ignored, parse_ignore


@pytest.mark.parametrize(
    ("text", "path", "is_directory", "ignored"),
    [
        ("*.log", "a.log", False, True),
        ("*.log", "deep/a.log", False, True),
        ("/a.log", "a.log", False, True),
        ("/a.log", "deep/a.log", False, False),
        ("deep/a.log", "deep/a.log", False, True),
        ("deep/a.log", "very/deep/a.log", False, False),
        ("build/", "build", True, True),
        ("build/", "build", False, False),
        ("build/", "src/build", True, True),
        ("*\n!keep", "keep", False, False),
        ("!keep\n*", "keep", False, True),
        ("# comment", "# comment", False, False),
        ("\\#file", "#file", False, True),
        ("\\!file", "!file", False, True),
        ("trailing   ", "trailing", False, True),
        ("quoted\\ ", "quoted ", False, True),
        ("crlf\r\n", "crlf", False, True),
        ("\ufeffbom", "bom", False, True),
        ("**/x", "a/b/x", False, True),
        ("a/**", "a/b/c", False, True),
        ("a/**", "a", True, False),
        ("a/**/b", "a/b", False, True),
        ("a/**/b", "a/x/y/b", False, True),
        ("[ab].c", "b.c", False, True),
        ("/", "x", True, False),
        ("", "x", False, False),
    ],
)
def test_a_path_is_ignored_as_gitignore_says(text: str, path: str, is_directory: bool, ignored: bool) -> None:
    assert is_ignored(path.split("/"), is_directory=is_directory, rules=parse_ignore(text, 0)) is ignored


def test_a_deeper_file_has_the_last_word_and_is_anchored_where_it_lies() -> None:
    rules = parse_ignore("*.log\n", 0) + parse_ignore("!/keep.log\n", 1)
    assert is_ignored(["sub", "a.log"], is_directory=False, rules=rules)
    assert not is_ignored(["sub", "keep.log"], is_directory=False, rules=rules)
    assert is_ignored(["sub", "sub", "keep.log"], is_directory=False, rules=rules)


@given(st.text(max_size=200))
def test_no_text_of_an_ignore_file_is_an_error(text: str) -> None:
    is_ignored(["a", "b"], is_directory=False, rules=parse_ignore(text, 0))
