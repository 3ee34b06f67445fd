"""The page on security tells of attacks that are tried, and of all of them."""

from __future__ import annotations

import subprocess
import sys

from tests.attacks.table import BEGIN, END, PAGE, ROOT, in_page, rows

FEWEST = 60


def test_the_page_has_the_table_as_it_is() -> None:
    page = PAGE.read_text()
    assert (page.count(BEGIN), page.count(END)) == (1, 1)
    assert page == in_page(page), "run: python -m tests.attacks.table"


def test_every_test_of_the_table_is_collected() -> None:
    named = {test for _, _, test in rows()}
    files = sorted({f"tests/{test.partition('::')[0]}" for test in named})
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    found = {line.removeprefix("tests/") for line in said.stdout.splitlines() if "::" in line}
    found |= {line.partition("[")[0] for line in found}
    assert sorted(named - found) == [], said.stdout[-2000:]


def test_no_attack_is_told_twice_and_there_are_enough() -> None:
    attacks = [attack for attack, _, _ in rows()]
    assert len(set(attacks)) == len(attacks) >= FEWEST


def test_every_attack_of_this_directory_is_in_the_table() -> None:
    told = {test.partition("::")[0] for _, _, test in rows()}
    here = {f"attacks/{path.name}" for path in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert here - told == {"attacks/test_table.py"}
