"""Which files of a repository judge the work, so that the work may not touch them.

Three kinds. Test files that were there at base, unless ``scope.write`` covers them: then changing them is the work,
and what they hold is counted test by test instead (``core.suites``). Configuration of checks, and of what runs by
itself in CI or at the start of an interpreter: protected unless ``scope.write`` names the very file, since a pattern
such as ``**`` does not say that anybody thought of it. Recipes (Makefile and the like): protected where a check's
command uses them. Files that hold more than configuration (pyproject.toml) are compared section by section in
``core.check_config``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from thirdshift.core import globs

_TEST_DIRECTORIES = frozenset({"test", "tests", "__tests__", "__snapshots__", "spec", "testdata"})
_TEST_NAME = re.compile(
    r"test_.*\.\w+|.*_test\.\w+|tests?\.py|.*\.(?:test|spec)\.[cm]?[jt]sx?|.*(?:Test|Tests|TestCase|IT)\.(?:java|kt|cs|php)"
    r"|.*(?:Spec|Suite)\.(?:scala|kt|groovy)|.*_spec\.rb|.*_tests?\.(?:rs|exs)|.*\.bats|.*\.feature"
)
_CONFIG_NAMES = frozenset(
    {
        "pytest.ini",
        ".pytest.ini",
        "pytest.toml",
        ".pytest.toml",
        "tox.ini",
        "tox.toml",
        "conftest.py",
        ".coveragerc",
        "noxfile.py",
        "unittest.cfg",
        "nose2.cfg",
        "sitecustomize.py",
        "usercustomize.py",
        "pyvenv.cfg",
        "ruff.toml",
        ".ruff.toml",
        "mypy.ini",
        ".mypy.ini",
        "pyrightconfig.json",
        ".flake8",
        ".pylintrc",
        "pylintrc",
        ".rspec",
        ".pre-commit-config.yaml",
        ".travis.yml",
        ".gitlab-ci.yml",
        ".drone.yml",
        "appveyor.yml",
        ".appveyor.yml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        "Jenkinsfile",
    }
)
_CONFIG_PATTERN = re.compile(
    r".*\.pth"
    r"|(?:jest|vitest|vite|karma|ava|mocha|playwright|cypress|wdio|eslint|stylelint)"
    r"\.(?:config|conf|setup|workspace)\.[a-z]{2,4}"
    r"|jest-preset\.\w+|\.mocharc\.?\w*|\.nycrc\.?\w*|\.c8rc\.?\w*|\.eslintrc\.?\w*|phpunit\.xml(?:\.dist)?"
    r"|phpstan\.neon(?:\.dist)?|\.golangci\.\w+|nextest\.toml"
)
_CI_DIRECTORIES = (".github/workflows", ".github/actions", ".circleci", ".buildkite", ".gitlab/ci", ".woodpecker")
_RECIPES = (
    (frozenset({"make", "gmake"}), re.compile(r"(?:GNU)?[Mm]akefile|.*\.mk")),
    (frozenset({"just"}), re.compile(r"\.?[Jj]ustfile")),
    (frozenset({"task", "go-task"}), re.compile(r"[Tt]askfile(?:\.dist)?\.ya?ml")),
    (frozenset({"rake"}), re.compile(r"[Rr]akefile(?:\.rb)?")),
    (frozenset({"invoke", "inv"}), re.compile(r"tasks\.py|invoke\.ya?ml")),
)
_WORD = re.compile(r"[\w./+-]+")
_JUDGES = re.compile(r"(?i)(?:^|[^a-z])(?:tests?|checks?|lint|verify|ci)(?:[^a-z]|$)")


class Protection(StrEnum):
    """Why a path is protected; the text completes "it is ..."."""

    TEST = "a test file"
    CONFIGURATION = "configuration of checks"
    CI = "a file that CI runs"
    RECIPE = "a recipe that a check runs"


def is_test_file(path: str) -> bool:
    """Whether a path is a test, or stands among tests: by its directory or its name, in any usual language."""
    *directories, name = path.split("/")
    return bool(_TEST_DIRECTORIES.intersection(directories)) or _TEST_NAME.fullmatch(name) is not None


def configures_checks(path: str) -> bool:
    """Whether a file's name alone says that it configures checks, or runs as soon as an interpreter starts."""
    name = path.rpartition("/")[2]
    return name in _CONFIG_NAMES or _CONFIG_PATTERN.fullmatch(name) is not None


def runs_in_ci(path: str) -> bool:
    """Whether it is below a directory that a CI service reads."""
    return path.startswith(tuple(f"{directory}/" for directory in _CI_DIRECTORIES))


def protection(path: str, commands: Sequence[str]) -> Protection | None:
    """Why a path is protected whatever the scope's patterns are; ``commands`` are those of the checks.

    ``Protection.TEST`` counts only outside the scope: see ``in_scope_by_name`` and ``core.scope``.
    """
    if runs_in_ci(path):
        return Protection.CI
    if configures_checks(path):
        return Protection.CONFIGURATION
    if _is_recipe(path, commands):
        return Protection.RECIPE
    return Protection.TEST if is_test_file(path) else None


def in_scope_by_name(path: str, write: Iterable[str]) -> bool:
    """Whether ``scope.write`` names this very file, without wildcards: then somebody meant it."""
    return any(pattern.removeprefix("./") == path and not globs.has_wildcard(pattern) for pattern in write)


def words_of(commands: Iterable[str]) -> frozenset[str]:
    """The words of shell commands, as far as a glance can tell; a leading ``./`` is taken off."""
    return frozenset(word.removeprefix("./") for command in commands for word in _WORD.findall(command))


def _is_recipe(path: str, commands: Sequence[str]) -> bool:
    words = words_of(commands)
    name = path.rpartition("/")[2]
    if any(tools & words and pattern.fullmatch(name) for tools, pattern in _RECIPES):
        return True
    # A script that a check names and whose own name says that it judges: `sh scripts/check.sh`.
    return path in words and (name.endswith((".sh", ".bats")) or _JUDGES.search(name.replace("_", "-")) is not None)
