"""How much of a request a vendor has in its prompt cache already, as the bytes of two consecutive requests prove.

Vendors read tools first, then the system text, then the turns. A byte is cached if everything up to and including
it, in that order, was sent in the very same form by the request before. Where the vendor wants marks, it must also
lie before a mark that the request before carried: there the vendor wrote to its cache.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_MARK = "cache_control"


def cached_share(before: dict[str, Any], now: dict[str, Any], *, marked: bool) -> float:
    """Part of ``now``, in bytes, that was in the cache since ``before``; both are decoded request bodies.

    ``marked`` for the Messages format, whose cache is written at marks; else the Chat format, cached by itself.
    """
    old, new = list(_pieces(before)), list(_pieces(now))
    written = max((at + 1 for at, (_, mark) in enumerate(old) if mark), default=0) if marked else len(old)
    same = 0
    for (left, _), (right, _) in zip(old[:written], new, strict=False):
        if left != right:
            break
        same += len(left)
    return same / sum(len(text) for text, _ in new)


def _pieces(body: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    """What the model reads, in the vendor's order, as it was written: the bytes of each piece, and if it is marked."""
    for tool in body.get("tools") or ():
        yield _piece(tool)
    system = body.get("system") or ()
    for block in [{"text": system}] if isinstance(system, str) else system:
        yield _piece(block)
    for turn in body["messages"]:
        content = turn.get("content")
        if not isinstance(content, list):
            yield _piece(turn)
            continue
        yield _piece({name: value for name, value in turn.items() if name != "content"})
        for block in content:
            yield _piece(block)


def _piece(value: dict[str, Any]) -> tuple[bytes, bool]:
    # Keys stay in the order in which they were sent: another order would be another prefix.
    bare = {name: item for name, item in value.items() if name != _MARK}
    return json.dumps(bare, ensure_ascii=False).encode(), _MARK in value
