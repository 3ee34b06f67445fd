"""Held-out check of the example spec round-half-up.md: amounts that its visible tests do not hold."""

from decimal import Decimal

import pytest
from invoices import total


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["0.125"], "0.13"),
        (["2.675"], "2.68"),
        (["1.005", "1.000"], "2.01"),
        (["-0.125"], "-0.13"),
    ],
)
def test_half_a_cent_is_rounded_up(amounts: list[str], expected: str) -> None:
    assert total([Decimal(amount) for amount in amounts]) == Decimal(expected)
