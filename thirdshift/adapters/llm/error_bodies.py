"""What a vendor's error answer means: from status, code, type and words to a kind of fault.

Sources: the error pages of the Messages, Responses and Chat Completions APIs, and the wording that compatible
servers (llama.cpp, vLLM, Ollama, routers) were seen to use. Words are looked at only where codes are silent or
known to be too broad.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from thirdshift.core.errors import FaultKind

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|request_too_large|string_above_max_length|string too long"
    r"|prompt is too long|input is too long|prompt too long|maximum context length|maximum model length"
    r"|exceeds? (?:the )?(?:available |model'?s? )?context|exceed context limit|context window"
    r"|reduce the length|input tokens exceed",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_quota|insufficient quota|billing_hard_limit|billing_not_active|billing_error"
    r"|credit balance is too low|insufficient (?:balance|credits)|requires more credits"
    r"|usage[ _]limit[ _](?:reached|exceeded)"
    r"|(?:reached|hit|exceeded) your (?:\w+ )?(?:usage|session|weekly|5-hour) limit",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|(?:unknown|invalid|no such) model|not a valid model"
    r"|model\b.{0,120}(?:does not exist|not found|is not available)",
    re.IGNORECASE | re.DOTALL,
)

_BY_STATUS: Mapping[int, FaultKind] = {
    401: FaultKind.UNAUTHORIZED,
    402: FaultKind.QUOTA_EXHAUSTED,
    403: FaultKind.FORBIDDEN,
    408: FaultKind.TIMED_OUT,
    409: FaultKind.SERVER_ERROR,
    413: FaultKind.TOO_LONG,
    425: FaultKind.OVERLOADED,
    429: FaultKind.RATE_LIMITED,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMED_OUT,
    524: FaultKind.TIMED_OUT,
    529: FaultKind.OVERLOADED,
}
_BY_TYPE: Mapping[str, FaultKind] = {
    "api_error": FaultKind.SERVER_ERROR,
    "authentication_error": FaultKind.UNAUTHORIZED,
    "invalid_api_key": FaultKind.UNAUTHORIZED,
    "invalid_prompt": FaultKind.BAD_REQUEST,
    "invalid_request_error": FaultKind.BAD_REQUEST,
    "not_found_error": FaultKind.UNKNOWN_MODEL,
    "overloaded": FaultKind.OVERLOADED,
    "overloaded_error": FaultKind.OVERLOADED,
    "permission_error": FaultKind.FORBIDDEN,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "server_error": FaultKind.SERVER_ERROR,
    "timeout_error": FaultKind.TIMED_OUT,
}
# A gateway that gave up waiting does not say that the model behind it did: that call may still be billed.
_GATEWAY_TIMEOUTS = frozenset({504, 524})


def kind_of_error(status: int | None, body: object) -> FaultKind:
    """The kind of fault that an error answer is.

    ``status`` is the HTTP status, None where the error came inside a stream of status 200. ``body`` is the decoded
    body, in any of the vendors' shapes, or its text.
    """
    words = " ".join(_words(body))
    if _QUOTA.search(words) and status in (None, 400, 402, 403, 429):
        return FaultKind.QUOTA_EXHAUSTED
    if status in (None, 400, 404, 422) and _UNKNOWN_MODEL.search(words):
        return FaultKind.UNKNOWN_MODEL
    if _TOO_LONG.search(words) and status not in (401, 403, 429):
        return FaultKind.TOO_LONG
    if status is None:
        return next((_BY_TYPE[word] for word in _words(body) if word in _BY_TYPE), FaultKind.SERVER_ERROR)
    if status == 404:
        return FaultKind.UNKNOWN_MODEL if "model" in words.lower() else FaultKind.BAD_REQUEST
    return _BY_STATUS.get(status, FaultKind.SERVER_ERROR if status >= 500 else FaultKind.BAD_REQUEST)


def may_be_billed(status: int | None) -> bool:
    """Whether a call that got this error answer may be billed all the same."""
    return status is None or status < 300 or status in _GATEWAY_TIMEOUTS


def message_of(body: object) -> str:
    """The vendor's own sentence, or what else the body says."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            for key in ("message", "detail"):
                if isinstance(inner.get(key), str):
                    return str(inner[key])
        return str(inner)
    return "" if body is None else str(body)


def _words(body: object) -> list[str]:
    if not isinstance(body, dict):
        return [] if body is None else [str(body)]
    inner: Any = body.get("error", body)
    if not isinstance(inner, dict):
        return [str(inner)]
    found = [inner.get(key) for key in ("code", "type", "message", "detail")]
    return [word for word in found if isinstance(word, str)]
