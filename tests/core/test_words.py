from __future__ import annotations

from thirdshift.core.words import clipped, counted, listed


def test_a_list_spells_out_five_names_and_counts_the_rest() -> None:
    assert listed(()) == "no check"
    assert listed(("lint", "unit")) == "lint, unit"
    assert listed(tuple("abcdefgh")) == "a, b, c, d, e and 3 more"


def test_one_is_singular_and_all_else_plural() -> None:
    assert [counted(n, "attempt") for n in (0, 1, 2)] == ["0 attempts", "1 attempt", "2 attempts"]


def test_a_clipped_text_is_one_line_and_shows_its_cut() -> None:
    assert clipped("a\nb  c", 10) == "a b c"
    assert clipped("abcdefgh", 6) == "abc..."
