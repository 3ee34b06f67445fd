"""Requests made up by hypothesis, signed and not: whatever is sent, the answer is never a fault of ours."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.odd_deliveries import signed, unsigned
from tests.fakes.webhooks import Delivery
from tests.web.counter import Counter, send

EXPECTED = {200, 202, 400, 401, 404, 405, 408, 413, 415, 422}


@pytest.fixture(scope="module")
def counter() -> Counter:
    return Counter()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=signed())
def test_a_signed_delivery_of_any_content_is_taken_or_refused(counter: Counter, request: tuple[str, Delivery]) -> None:
    path, sent = request
    answer = asyncio.run(send(counter.app(), path, sent))
    assert answer.status in EXPECTED
    assert answer.text.isascii()
    assert answer.text.count("\n") == 1


@settings(max_examples=300, deadline=None)
@given(request=unsigned(), method=st.sampled_from(["POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "X"]))
def test_what_nobody_has_signed_is_refused(counter: Counter, request: tuple[str, Delivery], method: str) -> None:
    path, sent = request
    answer = asyncio.run(send(counter.app(), path, sent, method=method))
    assert answer.status in EXPECTED - {200, 202}
