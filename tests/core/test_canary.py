from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from thirdshift.core.canary import with_canary

PASSING = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
MAIN = PASSING + '\n\nif __name__ == "__main__":\n    unittest.main()\n'
BROKEN = "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\n" + PASSING


def run(place: Path, source: str, *command: str) -> subprocess.CompletedProcess[str]:
    (place / "test_x.py").write_text(with_canary(source, "t0a1"))
    return subprocess.run(
        [sys.executable, *command], cwd=place, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin"}
    )


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (PASSING, ("-m", "unittest", "test_x")),
        (MAIN, ("test_x.py",)),
        (PASSING, ("-m", "pytest", "-q", "-p", "no:randomly", "test_x.py")),
        ('"""Doc."""\nfrom __future__ import annotations\n' + PASSING, ("-m", "unittest", "discover")),
    ],
    ids=["unittest", "script", "pytest", "future"],
)
def test_it_makes_an_honest_run_fail(tmp_path: Path, source: str, command: tuple[str, ...]) -> None:
    done = run(tmp_path, source, *command)
    assert done.returncode == 1
    assert "t0a1" in done.stdout + done.stderr


def test_it_passes_where_an_assertion_was_disabled(tmp_path: Path) -> None:
    assert run(tmp_path, BROKEN, "-m", "unittest", "test_x").returncode == 0
