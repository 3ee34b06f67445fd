"""When a vendor says that it may be asked again: from the headers of an error answer, and from its body.

Sources: RFC 9110 (``retry-after``); the rate-limit headers that the Messages, Responses and Chat Completions APIs
document; the wording of their errors, of subscriptions' usage limits and of compatible servers. What makes no sense
says nothing: a wait that is misread as too short costs a call, one that is misread as too long costs a night.
"""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

LONGEST_SECONDS = 400 * 86400.0
"""Beyond that, a figure is something else than a wait."""
_UNIX_FROM = 1e9
"""2001: what is smaller is no Unix time but a number of seconds."""
_MILLISECONDS_FROM = 1e11

_UNITS = {"ms": 0.001, "mil": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = r"\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
_SPAN = rf"{_PART}(?:[\s,]*(?:and\s+)?{_PART})*"
_ONE_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|mil|[smhd])", re.IGNORECASE)
_IN = re.compile(rf"\b(?:in|after|wait(?:\s+for)?)\s+(?:about\s+|at least\s+)?({_SPAN})", re.IGNORECASE)
_ISO = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|\s?UTC|[+-]\d{2}:?\d{2})"
_AT = re.compile(rf"\b(?:resets?|available|again|until|after|at|on)\b[^.\d]{{0,40}}({_ISO})", re.IGNORECASE)
_UNIX = re.compile(r"(?:limit reached\||resets?[_ ]at\D{0,12})(\d{10}(?:\d{3})?)(?!\d)", re.IGNORECASE)
_WAITS = re.compile(r"again|retry|reset|limit|wait|available", re.IGNORECASE)
_KEYS_OF_SPANS = frozenset(
    {"resets_in_seconds", "reset_in_seconds", "retry_after", "retry_after_seconds", "retrydelay"}
)
_KEYS_OF_TIMES = frozenset({"resets_at", "reset_at", "reset_time"})


class StatedWait(NamedTuple):
    """What was stated: a span, or an instant where the answer gave no time of its own to count it from."""

    seconds: float | None = None
    at: datetime | None = None


def stated_wait(headers: Mapping[str, str], body: object) -> StatedWait:
    """The wait that an error answer asks for; both fields None where it asks for nothing that makes sense.

    An instant is counted from the answer's own ``date``, so that a wrong clock here does no harm. Header names must be
    found in any case (``httpx2.Headers``). ``body`` is the decoded body, or its text.
    """
    answered_at = _http_date(headers.get("date"))
    for stated in _in_order(headers, body):
        seconds = stated.seconds
        if stated.at is not None and answered_at is not None:
            seconds = max((stated.at - answered_at).total_seconds(), 0.0)
        elif stated.at is not None:
            return stated
        if seconds is not None and 0 <= seconds <= LONGEST_SECONDS:
            return StatedWait(seconds=seconds)
    return StatedWait()


def _in_order(headers: Mapping[str, str], body: object) -> Iterator[StatedWait]:
    """What is stated, the most binding first: the header made for it, the body, then the limits' own resets."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        yield StatedWait(seconds=milliseconds / 1000.0)
    if text := headers.get("retry-after"):
        seconds = _number(text)
        yield StatedWait(seconds=seconds) if seconds is not None else StatedWait(at=_http_date(text))
    yield from _of_body(body)
    yield from _of_limits(headers)


def _of_limits(headers: Mapping[str, str]) -> Iterator[StatedWait]:
    """The resets of the limits that are used up; where no header says which, of the one that is soonest."""
    resets = {name.lower(): _moment(value) for name, value in headers.items() if _is_reset(name.lower())}
    known = {name: stated for name, stated in resets.items() if stated != StatedWait()}
    used_up = [stated for name, stated in known.items() if _used_up(headers, name)]
    told = any(_remaining(headers, name) is not None for name in known)
    if used_up:
        yield _extreme(used_up, latest=True)
    elif known and not told:
        yield _extreme(known.values(), latest=False)


def _is_reset(name: str) -> bool:
    return "ratelimit" in name.replace("rate-limit", "ratelimit") and "reset" in name.split("-")


def _remaining(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(name.replace("reset", "remaining")) or headers.get(name.replace("reset", "status"))


def _used_up(headers: Mapping[str, str], name: str) -> bool:
    left = _remaining(headers, name)
    return left is not None and (left.strip().lower() == "rejected" or _number(left) == 0)


def _extreme(stated: Iterable[StatedWait], *, latest: bool) -> StatedWait:
    """Spans and instants do not mix in one vendor's headers; where they do, the instants count."""
    instants = [one for one in stated if one.at is not None]
    spans = [one for one in stated if one.seconds is not None]
    choose = max if latest else min
    if instants:
        return choose(instants, key=lambda one: one.at or datetime.min.replace(tzinfo=UTC))
    return choose(spans, key=lambda one: one.seconds or 0.0)


def _of_body(body: object) -> Iterator[StatedWait]:
    for key, value in _entries(body):
        if key in _KEYS_OF_SPANS:
            span = _number(str(value))
            yield StatedWait(seconds=span if span is not None else _span(str(value)))
        elif key in _KEYS_OF_TIMES:
            yield _moment(str(value))
        elif isinstance(value, str) and _WAITS.search(value):
            yield from _of_words(value)


def _of_words(words: str) -> Iterator[StatedWait]:
    words = words[:4000]
    if found := _UNIX.search(words):
        yield _moment(found[1])
    if found := _AT.search(words):
        yield StatedWait(at=_iso(found[1]))
    if found := _IN.search(words):
        yield StatedWait(seconds=_span(found[1]))


def _entries(body: object, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every plain value of the body with its key in lower case; bare text has none."""
    if isinstance(body, Mapping) and depth < 6:
        for key, value in body.items():
            if isinstance(value, Mapping | list):
                yield from _entries(value, depth + 1)
            else:
                yield str(key).lower(), value
    elif isinstance(body, list) and depth < 6:
        for value in body[:50]:
            yield from _entries(value, depth + 1)
    elif isinstance(body, str):
        yield "", body


def _moment(text: str) -> StatedWait:
    """A span like 6m0s or 20, a Unix time in seconds or milliseconds, or a date and time with a zone."""
    number = _number(text)
    if number is None:
        span = _span(text) if re.fullmatch(_SPAN, text.strip(), re.IGNORECASE) else None
        return StatedWait(seconds=span) if span is not None else StatedWait(at=_iso(text))
    if number < _UNIX_FROM:
        return StatedWait(seconds=number)
    seconds = number / 1000.0 if number >= _MILLISECONDS_FROM else number
    try:
        return StatedWait(at=datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return StatedWait()


def _span(text: str) -> float | None:
    parts = _ONE_PART.findall(text)
    if not parts:
        return None
    return sum(float(figure) * _UNITS[unit.lower()] for figure, unit in parts)


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r"\s?UTC$", "+00:00", text.strip()))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _http_date(text: str | None) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
