"""Any other machine: one JSON object of our own shape, signed as Standard Webhooks says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thirdshift.core.events.drafts import Draft, Malformed, Reading, one
from thirdshift.core.events.json_text import text_at

KINDS: Final = ("any that the sender names",)
HOOK_EVENTS: Final = "{id, kind, repository, title, text, fingerprint?, facts?}"
_FIELDS: Final = ("id", "kind", "repository", "title", "text", "fingerprint", "facts")


def read_generic(_headers: Mapping[str, str], body: object) -> Reading:
    """The event of a delivery."""
    if not isinstance(body, dict):
        raise Malformed("the body is not a JSON object")
    if not set(body) <= set(_FIELDS):
        raise Malformed(f"the object has an unknown field; there are {', '.join(_FIELDS)}")
    for name in ("id", "kind", "repository", "title", "text", "fingerprint"):
        if not isinstance(body.get(name, ""), str):
            raise Malformed(f"`{name}` is to be a string")
    facts = body.get("facts", {})
    if not isinstance(facts, dict) or not all(isinstance(each, str | int | float | bool) for each in facts.values()):
        raise Malformed("`facts` is to be an object of strings, numbers and truth values")
    if missing := [name for name in ("kind", "title") if not body.get(name)]:
        raise Malformed(f"`{missing[0]}` is missing")
    return one(
        Draft(
            kind=body["kind"],
            repository=body.get("repository", ""),
            about=(body.get("fingerprint") or body["title"],),
            title=body["title"],
            text=body.get("text", ""),
            facts={name: text_at(facts, name) for name in facts},
            delivery=body.get("id", ""),
        )
    )


def standard_delivery(headers: Mapping[str, str]) -> str:
    """The delivery's id of Standard Webhooks, which its signature covers."""
    return headers.get("webhook-id", "")
