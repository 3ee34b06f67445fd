from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.money import NANO_PER_USD, format_usd, parse_usd


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (1_500_000_000, "1.5"),
        (-2_000_000_000, "-2"),
        (100_000_000_000, "100"),
    ],
)
def test_an_exact_amount_has_no_zeros_at_its_end(nano: int, text: str) -> None:
    assert format_usd(nano) == text


@given(st.integers(min_value=0, max_value=10**18))
def test_what_is_written_is_read_back_to_the_nano_dollar(nano: int) -> None:
    assert parse_usd(format_usd(nano)) == nano


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_an_exact_amount_is_the_same_number_as_its_nano_dollars(nano: int) -> None:
    assert Decimal(format_usd(nano)) * NANO_PER_USD == nano


def test_places_round_half_to_even() -> None:
    assert (format_usd(125_000_000, 2), format_usd(135_000_000, 2), format_usd(5, 4)) == ("0.12", "0.14", "0.0000")


@pytest.mark.parametrize("text", ["9000000000", "1e400", "1e999999999"])
def test_more_than_the_books_have_room_for_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="more than the books have room for"):
        parse_usd(text)
    assert parse_usd("8999999999.999999999") < 2**63
