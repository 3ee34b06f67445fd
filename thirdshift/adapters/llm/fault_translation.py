"""From whatever an SDK or its transport raises to ``ModelFault``, with a text that holds no secret.

What the SDKs do not say, and is decided here: whether the call may be billed. It may be as soon as the request has
left and no answer said that it was refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import httpx2

from thirdshift.adapters.llm.error_bodies import (
    kind_of_error,
    may_be_billed,
    message_of,
)
from thirdshift.adapters.llm.stated_waits import stated_wait
from thirdshift.core.errors import FaultKind, ModelFault

_EXCERPT_CHARACTERS = 500
_READ_BYTES = 16 << 10
_REMEDIES = {
    FaultKind.UNAUTHORIZED: "check the provider's API key",
    FaultKind.FORBIDDEN: "the key may not use this model",
    FaultKind.QUOTA_EXHAUSTED: "the account has no credit left, or its usage limit is reached",
    FaultKind.UNKNOWN_MODEL: "check the model's name in the tiers",
    FaultKind.UNREACHABLE: "check base_url, and that the server is up",
}


class SdkErrors(NamedTuple):
    """The classes of one SDK's errors; both SDKs name them alike.

    Each adapter gives those of its own SDK: importing the other vendor's would cost a second at start-up.
    """

    root: type[Exception]
    status: type[Exception]
    invalid: type[Exception]
    connection: type[Exception]
    any_answer: type[Exception]


class FaultTranslator:
    """Translates the failures of one provider's calls. ``secret`` never appears in a text it writes."""

    def __init__(self, provider: str, host: str, secret: str | None, sdk: SdkErrors) -> None:
        self._sdk = sdk
        self._where = f"{provider} ({host})"
        self._secret = secret

    @contextmanager
    def translated(self, model: str) -> Iterator[None]:
        """Let nothing out of the block but ``ModelFault``, cancellation, and errors of the caller's own."""
        try:
            yield
        except (self._sdk.root, httpx2.HTTPError, httpx2.InvalidURL) as error:
            # `from None`: the SDK's error holds the request, its headers and the key.
            raise self._of_sdk(error, model) from None
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # The SDKs build their types without checking, so a wrong shape shows only when it is read; by then
            # the answer was made, and billed.
            raise self.fault(
                FaultKind.BAD_BODY, model, f"an answer of unexpected shape ({type(error).__name__}: {error})", True
            ) from None

    def fault(self, kind: FaultKind, model: str, what: str, billed: bool) -> ModelFault:
        """A fault with no HTTP error answer behind it."""
        return ModelFault(kind, self._text(kind, model, what), may_be_billed=billed)

    def of_event(self, model: str, body: object) -> ModelFault:
        """The fault that an error event inside a stream is."""
        kind, wait = kind_of_error(None, body), stated_wait({}, body)
        text = self._text(kind, model, f"an error inside the stream: {message_of(body)}")
        return ModelFault(kind, text, may_be_billed=True, retry_after_seconds=wait.seconds, back_at=wait.at)

    def cut(self, model: str) -> ModelFault:
        """A stream that ended without its terminal event."""
        return self.fault(FaultKind.CUT_STREAM, model, "the stream ended before the answer did", True)

    async def require_events(self, response: httpx2.Response, model: str) -> None:
        """Refuse a success whose body is no event stream: an HTML page, or JSON where a stream was asked for."""
        kind = response.headers.get("content-type", "").lower()
        if "json" not in kind and "html" not in kind:
            return
        body = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) >= _READ_BYTES:
                    break
        except httpx2.HTTPError:
            body += b" (and the body broke off)"
        text = bytes(body[:_READ_BYTES]).decode("utf-8", "replace")
        raise self.fault(FaultKind.BAD_BODY, model, f"a {kind} body instead of a stream: {text}", True)

    def _of_sdk(self, error: Any, model: str) -> ModelFault:
        if isinstance(error, self._sdk.status):
            return self._of_status(error, model)
        if isinstance(error, self._sdk.invalid):
            return self.fault(FaultKind.BAD_BODY, model, f"an answer that does not parse: {error}", True)
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        if isinstance(error, self._sdk.connection):
            return self._of_transport(cause, model)
        if isinstance(error, self._sdk.any_answer):
            body: object = getattr(error, "body", None)
            return self.of_event(model, body if body is not None else str(error))
        return self._of_transport(error, model)

    def _of_status(self, error: Any, model: str) -> ModelFault:
        status: int | None = error.status_code
        if status is not None and status < 300:
            return self.of_event(model, error.body)
        kind, wait = kind_of_error(status, error.body), stated_wait(error.response.headers, error.body)
        return ModelFault(
            kind,
            self._text(kind, model, f"HTTP {status}: {message_of(error.body)}"),
            may_be_billed=may_be_billed(status),
            retry_after_seconds=wait.seconds,
            back_at=wait.at,
            status=status,
        )

    def _of_transport(self, error: Exception, model: str) -> ModelFault:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        match _sent(error):
            case "no":
                return self.fault(FaultKind.UNREACHABLE, model, f"no connection ({reason})", False)
            case "silence":
                return self.fault(FaultKind.TIMED_OUT, model, f"no byte within the time limit ({reason})", True)
            case "lost":
                return self.fault(FaultKind.CUT_STREAM, model, f"the connection was lost ({reason})", True)

    def _text(self, kind: FaultKind, model: str, what: str) -> str:
        if self._secret:
            what = what.replace(self._secret, "<key>")
        words = "".join(letter if letter.isprintable() else " " for letter in what)
        words = " ".join(words.split())
        if len(words) > _EXCERPT_CHARACTERS:
            words = f"{words[:_EXCERPT_CHARACTERS]} ... ({len(words)} characters)"
        remedy = f"; {_REMEDIES[kind]}" if kind in _REMEDIES else ""
        return f"{self._where}, model {model}: {kind.value}: {words}{remedy}"


def _sent(error: Exception) -> Literal["no", "silence", "lost"]:
    """How far the request came: never sent, sent with no answer in time, or sent and then lost."""
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ConnectError):
        return "no"
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.InvalidURL):
        return "no"
    if isinstance(error, httpx2.ProxyError):
        return "no"
    if isinstance(error, httpx2.TimeoutException):
        return "silence"
    return "lost"
