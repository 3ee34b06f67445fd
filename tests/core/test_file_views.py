from __future__ import annotations

import pytest

from thirdshift.core.file_views import EditRefused, edited, shown_lines

TEN = b"".join(b"line %d\n" % number for number in range(1, 11))


def test_a_whole_file_is_shown_as_it_is() -> None:
    assert shown_lines(b"a\n\tb\n", None, None, 100) == "a\n\tb\n"
    assert shown_lines(b"", None, None, 100) == "(the file is empty)"


def test_some_lines_say_which_of_how_many_they_are() -> None:
    assert shown_lines(TEN, 2, 3, 100) == "(lines 2 to 3 of 10)\nline 2\nline 3\n"
    assert shown_lines(TEN, 9, 99, 100) == "(lines 9 to 10 of 10)\nline 9\nline 10\n"
    assert shown_lines(TEN, 11, None, 100) == "(the file has only 10 lines)"


def test_a_long_file_is_cut_in_its_middle_and_binary_is_made_visible() -> None:
    assert "bytes cut here" in shown_lines(TEN * 100, None, None, 200)
    assert shown_lines(b"\x00\x1b", None, None, 200) == "<U+0000><U+001B>"


def test_an_edit_replaces_the_one_place() -> None:
    assert edited("a\nb\nc\n", "b", "x\ny") == "a\nx\ny\nc\n"
    assert edited("abc", "b", "") == "ac"


def test_an_edit_that_fits_several_places_or_none_says_where() -> None:
    with pytest.raises(EditRefused, match=r"stands in 2 places \(lines 1, 3\)"):
        edited("x\ny\nx\n", "x", "z")
    with pytest.raises(EditRefused, match="and 3 more"):
        edited("x\n" * 8, "x", "z")
    with pytest.raises(EditRefused, match="does not stand in the file; read"):
        edited("x\n", "q", "z")
    with pytest.raises(EditRefused, match="with other blanks or indentation it does, at line 2"):
        edited("a\n    if x:\n        y\n", "if x:\n    y", "z")


def test_an_edit_with_plain_line_ends_fits_a_file_with_windows_ones() -> None:
    assert edited("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n") == "x\r\ny\r\nc\r\n"
