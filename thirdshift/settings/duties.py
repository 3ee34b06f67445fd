"""Which secrets each part of a worker may hold, and the environment of a process with one duty alone.

A worker has three duties. ``models`` calls models and holds their keys; ``delivery`` speaks with remotes, forges and
people, and holds those credentials; ``hosts`` does all the rest, agents' code among it, and holds none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final, Literal

from pydantic import SecretStr

from thirdshift.settings.environment import DUTY, KEYS_ELSEWHERE, process_environment
from thirdshift.settings.vendor_ladders import VENDOR_KEYS

if TYPE_CHECKING:
    from thirdshift.settings.model import Settings
    from thirdshift.settings.sections import ConfigFile

Duty = Literal["models", "hosts", "delivery"]
"""A third of a worker: calling models, running what agents wrote, or speaking with others."""
DUTIES: Final[tuple[Duty, ...]] = ("models", "hosts", "delivery")

LISTENER: Final = "listen"
"""Marks the environment of ``thirdshift listen``, which is no part of a worker."""

_STAYS: Final = re.compile(r"(?:THIRDSHIFT|TEMPORAL|PG|LC|XDG|PYTHON)[A-Z_0-9]*|PATH|HOME|USER|LOGNAME|LANG|TZ|TMPDIR")
"""Never taken away: every duty needs the server, the ledger and its own places."""
_LOOKS_SECRET: Final = re.compile(
    r"(?:^|_)(?:API_?KEY|ACCESS_?KEY|KEY|KEYS|TOKEN|TOKENS|SECRET|SECRETS|PASSWORD|PASSWD|PASS|PAT|CREDENTIAL|CREDENTIALS"
    r"|ASKPASS|WEBHOOK|DSN)(?:_|$)",
    re.IGNORECASE,
)
_OF_GIT: Final = re.compile(r"SSH_AUTH_SOCK|SSH_AGENT_PID|SSH_ASKPASS\w*|GIT_\w+|GH_\w+|GITHUB_\w+|GITLAB_\w+")


def names_for(duty: Duty | None, file: ConfigFile) -> Collection[str] | None:
    """The variables whose values a process with this duty reads; None: whichever there are."""
    match duty:
        case None:
            return None
        case "hosts":
            return frozenset()
        case "models":
            stated = (section.api_key_env for section in file.providers.values())
            return frozenset([*filter(None, stated), *VENDOR_KEYS.values()])
        case "delivery":
            tokens = (section.token_env for section in file.forges.values())
            return frozenset([*tokens, *(name for names in file.notify.values() for name in names)])


def environment_for(duty: Duty, settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that a process with this duty is to have: ``environ`` without what belongs to the others.

    ``settings`` are those of a process without a duty. What is taken away: every variable that they name for
    another duty, every one that looks like a secret, and, but for ``delivery``, what git and ssh authenticate with.
    What is in the secrets file for this duty is added, so that the process need not open it.
    """
    environ = process_environment() if environ is None else environ
    held = _held(settings)
    own = held[duty]
    foreign = {name for names in held.values() for name in names}
    foreign |= {*VENDOR_KEYS.values(), *(name for source in settings.sources for name in source.variables)}
    kept = {name: value for name, value in environ.items() if not (name in foreign or _is_secret(name, duty))}
    kept |= {name: secret.get_secret_value() for name, secret in own.items() if secret}
    there = sorted(one.key_variable for one in settings.providers.values() if one.api_key or one.key_elsewhere)
    kept.pop(KEYS_ELSEWHERE, None)
    if duty != "models" and there:
        kept[KEYS_ELSEWHERE] = ",".join(there)
    return {**kept, DUTY: duty}


def environment_for_listener(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that only listens: the secrets of its sources, and none that calls or delivers."""
    environ = process_environment() if environ is None else environ
    foreign = {*VENDOR_KEYS.values(), *(name for names in _held(settings).values() for name in names)}
    own = {name for source in settings.sources for name in source.variables} - foreign
    kept = {
        name: value
        for name, value in environ.items()
        if name in own or not (name in foreign or _is_secret(name, "hosts") or name == KEYS_ELSEWHERE)
    }
    for source in settings.sources:
        there = [name for name in source.variables if name not in source.missing]
        values = (secret.get_secret_value() for secret in source.secrets)
        kept |= dict(zip(there, values, strict=True))
    return {**kept, DUTY: LISTENER}


def is_listener() -> bool:
    """Whether this process was given the environment of a listener."""
    return process_environment().get(DUTY) == LISTENER


def has_environment_for(duty: Duty) -> bool:
    """Whether this process was given the environment of that duty alone."""
    return process_environment().get(DUTY) == duty


def taken_away(kept: Mapping[str, str]) -> list[str]:
    """The variables of this process that are not in another environment."""
    return sorted(process_environment().keys() - kept.keys())


def _held(settings: Settings) -> dict[Duty, dict[str, SecretStr | None]]:
    """What each duty holds: variable to value, None where it is not set."""
    return {
        "models": {one.key_variable: one.api_key for one in settings.providers.values() if one.key_variable},
        "hosts": {},
        "delivery": {forge.token_variable: forge.token for forge in settings.forges}
        | {name: settings.notify.held.get(name) for name in settings.notify.variables},
    }


def _is_secret(name: str, duty: Duty) -> bool:
    if _OF_GIT.fullmatch(name):
        return duty != "delivery"
    return not _STAYS.fullmatch(name) and _LOOKS_SECRET.search(name) is not None
