"""What is shipped: the wheel, the locks, the build."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = re.compile(r"[A-Za-z0-9._-]+")
LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)


def plain(requirement: str) -> str:
    """The normalised name of a requirement."""
    found = NAME.match(requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def locked(file: str) -> dict[str, str]:
    return dict(LOCKED.findall((ROOT / file).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel built from this checkout, with nothing but what is installed."""
    target = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(ROOT)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (built,) = target.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module_of_the_product(wheel: set[str]) -> None:
    for package in ("thirdshift", "workflows", "activities"):
        modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*.py")}
        assert {name for name in modules if "__pycache__" not in name} <= wheel


def test_the_wheel_holds_the_demonstration_and_the_migrations(wheel: set[str]) -> None:
    data = [path for path in (ROOT / "thirdshift").rglob("*") if path.is_file() and path.suffix not in {".pyc", ".py"}]
    names = {path.relative_to(ROOT).as_posix() for path in data}
    assert "thirdshift/samples/demo/script.yaml" in names
    assert names <= wheel
    assert any(re.fullmatch(r"thirdshift/adapters/ledger/migrations/versions/\w+\.py", name) for name in wheel)


def test_the_wheel_holds_no_tests_and_no_leftovers(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"thirdshift", "workflows", "activities"}
    assert not [name for name in wheel if "__pycache__" in name or name.endswith(".pyc")]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_host_no_index_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)|^/|\s@\s", text, re.MULTILINE)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_everything_in_a_lock_is_held_to_its_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert len(entries) > 20
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_hold_everything_that_the_project_asks_for() -> None:
    asked = {plain(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert asked <= locked("requirements.lock").keys()
    development = {plain(requirement) for requirement in PROJECT["project"]["optional-dependencies"]["dev"]}
    assert development <= locked("requirements-dev.lock").keys()


def test_the_development_lock_serves_the_runtime_too() -> None:
    runtime, development = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def test_what_builds_the_project_is_locked_too() -> None:
    lines = (ROOT / "requirements-build.in").read_text(encoding="utf-8").splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    assert set(PROJECT["build-system"]["requires"]) <= listed
    assert {plain(line) for line in listed} <= locked("requirements.lock").keys()


def test_the_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert f"thirdshift-worker:{PROJECT['project']['version']}" in compose
    assert "## [Unreleased]" in changelog
