from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.workbench import Workbench, workbench

BROKEN = "def add(a, b):\n    return a - b\n"
TEST = """import unittest

from calc import add


class AddTest(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(add(2, 3), 5)
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with workbench(tmp_path) as made:
        made.make_repository({"calc.py": BROKEN, "test_calc.py": TEST})
        made.write_spec()
        yield made
