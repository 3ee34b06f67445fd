"""What becomes of an event: rules in order, the first match wins, and the reasons for which nothing is begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from thirdshift.core.event_book import Decided, Event
from thirdshift.core.frozen import Frozen
from thirdshift.core.globs import parse_segment
from thirdshift.core.text import one_line

OWN_NAMES = ("source", "kind", "repository", "title")
"""What a rule may match of any event; every other name is that of a fact."""


class Work(StrEnum):
    """What a rule has done with its events."""

    JOB = "job"
    """A job, now."""
    SHIFT = "shift"
    """A spec on the list of a shift."""
    IGNORE = "ignore"
    """Nothing."""
    OUTCOMES = "outcomes"
    """A look at what became of delivered work."""


class Rule(Frozen):
    """One rule. Its patterns are globs, blind to case, in which ``*`` stands for anything."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    match: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Name to patterns, of which one has to fit; all names have to. An event that lacks a fact does not match."""
    unless: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The rule is passed over where any of these fits."""
    work: Work
    shift: str = ""
    template: str = ""
    """Absolute path of the spec with a place for the event; empty where nothing is worked on."""
    repo: str = ""
    """The repository, absolute path or URL, for a template that names none."""
    priority: int | None = None
    """Of its specs, whatever the template says."""
    budget_nano: int | None = None
    """The most that one of its jobs may cost."""
    cap_per_day: int | None = None
    """So many of its events a day are worked on."""


class TriageTerms(Frozen):
    """The rules, and when it is a storm."""

    rules: tuple[Rule, ...] = ()
    storm_events_per_minute: Annotated[int, Field(ge=1)] = 60
    """Of different fingerprints, in one repository."""


class Circumstances(Frozen):
    """What the books say about an event that a rule wants."""

    at_work: str = ""
    """What is under way for its fingerprint, in words; empty if nothing is."""
    fingerprints: int = 0
    """How many different ones came for its repository in the minute up to it."""
    today: int = 0
    """How many events of the rule have been worked on since midnight."""


class Verdict(Frozen):
    """Why an event is not worked on."""

    what: Decided
    why: str


def first_match(rules: Sequence[Rule], event: Event) -> Rule | None:
    """The first rule that wants to have a say; None where none does."""
    return next((rule for rule in rules if fits(rule, event)), None)


def standing_of(rules: Sequence[Rule], event: Event) -> int:
    """The place, from 0, of the rule that wants the event among those that want any; their number where none does."""
    wanting = [rule for rule in rules if rule.work is not Work.IGNORE]
    rule = first_match(rules, event)
    return wanting.index(rule) if rule in wanting else len(wanting)


def fits(rule: Rule, event: Event) -> bool:
    """Whether the rule is for such an event."""
    if not all(_is_one_of(patterns, name, event) for name, patterns in rule.match.items()):
        return False
    return not any(_is_one_of(patterns, name, event) for name, patterns in rule.unless.items())


def _is_one_of(patterns: Sequence[str], name: str, event: Event) -> bool:
    told = getattr(event, name) if name in OWN_NAMES else event.facts.get(name)
    return told is not None and any(parse_segment(pattern.casefold()).matches(told.casefold()) for pattern in patterns)


def unwanted(rule: Rule | None, event: Event) -> Verdict | None:
    """Why no rule wants the event; None where one does."""
    if rule is None:
        shown = one_line(f"{event.source} {event.kind}", 80)
        return Verdict(what=Decided.UNMATCHED, why=f"No rule is for such an event ({shown}).")
    if rule.work is Work.IGNORE:
        return Verdict(what=Decided.UNMATCHED, why=f"Rule {rule.name} says that such events are ignored.")
    return None


def held_back(rule: Rule, terms: TriageTerms, around: Circumstances) -> Verdict | None:
    """Why nothing is begun for an event that a rule wants; None where work may begin."""
    if around.at_work:
        return Verdict(what=Decided.DUPLICATE, why=f"{around.at_work}.")
    most = terms.storm_events_per_minute
    if around.fingerprints > most:
        why = f"{around.fingerprints} different events came for its repository within a minute; over {most} is a storm."
        return Verdict(what=Decided.STORM, why=why)
    if rule.cap_per_day is not None and around.today >= rule.cap_per_day:
        why = f"Rule {rule.name} has begun {around.today} today, and may begin {rule.cap_per_day} a day."
        return Verdict(what=Decided.CAPPED, why=why)
    return None


def patterns_of(value: str | Sequence[str] | Mapping[str, object]) -> tuple[str, ...]:
    """The patterns of one name as a person writes them: a text, or a list of texts. Raises ValueError."""
    listed = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
    if not listed or not all(isinstance(one, str) and one for one in listed):
        raise ValueError('a pattern is a text like "acme/*", or a list of such texts')
    return tuple(str(one) for one in listed)
