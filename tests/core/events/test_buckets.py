from __future__ import annotations

import pytest

from thirdshift.core.events.buckets import TokenBucket
from thirdshift.core.events.intakes import intake_id


def test_a_burst_is_let_through_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(per_minute=60, burst=3, now=100.0)
    assert [bucket.take(100.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(100.0) == pytest.approx(1.0)
    assert bucket.take(100.5) == pytest.approx(0.5)
    assert bucket.take(101.0) == 0
    assert [bucket.take(1000.0) for _ in range(4)] == [0, 0, 0, pytest.approx(1.0)]


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    bucket = TokenBucket(per_minute=60, burst=1, now=100.0)
    assert bucket.take(100.0) == 0
    assert bucket.take(50.0) > 0


def test_repositories_that_look_alike_have_intakes_of_their_own() -> None:
    names = ["acme/shop", "acme-shop", "Acme/Shop", "acme/shop/", "", "ü" * 500, "x" * 500]
    ids = [intake_id(name) for name in names]
    assert len(set(ids)) == len(names)
    assert ids[0].startswith("intake-acme-shop-")
    assert all(len(name) < 80 and name.isascii() for name in ids)
