"""Tool names and call ids that every vendor takes back."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


def sendable_name(name: str) -> str:
    """A name that vendors accept in a history, for a tool that a model made up."""
    return _FORBIDDEN.sub("_", name)[:64] or "unnamed"
