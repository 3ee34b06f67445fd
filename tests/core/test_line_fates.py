from __future__ import annotations

from collections import Counter

from thirdshift.core.line_fates import Hunk, WorkLines, alike, even, fate, missing, share, work_lines

OURS = WorkLines(Counter({"new a": 1, "new b": 1, "new c": 1, "new d": 1}), Counter({"old a": 1}))
"""Five lines: four put in, one taken out."""
NOTHING: Counter[str] = Counter()


def test_white_space_and_blank_lines_do_not_count() -> None:
    assert even("\t a  b ") == "a b"
    assert work_lines([Hunk((even("  "), "x"), ("y", even(" ")))]).total == 2


def test_lines_that_were_only_moved_are_no_work_unless_they_are_all_of_it() -> None:
    moved = Hunk(("same",), ())
    assert work_lines([moved, Hunk((), ("same", "new"))]) == WorkLines(Counter({"new": 1}), Counter())
    assert work_lines([moved, Hunk((), ("same",))]).total == 2


def test_something_is_never_nothing_and_never_more_than_all() -> None:
    assert (share(1, 10_000), share(0, 5), share(5, 0), share(9, 3)) == (1, 0, 0, 1000)


def test_lines_taken_out_with_nothing_in_their_place_are_undone() -> None:
    lost = Counter({"new a": 1, "new b": 1})
    assert fate(OURS, lost, [Hunk(("new a", "new b"), ())], NOTHING) == (400, 0)


def test_lines_put_back_count_as_undone_too() -> None:
    lost = Counter({"new a": 1})
    assert fate(OURS, lost, [Hunk(("new a",), ("old a",))], NOTHING) == (400, 0)


def test_lines_replaced_by_others_are_edited() -> None:
    lost = Counter({"new a": 1})
    assert fate(OURS, lost, [Hunk(("new a",), ("better a",))], NOTHING) == (0, 200)


def test_lines_that_went_to_another_file_are_neither() -> None:
    lost = Counter({"new a": 1, "new b": 1})
    assert fate(OURS, lost, [Hunk(("new a", "new b"), ())], Counter({"new a": 1, "new b": 1})) == (0, 0)


def test_a_line_of_somebody_else_that_reads_the_same_is_not_ours() -> None:
    assert fate(OURS, NOTHING, [Hunk(("new a",), ("other",))], NOTHING) == (0, 0)


def test_a_few_new_lines_among_many_that_are_taken_out_make_no_edit() -> None:
    many = WorkLines(Counter({f"l{n}": 1 for n in range(20)}), Counter())
    hunk = Hunk(tuple(f"l{n}" for n in range(20)), ("leftover",))
    assert fate(many, Counter(many.added), [hunk], NOTHING) == (1000, 0)


def test_what_is_missing_and_what_is_alike_are_shares_of_the_work() -> None:
    assert missing(OURS, Counter({"new a": 1, "new b": 1, "new c": 1})) == 250
    assert alike(OURS, WorkLines(Counter({"new a": 1, "new b": 5}), Counter({"old a": 1}))) == 600
    assert alike(WorkLines(Counter({"x": 1}), Counter()), OURS) == 0
