"""Server-sent events."""

from __future__ import annotations

import json
from typing import Any


def event(name: str | None, data: Any) -> bytes:
    """One event as bytes; ``data`` is sent as JSON, or as it is when it is a text."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {text}\n\n".encode()


def halves(text: str) -> list[str]:
    """The text in two pieces where it has two, so that readers must put pieces together."""
    middle = (len(text) + 1) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]
