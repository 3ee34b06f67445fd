"""``[intake]`` and ``[[intake.rules]]``: how long events are gathered, and what becomes of which."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, field_validator, model_validator

from thirdshift.core.frozen import Frozen
from thirdshift.core.triage import OWN_NAMES, Rule, TriageTerms, Work, patterns_of
from thirdshift.settings.amounts import Money

_DURATION: Final = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+|[\w.-]+@[\w.-]+:\S+")


def _seconds(value: object) -> float:
    """Seconds of a text like ``30s``, ``5m`` or ``1h30m``."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = zip(match.groups(), (3600, 60, 1), strict=True) if match else ()
    total = sum(int(part or 0) * unit for part, unit in parts)
    if not total:
        raise ValueError(f'{value!r} is not a time; write it with its unit, like "30s", "5m" or "1h"')
    return float(total)


def _patterns(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError('names and patterns are written as {kind = "push", branch = "main"}')  # noqa: TRY004 - pydantic reports ValueError
    for name in value:
        close = get_close_matches(name, OWN_NAMES, n=1, cutoff=0.75)
        if close and name not in OWN_NAMES:
            raise ValueError(f"unknown name `{name}`; did you mean `{close[0]}`?")
    return {name: patterns_of(one) for name, one in value.items()}


Seconds = Annotated[float, BeforeValidator(_seconds)]
Patterns = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_patterns)]


class RuleSection(Frozen):
    """One ``[[intake.rules]]``. The first one that matches an event decides on it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    match: Patterns = Field(default_factory=dict)
    """Absent: every event."""
    unless: Patterns = Field(default_factory=dict)
    then: Annotated[str, Field(pattern=r"^(job|shift:[a-z0-9][a-z0-9-]{0,39}|ignore|outcomes)$")]
    spec: str = ""
    repo: str = ""
    priority: Annotated[int, Field(ge=-100, le=100)] | None = None
    budget_nano: Money | None = Field(default=None, alias="budget_usd")
    cap_per_day: Annotated[int, Field(ge=1)] | None = None

    @field_validator("then", mode="before")
    @classmethod
    def _known_work(cls, value: Any) -> Any:
        word = value.partition(":")[0] if isinstance(value, str) else ""
        if word not in set(Work) or (word == Work.SHIFT) != (isinstance(value, str) and ":" in value):
            raise ValueError(f'{value!r} is nothing to do; write "job", "shift:NAME", "ignore" or "outcomes"')
        return value

    @model_validator(mode="after")
    def _fits_its_work(self) -> RuleSection:
        work = self.work
        if work in (Work.JOB, Work.SHIFT):
            if not self.spec:
                raise ValueError(f'`then = "{self.then}"` needs a template: spec = "templates/NAME.md"')
            return self
        written = {"spec", "repo", "priority", "budget_nano", "cap_per_day"} & self.model_fields_set
        if written:
            name = sorted(written)[0].replace("_nano", "_usd")
            raise ValueError(f'`{name}` means nothing with `then = "{self.then}"`, which works on no spec; take it out')
        return self

    @property
    def work(self) -> Work:
        """What ``then`` asks for."""
        return Work(self.then.partition(":")[0])


class IntakeSection(Frozen):
    """``[intake]``: what is done with the events that ``thirdshift listen`` takes."""

    debounce_seconds: Seconds = Field(default=30.0, alias="debounce")
    """So long after the last event of a fingerprint it is decided on."""
    longest_debounce_seconds: Seconds = Field(default=300.0, alias="longest_debounce")
    """So long after the first one at the latest."""
    storm_events_per_minute: Annotated[int, Field(ge=1)] = 60
    rules: tuple[RuleSection, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> IntakeSection:
        if self.longest_debounce_seconds < self.debounce_seconds:
            raise ValueError("longest_debounce is shorter than debounce; make it as long at least")
        twice = _first_twice(rule.name for rule in self.rules)
        if twice:
            raise ValueError(f"two rules are called `{twice}`; rename one")
        return self


class Intake(Frozen):
    """``[intake]`` with every path absolute."""

    debounce_seconds: float = 30.0
    longest_debounce_seconds: float = 300.0
    terms: TriageTerms = TriageTerms()


def intake_from(section: IntakeSection, root: Path) -> Intake:
    """``[intake]``; relative paths count from ``root``. Whether templates are there is looked at by who uses them."""
    return Intake(
        debounce_seconds=section.debounce_seconds,
        longest_debounce_seconds=section.longest_debounce_seconds,
        terms=TriageTerms(
            rules=tuple(_rule(rule, root) for rule in section.rules),
            storm_events_per_minute=section.storm_events_per_minute,
        ),
    )


def _rule(section: RuleSection, root: Path) -> Rule:
    repo = section.repo
    return Rule(
        name=section.name,
        match=section.match,
        unless=section.unless,
        work=section.work,
        shift=section.then.partition(":")[2],
        template=_absolute(root, section.spec) if section.spec else "",
        repo=_absolute(root, repo) if repo and not _URL.fullmatch(repo) else repo,
        priority=section.priority,
        budget_nano=section.budget_nano,
        cap_per_day=section.cap_per_day,
    )


def _absolute(root: Path, path: str) -> str:
    return str((root / Path(path).expanduser()).absolute())


def _first_twice(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
