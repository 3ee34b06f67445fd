"""A candidate's tree beside base: what was done to protected files, and what has to be put right before checks run.

A finding is one sentence that names the path and what to do. The candidate is refused for any of them; its checks run
all the same, on a checkout in which protected files are as base had them, so that the evidence is honest.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thirdshift.core.check_config import UNREADABLE, changed_sections, holds_sections
from thirdshift.core.protected import Protection, in_scope_by_name, protection, words_of
from thirdshift.core.scope import outside
from thirdshift.core.shadowing import Surroundings, dependency_modules, shadowed
from thirdshift.core.telltales import can_tell, telltales
from thirdshift.core.text import one_line
from thirdshift.core.words import listed

Read = Callable[[str], bytes | None]
_SHOWN_PATH = 200
_MOST_FINDINGS = 200
_REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements/base.txt", "requirements.in")


@dataclass(frozen=True)
class Change:
    """Two trees as far as they are compared. Paths are those of files and links."""

    base_paths: frozenset[str]
    paths: frozenset[str]
    changed: tuple[str, ...]
    """Added, deleted or differing, in order."""
    read_base: Read
    read: Read


@dataclass(frozen=True)
class Guarding:
    """What the spec says that matters here."""

    write: tuple[str, ...]
    commands: tuple[str, ...]
    """Of all checks."""


@dataclass
class Findings:
    """What was found; ``restore`` and ``remove`` are paths of the checkout to put right."""

    tampering: list[str] = field(default_factory=list)
    restore: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Keep a finding; of very many, the number is enough."""
        if len(self.tampering) < _MOST_FINDINGS:
            self.tampering.append(sentence)


def examine(change: Change, guarding: Guarding) -> Findings:
    """Everything that a comparison of the two trees can find."""
    found = Findings()
    out_of_scope = frozenset(outside(change.changed, guarding.write))
    around: Surroundings | None = None
    for path in change.changed:
        if in_scope_by_name(path, guarding.write):
            continue
        if path in change.base_paths:
            _examine_old(path, change, guarding, found, in_scope=path not in out_of_scope)
        else:
            around = around or _surroundings(change, guarding.commands)
            _examine_new(path, change, guarding, around, found)
        _examine_code(path, change, found)
    return found


def _examine_code(path: str, change: Change, found: Findings) -> None:
    if not can_tell(path) or path not in change.paths or path in found.restore or path in found.remove:
        return
    after = change.read(path)
    if after is not None:
        before = change.read_base(path) if path in change.base_paths else None
        for sign in telltales(path, before, after):
            found.add(f"{_shown(path)} {one_line(sign, 120)}; write code that does its work whoever is looking.")


def _examine_old(path: str, change: Change, guarding: Guarding, found: Findings, *, in_scope: bool) -> None:
    kind = protection(path, guarding.commands)
    deed = "changed" if path in change.paths else "deleted"
    if holds_sections(path):
        # A file that is among tests is a test's data; its sections matter wherever it is.
        sections = changed_sections(path, change.read_base(path), change.read(path))
        if sections:
            what = (
                UNREADABLE
                if UNREADABLE in sections
                else f"{listed([one_line(name) for name in sections])} differ from base"
            )
            found.add(f"{_shown(path)} configures checks, and {what}; {_remedy('put them back')}.")
            found.restore.append(path)
            return
    if kind is None or (kind is Protection.TEST and in_scope):
        return
    back = "put it back as it was" if kind is Protection.TEST else _remedy("put it back as it was")
    found.add(f"{_shown(path)} was {deed}; it was there at base, and it is {kind}: {back}.")
    found.restore.append(path)


def _examine_new(path: str, change: Change, guarding: Guarding, around: Surroundings, found: Findings) -> None:
    why = shadowed(path, around)
    kind = protection(path, guarding.commands)
    if why is None and holds_sections(path):
        sections = changed_sections(path, None, change.read(path))
        why = (
            f"it brings {listed([one_line(name) for name in sections])} for the checks"
            if sections and UNREADABLE not in sections
            else None
        )
    if why is None and kind is not None and kind is not Protection.TEST:
        why = f"it is {kind}"
    if why is None:
        return
    found.add(f"{_shown(path)} is new, and {why}; {_remedy('remove it')}.")
    found.remove.append(path)


def _remedy(deed: str) -> str:
    return f"{deed} (scope.write would have to name this file, without wildcards)"


def _shown(path: str) -> str:
    return one_line(path, _SHOWN_PATH)


def _surroundings(change: Change, commands: Sequence[str]) -> Surroundings:
    return Surroundings(
        paths=change.paths,
        base_paths=change.base_paths,
        words=words_of(commands),
        dependencies=_dependencies(change),
    )


def _dependencies(change: Change) -> frozenset[str]:
    """Module names of what base says it depends on, from the files that usually say so."""
    lines: list[str] = []
    for name in _REQUIREMENTS:
        if name in change.base_paths:
            lines += (change.read_base(name) or b"").decode(errors="replace").splitlines()
    if "pyproject.toml" in change.base_paths:
        lines += _declared((change.read_base("pyproject.toml") or b"").decode(errors="replace"))
    own = {path.split("/")[0] for path in change.base_paths}
    return dependency_modules(lines) - {name.lower() for name in own}


def _declared(pyproject: str) -> list[str]:
    try:
        project = tomllib.loads(pyproject).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    if not isinstance(project, dict):
        return []
    extras = project.get("optional-dependencies", {})
    groups = [project.get("dependencies", []), *(extras.values() if isinstance(extras, dict) else ())]
    return [line for group in groups if isinstance(group, list) for line in group if isinstance(line, str)]
