from __future__ import annotations

import pytest

from thirdshift.core.telltales import equal_to_everything, telltales


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class A:\n    def __eq__(self, o):\n        return True\n", ("class A",)),
        ("class A(int):\n    __eq__ = lambda s, o: True\n", ("class A",)),
        ("class A:\n    def __eq__(self, o):\n        return isinstance(o, int)\n", ("class A",)),
        ("def f():\n    return type('A', (int,), {'__eq__': lambda s, o: True})(5)\n", ("an object",)),
        ("class A: pass\nA.__eq__ = lambda s, o: True\n", ("an object",)),
        ("class A:\n    def __eq__(self, o):\n        return self.x == o.x\n", ()),
        ("class A:\n    def __eq__(self, o):\n        return isinstance(o, A) and self.x == o.x\n", ()),
        ("class A:\n    def __eq__(self, o):\n        return NotImplemented\n", ()),
        ("class A:\n    def __eq__(self, o):\n        raise TypeError\n", ()),
        ("x = '__eq__' +", ()),
    ],
)
def test_an_equality_that_never_decides_is_found(source: str, found: tuple[str, ...]) -> None:
    assert equal_to_everything(source) == found


@pytest.mark.parametrize(
    "line",
    [
        'os.environ["HOLDOUT"]',
        "os.environ.get('HOLDOUT')",
        "os.getenv('HOLDOUT')",
        "process.env.HOLDOUT",
        'open("/holdout/x")',
        '"PYTEST_CURRENT_TEST" in os.environ',
    ],
)
def test_code_that_looks_for_its_judges_is_found_where_base_did_not(line: str) -> None:
    assert telltales("src/a.py", b"", line.encode())
    assert not telltales("src/a.py", line.encode(), b"x = 1\n" + line.encode())
    assert not telltales("tests/test_a.py", b"", line.encode())


@pytest.mark.parametrize(
    "line", ["holdout = split(rows)", "env = {'HOLDING': 1}", "# a hold-out set", "HOLDOUT_SIZE = 3"]
)
def test_ordinary_words_are_not_taken_for_it(line: str) -> None:
    assert telltales("src/a.py", None, line.encode()) == ()


def test_source_that_cannot_be_parsed_is_let_go() -> None:
    assert telltales("a.py", None, b"__eq__" + b"(" * 100_000) == ()
    assert telltales("a.py", None, b"__eq__ = " + b"-" * 100_000 + b"1") == ()
