"""What senders are told: plain text of our own, that never repeats what they sent."""

from __future__ import annotations

import math
from collections.abc import Mapping

from starlette.responses import PlainTextResponse


class Refused(Exception):
    """A request that is not taken: status, words for its sender, and when to come again."""

    def __init__(self, status: int, words: str, *, retry_after_seconds: float | None = None, body_read: bool) -> None:
        super().__init__(words)
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.body_read = body_read
        """A connection whose body was left unread is of no more use."""


def told(status: int, words: str, headers: Mapping[str, str] | None = None) -> PlainTextResponse:
    """An answer of one line."""
    return PlainTextResponse(
        f"{words}\n",
        status_code=status,
        headers={"x-content-type-options": "nosniff", "cache-control": "no-store", **(headers or {})},
    )


def refusal(refused: Refused) -> PlainTextResponse:
    """The answer to a request that is not taken."""
    headers = {} if refused.body_read else {"connection": "close"}
    if refused.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(refused.retry_after_seconds)))
    return told(refused.status, str(refused), headers)
