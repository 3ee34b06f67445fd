"""One delivery of any source, from its raw body to events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from thirdshift.core.event_book import Event
from thirdshift.core.events import generic_events, github_events, gitlab_events, sarif_events, sentry_events
from thirdshift.core.events.bounding import event_of
from thirdshift.core.events.drafts import Draft, Malformed, Nothing, Reading
from thirdshift.core.events.json_text import parse_json
from thirdshift.core.events.signatures import SourceKind
from thirdshift.core.globs import matches, parse


@dataclass(frozen=True)
class Dialect:
    """How one kind of source speaks."""

    read: Callable[[Mapping[str, str], object], Reading]
    delivery: Callable[[Mapping[str, str]], str]
    kinds: tuple[str, ...]
    """The kinds of event that it can bring."""
    hook_events: str
    """What to choose at the sender."""
    content_types: frozenset[str] = frozenset({"application/json"})
    most_bytes: int = 1 << 20


DIALECTS: Final[Mapping[SourceKind, Dialect]] = {
    SourceKind.GITHUB: Dialect(
        github_events.read_github, github_events.github_delivery, github_events.KINDS, github_events.HOOK_EVENTS
    ),
    SourceKind.GITLAB: Dialect(
        gitlab_events.read_gitlab, gitlab_events.gitlab_delivery, gitlab_events.KINDS, gitlab_events.HOOK_EVENTS
    ),
    SourceKind.SENTRY: Dialect(
        sentry_events.read_sentry, sentry_events.sentry_delivery, sentry_events.KINDS, sentry_events.HOOK_EVENTS
    ),
    SourceKind.SARIF: Dialect(
        sarif_events.read_sarif,
        generic_events.standard_delivery,
        sarif_events.KINDS,
        sarif_events.HOOK_EVENTS,
        content_types=frozenset({"application/json", "application/sarif+json"}),
        most_bytes=10 << 20,
    ),
    SourceKind.GENERIC: Dialect(
        generic_events.read_generic, generic_events.standard_delivery, generic_events.KINDS, generic_events.HOOK_EVENTS
    ),
}


@dataclass(frozen=True)
class SourceTerms:
    """Whose deliveries these are, and for whom it may speak."""

    name: str
    kind: SourceKind
    repository: str = ""
    """Takes the place of whatever the sender names; empty: what the sender names."""
    repositories: tuple[str, ...] = ()
    """Globs of the repositories that it may speak for; none: all."""


@dataclass(frozen=True)
class Delivered:
    """The events of a delivery, and how many more it had than one may bring."""

    events: tuple[Event, ...]
    left_out: int = 0


def read_delivery(
    terms: SourceTerms,
    headers: Mapping[str, str],
    body: bytes,
    received_at: datetime,
    secrets: Collection[str] = (),
) -> Delivered | Nothing:
    """The events of a genuine delivery; Malformed where it cannot be understood. ``headers`` have lower-case names.

    ``secrets`` are values that no event may hold.
    """
    dialect = DIALECTS[terms.kind]
    reading = dialect.read(headers, parse_json(body))
    if isinstance(reading, Nothing):
        return reading
    delivery = dialect.delivery(headers)
    made = tuple(
        event_of(_settled(terms, draft), terms.name, delivery, received_at, secrets) for draft in reading.drafts
    )
    if not all(_may_speak_for(terms, event.repository) for event in made):
        raise Malformed(
            "this source may not speak for that repository; `repositories` in thirdshift.toml says for which"
        )
    return Delivered(made, reading.left_out)


def _settled(terms: SourceTerms, draft: Draft) -> Draft:
    return replace(draft, repository=terms.repository) if terms.repository else draft


def _may_speak_for(terms: SourceTerms, repository: str) -> bool:
    return not terms.repositories or any(matches(parse(glob), repository.split("/")) for glob in terms.repositories)
