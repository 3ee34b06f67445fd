"""What a setup command made: which directories to keep, where its programs are, and what is left out."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from thirdshift.adapters.sandbox import guest
from thirdshift.adapters.sandbox.remove_tree import remove_tree
from thirdshift.core.frozen import Frozen

SETUP_IN_GUEST = "/opt/setup"
_PASSING = frozenset({"__pycache__", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_CACHES_IN_HOME = (".cache", ".npm", ".cargo/registry", "go/pkg/mod/cache")
_MOST_KEPT = 200

Inventory = dict[str, tuple[int, int] | None]
"""Paths relative to the checkout: size and time of change in nanoseconds of a file, None for a directory."""


class Harvest(Frozen):
    """What is kept of a setup run. ``kept`` and ``dropped`` are paths relative to the workspace."""

    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    path_prefix: tuple[str, ...]
    env: dict[str, str]


def inventory(checkout: Path) -> Inventory:
    """List what is there; links are listed, not followed."""
    found: Inventory = {}
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        for entry in os.scandir(checkout / directory):
            path = f"{directory}/{entry.name}".lstrip("/")
            about = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                found[path] = None
                waiting.append(path)
            else:
                found[path] = (about.st_size, about.st_mtime_ns)
    return found


def harvest(checkout: Path, before: Inventory, kept_in: Path, setup: Path) -> Harvest:
    """Move the directories that were not there ``before`` to ``kept_in``, and describe the result."""
    kept: list[str] = []
    dropped: list[str] = []
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        for entry in _entries(checkout / directory):
            path = f"{directory}/{entry.name}".lstrip("/")
            if entry.name in _PASSING:
                continue
            about = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(about.st_mode):
                if before.get(path) != (about.st_size, about.st_mtime_ns):
                    dropped.append(path)
            elif path in before:
                waiting.append(path)
            elif len(kept) < _MOST_KEPT:
                kept.append(path)
            else:
                dropped.append(f"{path}/")
    for path in kept:
        target = kept_in / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # Moving a directory writes to it, since its parent changes.
        (checkout / path).chmod((checkout / path).stat().st_mode | stat.S_IRWXU)
        (checkout / path).rename(target)
    _drop_caches(setup)
    prefix, env = _environment(tuple(sorted(kept)), kept_in, setup)
    return Harvest(kept=tuple(sorted(kept)), dropped=tuple(sorted(dropped)), path_prefix=prefix, env=env)


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    directory.chmod(directory.stat().st_mode | stat.S_IRWXU)
    with os.scandir(directory) as entries:
        return sorted(entries, key=lambda one: one.name)


def _drop_caches(setup: Path) -> None:
    for cache in _CACHES_IN_HOME:
        remove_tree(setup / "home" / cache)


def _environment(kept: tuple[str, ...], kept_in: Path, setup: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the directories of programs, the workspace's before setup's own, and the variables that go with them."""
    prefix: list[str] = []
    env: dict[str, str] = {}
    places = [(kept_in / path, f"{guest.WORKSPACE}/{path}") for path in kept]
    places += [(path, f"{SETUP_IN_GUEST}/{path.name}") for path in sorted(setup.iterdir()) if path.is_dir()]
    for host, seen_as in places:
        if (host / "pyvenv.cfg").is_file():
            prefix.append(f"{seen_as}/bin")
            env.setdefault("VIRTUAL_ENV", seen_as)
        elif host.name == "node_modules" and (host / ".bin").is_dir():
            prefix.append(f"{seen_as}/.bin")
    if any((setup / "bin").iterdir()):
        prefix.append(f"{SETUP_IN_GUEST}/bin")
    local = setup / "home" / ".local"
    if local.is_dir():
        prefix.append(f"{SETUP_IN_GUEST}/home/.local/bin")
        env["PYTHONUSERBASE"] = f"{SETUP_IN_GUEST}/home/.local"
    return tuple(prefix), env
