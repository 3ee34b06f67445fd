"""New files that would stand in for what the checks run: a test runner, the standard library, a dependency, a program.

Python looks in the directory that it starts from before it looks anywhere else, so a file named ``pytest.py`` there
is what ``python3 -m pytest`` runs. A name counts only where it would be a top-level module: not inside a package.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from thirdshift.core.protected import is_test_file

_RUNNERS = frozenset(
    {
        *("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup", "tomli", "xdist"),
        *("pytest_asyncio", "pytest_cov", "pytest_mock", "pytest_timeout", "anyio", "execnet", "hypothesis", "nose"),
        *("nose2", "coverage", "tox", "nox", "mypy", "mypyc", "ruff", "flake8", "pyflakes", "pycodestyle", "pylint"),
        *("isort", "bandit", "pyright", "behave", "setuptools", "pkg_resources", "sitecustomize", "usercustomize"),
    }
)
_NO_SHADOWS = frozenset({"test", "this", "antigravity", "idlelib", "turtledemo", "lib2to3"})
"""In the standard library, and nothing that a check imports from there."""
_PROGRAMS = frozenset(
    {
        *("python", "python2", "python3", "pytest", "py.test", "pypy", "pypy3", "uv", "uvx", "poetry", "pdm", "hatch"),
        *("tox", "nox", "coverage", "ruff", "mypy", "flake8", "pylint", "black", "pip", "pip3", "node", "npm", "npx"),
        *("pnpm", "yarn", "bun", "deno", "jest", "vitest", "mocha", "eslint", "tsc", "make", "gmake", "cmake", "ctest"),
        *(
            "ninja",
            "just",
            "task",
            "go",
            "gotestsum",
            "cargo",
            "rustc",
            "java",
            "mvn",
            "gradle",
            "ruby",
            "rspec",
            "rake",
        ),
        *("bundle", "perl", "prove", "php", "phpunit", "dotnet", "git", "sh", "bash", "env", "grep", "test", "true"),
        *("cat", "diff", "sed", "awk", "timeout"),
    }
)
_MODULE = re.compile(r"([A-Za-z_]\w*)(?:\.[\w-]+)?\.(?:py|pyc|pyo|so|pyd)")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_IMPORT_ROOTS = ("", "src", "lib", "python")


@dataclass(frozen=True)
class Surroundings:
    """What a new file is seen against."""

    paths: frozenset[str]
    """All paths of the candidate."""
    base_paths: frozenset[str]
    words: frozenset[str]
    """Of the checks' commands: a directory that one names may be where Python starts."""
    dependencies: frozenset[str]
    """Names of the project's dependencies as modules, lower case."""


def shadowed(path: str, around: Surroundings) -> str | None:
    """What a new file stands in for, as the end of a sentence; None for an ordinary one."""
    directory, _, name = path.rpartition("/")
    if name.endswith((".pyc", ".pyo")) or "__pycache__" in path.split("/"):
        return "compiled code stands in for its source"
    if name == "entry_points.txt" and directory.endswith((".dist-info", ".egg-info")):
        return "Python tools load it as a plugin's registration"
    if name in _PROGRAMS and not is_test_file(path):
        return f"it has the name of the program {name}"
    module, home = _module(path)
    known = _known_as(module, around)
    if not known or _was_there(home, module, around.base_paths) or not _is_import_root(home, around):
        return None
    return f"it stands in for {known} {module}"


def dependency_modules(requirements: Iterable[str]) -> frozenset[str]:
    """Module names that distributions are usually imported by: ``Foo-Bar[x]>=1`` gives ``foo_bar``."""
    found = (_REQUIREMENT.match(line.strip()) for line in requirements)
    return frozenset(re.sub(r"[.-]", "_", match[0]).lower() for match in found if match)


def _module(path: str) -> tuple[str, str]:
    """The top-level module that the file may be, and the directory that it would be imported from."""
    directory, _, name = path.rpartition("/")
    if name.startswith("__init__."):
        home, _, module = directory.rpartition("/")
        return module, home
    found = _MODULE.fullmatch(name)
    return (found[1], directory) if found else ("", "")


def _known_as(module: str, around: Surroundings) -> str:
    if module in _RUNNERS:
        return "the module"
    if module in sys.stdlib_module_names and module not in _NO_SHADOWS:
        return "the standard library's"
    return "the dependency" if module.lower() in around.dependencies else ""


def _is_import_root(directory: str, around: Surroundings) -> bool:
    if _is_package(directory, around.paths):
        return False
    if directory in _IMPORT_ROOTS or directory in around.words or f"{directory}/" in around.words:
        return True
    return any(path.rpartition("/")[0] == directory and is_test_file(path) for path in around.base_paths)


def _is_package(directory: str, paths: Collection[str]) -> bool:
    return bool(directory) and f"{directory}/__init__.py" in paths


def _was_there(home: str, module: str, base_paths: Collection[str]) -> bool:
    start = f"{home}/{module}" if home else module
    return f"{start}.py" in base_paths or f"{start}/__init__.py" in base_paths
