"""The environment as configuration: the one place that reads it.

``THIRDSHIFT_SECTION__KEY`` overrides ``key`` in ``[section]``; two underscores go one level down. A value that
begins with ``[`` or ``{`` is read as TOML. ``THIRDSHIFT_HOME`` and ``THIRDSHIFT_CONFIG`` are places, not keys.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from typing import Any

from thirdshift.core.errors import SettingsInvalid
from thirdshift.settings.complaints import Place

PREFIX = "THIRDSHIFT_"
KEYS_ELSEWHERE = "THIRDSHIFT_KEYS_ELSEWHERE"
"""Names of keys, set for the process of a worker that calls models and not for this one; with commas between."""
DUTY = "THIRDSHIFT_DUTY"
"""Set by Thirdshift itself: the duty that this environment was made for."""
_PLACES = {"THIRDSHIFT_HOME", "THIRDSHIFT_CONFIG", KEYS_ELSEWHERE, DUTY}


def process_environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ  # noqa: TID251 - this is the one reader of the environment


def overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> dict[Place, str]:
    """Write the overriding variables into ``raw``; which variable set which place."""
    sources: dict[Place, str] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in _PLACES:
            continue
        table: dict[str, Any] = raw
        place: list[str] = []
        *sections, leaf = name.removeprefix(PREFIX).lower().split("__")
        for section in sections:
            key = _existing_key(table, section)
            place.append(key)
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise SettingsInvalid(f"environment variable {name}: {'.'.join(place)} is not a section")
        key = _existing_key(table, leaf)
        table[key] = _value(name, environ[name])
        sources[(*place, key)] = name
    return sources


def _existing_key(table: Mapping[str, Any], spoken: str) -> str:
    """The key that a variable's part means: names in the file may have capitals and hyphens, variables not."""
    plain = spoken.replace("-", "_")
    return next((key for key in table if key.lower().replace("-", "_") == plain), spoken)


def _value(name: str, text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"environment variable {name}: not a TOML value: {error}") from None
