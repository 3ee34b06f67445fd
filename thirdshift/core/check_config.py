"""Files that configure checks among other things: only the sections that checks read are compared.

A dependency added to pyproject.toml is work; a changed ``[tool.pytest.ini_options]`` is not.
"""

from __future__ import annotations

import configparser
import json
import tomllib
from collections.abc import Mapping
from typing import Any

_TOOLS = frozenset(
    {
        "bandit",
        "basedpyright",
        "coverage",
        "flake8",
        "hatch.envs",
        "invoke",
        "mypy",
        "nox",
        "pdm.scripts",
        "poe",
        "pylint",
        "pyright",
        "pytest",
        "ruff",
        "taskipy",
        "tox",
        "ty",
        "uv.sources",
    }
)
_CFG_SECTIONS = ("tool:pytest", "pytest", "coverage", "flake8", "mypy", "pylint", "pycodestyle", "isort", "aliases")
_JSON_KEYS = (
    *("jest", "mocha", "ava", "nyc", "c8", "tap", "vitest", "eslintConfig", "eslintIgnore", "xo", "standard"),
    *("workspaces", "babel"),
)
_PLUGIN_GROUPS = ("pytest11",)
UNREADABLE = "nothing in it can be read any more"


def holds_sections(path: str) -> bool:
    """Whether the file is one whose sections are compared."""
    return path.rpartition("/")[2] in ("pyproject.toml", "setup.cfg", "package.json")


def changed_sections(path: str, before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    """Names of the sections which checks read and which differ; None stands for a file that is not there.

    A file that could be read before and no longer can gives ``UNREADABLE``.
    """
    name = path.rpartition("/")[2]
    read = {"pyproject.toml": _toml, "setup.cfg": _cfg, "package.json": _json}[name]
    old = read(before) if before is not None else {}
    new = read(after) if after is not None else {}
    if new is None:
        return (UNREADABLE,)
    if old is None:
        old = {}
    differing = {section for section in {*old, *new} if old.get(section) != new.get(section)}
    if name == "package.json":
        differing -= _harmless_scripts(old, new)
    return tuple(sorted(differing))


def _toml(content: bytes) -> dict[str, Any] | None:
    try:
        whole = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return None
    found: dict[str, Any] = {}
    tools = whole.get("tool", {})
    for name in _TOOLS:
        value: Any = tools
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            found[f"tool.{name}"] = value
    entry_points = whole.get("project", {})
    entry_points = entry_points.get("entry-points", {}) if isinstance(entry_points, dict) else {}
    for group in _PLUGIN_GROUPS:
        if isinstance(entry_points, dict) and group in entry_points:
            found[f"project.entry-points.{group}"] = entry_points[group]
    return found


def _cfg(content: bytes) -> dict[str, Any] | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(content.decode())
    except (UnicodeDecodeError, configparser.Error):
        return None
    return {
        section: dict(parser.items(section))
        for section in parser.sections()
        if section.split("-")[0] in _CFG_SECTIONS
        or section.startswith(tuple(f"{name}:" for name in _CFG_SECTIONS))
        or (section == "options.entry_points" and any(group in parser[section] for group in _PLUGIN_GROUPS))
    }


def _json(content: bytes) -> dict[str, Any] | None:
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict):
        return None
    found = {key: whole[key] for key in _JSON_KEYS if key in whole}
    scripts = whole.get("scripts")
    if isinstance(scripts, dict):
        found |= {f"scripts.{name}": value for name, value in scripts.items()}
    return found


def _harmless_scripts(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """New scripts, except ``pre...`` and ``post...`` ones: those run by themselves around an old one."""
    added = {key for key in new if key.startswith("scripts.") and key not in old}
    return {key for key in added if not key.removeprefix("scripts.").startswith(("pre", "post"))}
