"""The ways in which vendors say when they can be asked again, and texts that only look like one."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.adapters.llm.error_bodies import kind_of_error
from thirdshift.adapters.llm.stated_waits import LONGEST_SECONDS, StatedWait, stated_wait
from thirdshift.core.errors import FaultKind

DATE = "Sun, 22 Nov 2026 23:00:00 GMT"
THREE_HOURS = 4 * 3600.0  # from 23:00 to 03:00
RESET = "2026-11-23T03:00:00Z"
RESET_UNIX = int(datetime(2026, 11, 23, 3, 0, tzinfo=UTC).timestamp())


def headers(**given: str) -> httpx2.Headers:
    return httpx2.Headers({"date": DATE} | {name.replace("_", "-"): value for name, value in given.items()})


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"retry_after": "Mon, 23 Nov 2026 03:00:00 GMT"}, THREE_HOURS),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"x_ratelimit_reset_requests": "6m0s", "x_ratelimit_remaining_requests": "0"}, 360.0),
        ({"x_ratelimit_reset_tokens": "88ms", "x_ratelimit_remaining_tokens": "0"}, 0.088),
        (
            {
                "x_ratelimit_reset_requests": "1h2m3.5s",
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_tokens": "1s",
                "x_ratelimit_remaining_tokens": "4000",
            },
            3723.5,
        ),
        (
            {
                "anthropic_ratelimit_tokens_reset": RESET,
                "anthropic_ratelimit_tokens_remaining": "0",
                "anthropic_ratelimit_requests_reset": "2026-11-22T23:00:30Z",
                "anthropic_ratelimit_requests_remaining": "12",
            },
            THREE_HOURS,
        ),
        (
            {"anthropic_ratelimit_unified_reset": str(RESET_UNIX), "anthropic_ratelimit_unified_status": "rejected"},
            THREE_HOURS,
        ),
        ({"anthropic_ratelimit_unified_reset": str(RESET_UNIX), "anthropic_ratelimit_unified_status": "allowed"}, None),
        ({"x_ratelimit_reset": str(RESET_UNIX * 1000), "x_ratelimit_remaining": "0"}, THREE_HOURS),
        ({"x_ratelimit_reset": "20"}, 20.0),
        ({"x_ratelimit_reset_requests": "1s", "x_ratelimit_remaining_requests": "99"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "99999999999"}, None),
        ({}, None),
    ],
)
def test_headers(given: dict[str, str], seconds: float | None) -> None:
    assert stated_wait(headers(**given), None) == StatedWait(seconds=seconds)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ("Rate limit reached. Please try again in 3h.", 10800.0),
        ({"error": {"message": "Limit 30000, Used 29000. Please try again in 1m30.5s. See the page."}}, 90.5),
        ({"error": {"message": "Too many requests, retry after 45 seconds"}}, 45.0),
        ({"error": {"message": "Please wait for 2 hours and 5 minutes before the next request"}}, 7500.0),
        ({"error": {"message": "Your limit resets at 2026-11-23T03:00:00Z"}}, THREE_HOURS),
        ({"error": {"message": "You will regain access on 2026-11-23 at 00:00 UTC."}}, None),
        ({"error": {"message": "Access is available again at 2026-11-23 03:00 UTC"}}, THREE_HOURS),
        ({"type": "error", "error": {"message": f"Claude AI usage limit reached|{RESET_UNIX}"}}, THREE_HOURS),
        ({"error": {"type": "usage_limit_reached", "plan_type": "plus", "resets_in_seconds": 14400}}, THREE_HOURS),
        ({"error": {"type": "usage_limit_reached", "resets_at": RESET_UNIX}}, THREE_HOURS),
        ({"error": {"details": [{"@type": "x/RetryInfo", "retryDelay": "34.5s"}]}}, 34.5),
        ({"error": {"message": "maximum context length is 8192 tokens, in 3 messages"}}, None),
        ({"error": {"message": "at most 5 requests in 1 minute"}}, None),
        ({"error": {"message": "model gpt-4-2026-11-23 is not available"}}, None),
        ("<html>502</html>", None),
        (None, None),
        ([1, {"a": []}], None),
    ],
)
def test_bodies(body: object, seconds: float | None) -> None:
    assert stated_wait(headers(), body) == StatedWait(seconds=seconds)


def test_an_instant_is_handed_on_where_the_answer_has_no_date() -> None:
    instant = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    for body in ({"error": {"resets_at": RESET_UNIX}}, f"it resets at {RESET}"):
        assert stated_wait({}, body) == StatedWait(at=instant)


def test_the_header_made_for_it_goes_before_what_words_and_limits_say() -> None:
    given = headers(retry_after="7", x_ratelimit_reset_requests="1h", x_ratelimit_remaining_requests="0")
    assert stated_wait(given, "try again in 3h").seconds == 7


def test_a_subscriptions_used_up_limit_is_an_exhausted_quota_and_a_busy_minute_is_not() -> None:
    for body in (
        {"error": {"type": "usage_limit_reached", "message": "The usage limit has been reached"}},
        {"error": {"message": f"Claude AI usage limit reached|{RESET_UNIX}"}},
        {"error": {"message": "You've hit your weekly limit"}},
    ):
        assert kind_of_error(429, body) is FaultKind.QUOTA_EXHAUSTED
    assert kind_of_error(429, {"error": {"message": "Rate limit reached for requests"}}) is FaultKind.RATE_LIMITED


values = st.text(max_size=60) | st.integers(-10, 10**14).map(str) | st.datetimes().map(str)
names = st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-remaining", "date"])
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80) | values,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "resets_at", "retry_after", "retryDelay"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(names, values), bodies)
def test_whatever_is_sent_gives_a_wait_within_bounds_or_none(sent: dict[str, str], body: object) -> None:
    wait = stated_wait(sent, body)
    assert wait.seconds is None or 0 <= wait.seconds <= LONGEST_SECONDS
    assert wait.at is None or wait.at.tzinfo is not None
