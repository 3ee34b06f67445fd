"""The name of the workflow that takes a repository's events."""

from __future__ import annotations

import hashlib
import re
from typing import Final

INTAKE: Final = "Intake"
"""The workflow's type."""
ARRIVED: Final = "arrived"
"""Its signal: an event has come."""
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_SLUG_CHARACTERS: Final = 40


def intake_id(repository: str) -> str:
    """``intake-acme-shop-1a2b3c4d``; the digest keeps apart what the slug makes the same."""
    slug = _OTHER.sub("-", repository.lower())[:_SLUG_CHARACTERS].strip("-") or "repository"
    return f"intake-{slug}-{hashlib.sha256(repository.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
