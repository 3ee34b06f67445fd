"""How a directory's tests are run, as far as its files give it away."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_BYTES = 200_000
_BY_FILE = (
    ("Cargo.toml", "cargo test"),
    ("go.mod", "go test ./..."),
    ("mix.exs", "mix test"),
    ("gradlew", "./gradlew test"),
    ("pom.xml", "mvn -q test"),
    ("deno.json", "deno test"),
)


_REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt")
_EXTRAS = ("test", "tests", "testing", "dev")


@dataclass(frozen=True)
class Suite:
    """How tests are run. ``setup`` installs what that needs and a bare sandbox lacks; empty where nothing is known."""

    command: str
    setup: str = ""


def find_suite(root: Path) -> Suite | None:
    """How the tests of what is in ``root`` are run; None if nothing shows."""
    if command := _python(root):
        return Suite(command, _python_setup(root, ["pytest"] if "pytest" in command else []))
    if command := _node(root):
        return Suite(command, _node_setup(root))
    for name, command in _BY_FILE:
        if (root / name).is_file():
            return Suite(command)
    makefile = _text(root / "Makefile")
    return Suite("make test") if any(line.startswith("test:") for line in makefile.splitlines()) else None


def _python_setup(root: Path, tools: list[str]) -> str:
    """A virtual environment with the tools, what the repository requires, and itself where it can be installed.

    Its ``bin`` is first on the PATH of every check, so ``python3`` is its Python there.
    """
    project: Any = {}
    with suppress(tomllib.TOMLDecodeError):
        project = tomllib.loads(_text(root / "pyproject.toml"))
    stated = project.get("project", {}) if isinstance(project.get("project"), dict) else {}
    installs = [word for name in _REQUIREMENTS if _text(root / name).strip() for word in ("-r", name)]
    if stated or "build-system" in project or (root / "setup.py").is_file():
        extras = stated.get("optional-dependencies", {})
        extra = next((name for name in _EXTRAS if isinstance(extras, dict) and name in extras), None)
        installs += ["-e", f"'.[{extra}]'" if extra else "."]
    if not tools and not installs:
        return ""
    return f"python3 -m venv .venv && .venv/bin/python -m pip install -q {' '.join([*tools, *installs])}"


def _node_setup(root: Path) -> str:
    package = _package(root)
    if not (package.get("dependencies") or package.get("devDependencies")):
        return ""
    return "npm ci" if (root / "package-lock.json").is_file() else "npm install --no-package-lock"


def _python(root: Path) -> str | None:
    settings = "".join(_text(root / name) for name in ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini"))
    tests = [path for path in (root / "tests", root / "test") if path.is_dir()]
    files = [file for path in tests for file in sorted(path.rglob("test*.py"))[:50]]
    files += sorted(root.glob("test_*.py"))[:50]
    sources = "".join(_text(file) for file in files)
    if "pytest" in settings or (root / "pytest.ini").is_file() or "import pytest" in sources:
        return "python3 -m pytest -q"
    if "unittest" in sources:
        if not tests:
            return "python3 -m unittest"
        # Only a package can be imported from the top; without one the tests stand on their own directory.
        top = " -t ." if (tests[0] / "__init__.py").is_file() else ""
        return f"python3 -m unittest discover -s {tests[0].name}{top}"
    return "python3 -m pytest -q" if files else None


def _node(root: Path) -> str | None:
    scripts = _package(root).get("scripts")
    script = scripts.get("test", "") if isinstance(scripts, dict) else ""
    # npm writes this one itself, and it always fails.
    return "npm test" if isinstance(script, str) and script and "no test specified" not in script else None


def _package(root: Path) -> dict[str, Any]:
    """What package.json says; empty where it is missing or broken."""
    with suppress(ValueError):
        found = json.loads(_text(root / "package.json") or "{}")
        return found if isinstance(found, dict) else {}
    return {}


def _text(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_MAX_BYTES).decode("utf-8", "replace")
    return ""
