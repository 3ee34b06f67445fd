"""``[listen]`` and ``[sources.NAME]``: where events are taken, from whom, and how they prove who they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, SecretStr, field_validator

from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.events.deliveries import DIALECTS
from thirdshift.core.events.signatures import SourceKind, fault_of_secret
from thirdshift.core.frozen import Frozen

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LARGEST_BODY: Final = 64 << 20


class ListenSection(Frozen):
    """``[listen]``: the address, and the bounds that hold for every source."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8479
    """0: any free one."""
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    """Where senders reach it, through a proxy; only shown."""
    tolerance_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    """How old, or how far ahead, a signed time may be."""
    body_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0
    """How long a body may take to arrive."""
    connections: Annotated[int, Field(ge=1, le=10_000)] = 256
    """Open at once; more are refused with 503."""


class SourceSection(Frozen):
    """``[sources.NAME]``: a sender; its URL ends in ``/events/NAME``."""

    kind: SourceKind
    secret_env: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...]
    """The variables that hold its secret; while it is changed, those of the new one and the old one."""
    repository: str = ""
    """Whose events these are, whatever the sender says; for senders that know no repository."""
    repositories: tuple[str, ...] = ()
    """Globs of the repositories that it may speak for, such as ``acme/*``; none: all."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=_LARGEST_BODY)] | None = None
    per_minute: Annotated[int, Field(ge=1)] = 6000
    """Genuine deliveries on average; more get 429."""
    burst: Annotated[int, Field(ge=1)] = 1000
    """How many may come at once."""

    @field_validator("secret_env", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("secret_env")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name the variable that holds the secret; without one, anybody could send events")
        return value


class EventSource(Frozen):
    """A source with its secrets. Never prints one."""

    name: str
    kind: SourceKind
    variables: tuple[str, ...]
    secrets: tuple[SecretStr, ...] = ()
    missing: tuple[str, ...] = ()
    """Variables that are named and not set."""
    faults: tuple[str, ...] = ()
    """What is wrong with the secrets that are there."""
    repository: str = ""
    repositories: tuple[str, ...] = ()
    max_body_bytes: int
    per_minute: int
    burst: int

    def described(self) -> str:
        """For people."""
        held = f"; missing: {', '.join(self.missing)}" if self.missing else ""
        return f"{self.kind}, {', '.join(self.variables)}{held}"


def event_source(name: str, section: SourceSection, keys: Mapping[str, str], shown: str) -> EventSource:
    """``[sources.NAME]`` with the secrets that its variables hold."""
    if not _NAME.fullmatch(name):
        raise SettingsInvalid(f"{shown}: [sources.{name}]: a source's name is up to 40 small letters, digits and `-`")
    found = {variable: keys[variable] for variable in section.secret_env if keys.get(variable)}
    wrong = {variable: fault_of_secret(section.kind, secret) for variable, secret in found.items()}
    return EventSource(
        name=name,
        kind=section.kind,
        variables=section.secret_env,
        secrets=tuple(SecretStr(secret) for secret in found.values()),
        missing=tuple(variable for variable in section.secret_env if variable not in found),
        faults=tuple(f"{variable} {fault}" for variable, fault in wrong.items() if fault),
        repository=section.repository,
        repositories=section.repositories,
        max_body_bytes=section.max_body_bytes or DIALECTS[section.kind].most_bytes,
        per_minute=section.per_minute,
        burst=section.burst,
    )


def require_sources(sources: tuple[EventSource, ...], shown: str, secrets_path: str) -> tuple[EventSource, ...]:
    """The sources, each with a secret to tell its deliveries by; else SettingsInvalid with one line for each fault.

    A source of which only a second secret is missing, as in the middle of a change, is as good as any.
    """
    if not sources:
        raise SettingsInvalid(
            f"{shown}: nobody is there to listen to; name who sends events, for example:\n"
            '  [sources.github]\n  kind = "github"\n  secret_env = "GITHUB_WEBHOOK_SECRET"'
        )
    lines = [f"{shown}: [sources.{one.name}]: {fault}" for one in sources for fault in one.faults]
    lines += [
        f"{shown}: [sources.{one.name}]: {one.missing[0]} is not set, so that anybody could send events; "
        f"set it in the environment or in {secrets_path} (mode 600)"
        for one in sources
        if not one.secrets
    ]
    if lines:
        raise SettingsInvalid("\n".join(lines))
    return sources
