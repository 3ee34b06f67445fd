"""From a draft to an event: every text bounded, made visible and redacted, whoever wrote it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

from thirdshift.core.event_book import Event
from thirdshift.core.events.drafts import Draft, Malformed
from thirdshift.core.text import head_and_tail, one_line, redact, visible

TITLE_CHARACTERS: Final = 200
TEXT_BYTES: Final = 4096
FACTS: Final = 20
FACT_CHARACTERS: Final = 300
_NAME_CHARACTERS: Final = 60
_ID_CHARACTERS: Final = 200
_READ_CHARACTERS: Final = 64 * 1024
"""What of a text is looked at: more than is kept, so that no secret is cut into two halves that nobody knows."""
_CUT_LINE: Final = 64
"""Room for the line that says how much was cut."""
_KIND: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.~@+-]{1,100}(?:/[A-Za-z0-9_.~@+-]{1,100}){0,9}")
_DIGEST: Final = re.compile(r" [0-9a-f]{16}\Z")
_FACT_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")


def event_of(draft: Draft, source: str, delivery: str, received_at: datetime, secrets: Collection[str] = ()) -> Event:
    """The event. Raises Malformed where kind, repository or the delivery's id cannot be what they should be."""
    if not _KIND.fullmatch(draft.kind):
        raise Malformed("kind is up to 60 letters, digits, `_`, `.`, `:` and `-`")
    if not _REPOSITORY.fullmatch(draft.repository) or len(draft.repository) > _ID_CHARACTERS:
        raise Malformed(
            "the repository's name is not known, or is no name; it is written like `owner/name`. "
            "Where the sender has none, set `repository` for this source in thirdshift.toml"
        )
    delivery = (draft.delivery or delivery).strip()
    if not delivery:
        raise Malformed("the delivery has no id, without which it cannot be told from another one")
    part = f"#{hashlib.sha256(_bytes(draft.part)).hexdigest()[:16]}" if draft.part else ""
    return Event(
        source=source,
        delivery=_identity(delivery, secrets) + part,
        kind=draft.kind,
        repository=draft.repository,
        fingerprint=_fingerprint(source, draft, secrets),
        title=_line(draft.title, TITLE_CHARACTERS, secrets) or draft.kind,
        text=_text(draft.text, secrets),
        facts=_facts(draft, secrets),
        received_at=received_at,
    )


def _fingerprint(source: str, draft: Draft, secrets: Collection[str]) -> str:
    """Another one for another source, of which none is to speak for the rest, and for another ``about``."""
    parts = (source, draft.kind, *draft.about)
    # Joined, two lists may read the same, unless no part but the last has a space. Those of one kind are equally long.
    whole = json.dumps(parts) if any(" " in part for part in parts[:-1]) else ""
    return _identity(" ".join(parts), secrets, whole)


def _facts(draft: Draft, secrets: Collection[str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in draft.facts.items():
        if value and len(kept) < FACTS:
            kept[_FACT_NAME.sub("_", name[:_NAME_CHARACTERS])] = _line(value, FACT_CHARACTERS, secrets)
    return kept


def _line(text: str, characters: int, secrets: Collection[str]) -> str:
    return one_line(redact(text[:_READ_CHARACTERS], secrets), characters)


def _text(text: str, secrets: Collection[str]) -> str:
    safe = visible(redact(text[:_READ_CHARACTERS], secrets)).strip()
    return head_and_tail(safe.encode(), TEXT_BYTES - _CUT_LINE)


def _identity(text: str, secrets: Collection[str], whole: str = "") -> str:
    """One visible line that differs whenever the text does: what was changed or cut off shows as a digest.

    So does what ends like a digest itself, lest it pass for another text that was changed. ``whole``, where there is
    one, is what tells the text from others that read the same.
    """
    shown = _line(text, _ID_CHARACTERS - 17, secrets)
    if shown == text and not whole and not _DIGEST.search(text):
        return shown
    return f"{shown} {hashlib.sha256(_bytes(whole or text)).hexdigest()[:16]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
