"""How a directory's tests are run, as far as its files give it away."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

_MAX_BYTES = 200_000
_BY_FILE = (
    ("Cargo.toml", "cargo test"),
    ("go.mod", "go test ./..."),
    ("mix.exs", "mix test"),
    ("gradlew", "./gradlew test"),
    ("pom.xml", "mvn -q test"),
    ("deno.json", "deno test"),
)


def find_test_command(root: Path) -> str | None:
    """The command that runs the tests of what is in ``root``; None if nothing shows."""
    for find in (_python, _node):
        if command := find(root):
            return command
    for name, command in _BY_FILE:
        if (root / name).is_file():
            return command
    makefile = _text(root / "Makefile")
    return "make test" if any(line.startswith("test:") for line in makefile.splitlines()) else None


def _python(root: Path) -> str | None:
    settings = "".join(_text(root / name) for name in ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini"))
    tests = [path for path in (root / "tests", root / "test") if path.is_dir()]
    files = [file for path in tests for file in sorted(path.rglob("test*.py"))[:50]]
    files += sorted(root.glob("test_*.py"))[:50]
    sources = "".join(_text(file) for file in files)
    if "pytest" in settings or (root / "pytest.ini").is_file() or "import pytest" in sources:
        return "python3 -m pytest -q"
    if "unittest" in sources:
        return f"python3 -m unittest discover -s {tests[0].name} -t ." if tests else "python3 -m unittest"
    return "python3 -m pytest -q" if files else None


def _node(root: Path) -> str | None:
    with suppress(ValueError, AttributeError):
        script = json.loads(_text(root / "package.json") or "{}").get("scripts", {}).get("test", "")
        # npm writes this one itself, and it always fails.
        if isinstance(script, str) and script and "no test specified" not in script:
            return "npm test"
    return None


def _text(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_MAX_BYTES).decode("utf-8", "replace")
    return ""
