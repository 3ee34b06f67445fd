from __future__ import annotations

from tests.core.spec_files import spec_file
from thirdshift.core.plan import Plan
from thirdshift.core.relevant_files import relevant_files
from thirdshift.core.spec import Spec
from thirdshift.core.spec_text import parse_spec


def spec(goal: str, run: str = "pytest -q") -> Spec:
    checks = f"checks: [{{id: unit, run: {run}, covers: [AC-1]}}]\nholdout: [{{id: h, run: pytest held.py}}]"
    return parse_spec(spec_file(checks=checks, body=f"# Goal\n{goal}\n# Acceptance\n- AC-1: x"), "spec.md")


def chosen(
    tree: dict[str, str | None], goal: str, limit: int = 100, plan: Plan | None = None, run: str = "x"
) -> list[str]:
    found = relevant_files(list(tree), spec(goal, run), plan, lambda path: tree[path], limit)
    assert all(tree[path] == content for path, content in found)
    return [path for path, _ in found]


TREE: dict[str, str | None] = {
    "README.md": "r" * 40,
    "src/invoices/rounding.py": "a" * 40,
    "src/invoices/totals.py": "b" * 40,
    "src/invoices/zebra.py": "c" * 40,
    "tests/test_rounding.py": "d" * 40,
    "held.py": "e" * 40,
    "uv.lock": "f" * 10,
    "logo.png": None,
}


def test_a_small_tree_is_shown_whole_but_for_what_no_model_needs() -> None:
    assert chosen(TREE, "Anything.", limit=10_000) == sorted(set(TREE) - {"uv.lock", "logo.png"})


def test_a_file_named_by_its_path_comes_with_the_test_of_the_same_subject() -> None:
    assert chosen(TREE, "Fix src/invoices/rounding.py.", limit=80) == [
        "src/invoices/rounding.py",
        "tests/test_rounding.py",
    ]


def test_a_file_named_by_its_name_or_stem_comes_before_the_rest() -> None:
    assert chosen(TREE, "Look at zebra.py.", limit=40) == ["src/invoices/zebra.py"]
    assert chosen(TREE, "The totals are wrong.", limit=40) == ["src/invoices/totals.py"]


def test_what_the_plan_names_comes_first() -> None:
    plan = Plan(approach="x", files=("README.md",))
    assert chosen(TREE, "Fix src/invoices/rounding.py.", limit=40, plan=plan) == ["README.md"]


def test_what_a_visible_check_runs_is_relevant_and_a_held_out_one_says_nothing() -> None:
    assert chosen(TREE, "Anything.", limit=40, run="pytest tests/test_rounding.py") == ["tests/test_rounding.py"]
    assert chosen({"held.py": "x", "a.py": "y"}, "Anything.", limit=1) == ["a.py"]


def test_files_that_nothing_names_get_a_quarter_of_the_room_unless_nothing_is_named() -> None:
    tree: dict[str, str | None] = {"named.py": "x" * 10, "b.py": "x" * 20, "c.py": "x" * 20}
    assert chosen(tree, "Fix named.py.", limit=100) == ["b.py", "named.py"]
    assert chosen(tree, "Anything.", limit=100) == ["b.py", "c.py", "named.py"]


def test_a_file_that_does_not_fit_is_left_out_whole_and_smaller_ones_still_come() -> None:
    tree: dict[str, str | None] = {"big.py": "x" * 200, "small.py": "y"}
    assert chosen(tree, "Fix big.py.", limit=100) == ["small.py"]


def test_binary_and_unreadable_files_are_passed_over() -> None:
    tree: dict[str, str | None] = {"a.dat": "x\0y", "b.dat": None, "c.dat": "ok"}
    assert chosen(tree, "x") == ["c.dat"]


def test_the_order_of_the_paths_given_makes_no_difference() -> None:
    backwards = dict(reversed(TREE.items()))
    assert chosen(TREE, "totals", limit=120) == chosen(backwards, "totals", limit=120)


def test_no_more_than_two_hundred_files_are_read() -> None:
    read: list[str] = []

    def reading(path: str) -> str | None:
        read.append(path)
        return None

    relevant_files([f"f{number}.py" for number in range(5000)], spec("x"), None, reading)
    assert len(read) == 200


def test_what_showing_a_file_takes_beside_its_content_counts_too() -> None:
    tree = {f"part{number}.py": "x" * 10 for number in range(50)}
    found = relevant_files(list(tree), spec("Anything."), None, lambda path: tree[path], 100, each_bytes=40)
    assert len(found) == 2
