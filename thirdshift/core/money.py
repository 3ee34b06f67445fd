"""Money is an integer number of nano-dollars; decimal strings exist only at the edges."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

NANO_PER_USD = 1_000_000_000
MOST_USD = 9_000_000_000
"""No single amount reaches this: nano-dollars are 64-bit integers in the ledger."""


def parse_usd(text: str) -> int:
    """Nano-dollars of a decimal string such as ``"1.50"``.

    Raises ValueError for anything but a finite, non-negative amount of at most nine decimal places, which the books
    have room for.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f'{text!r} is not an amount of US dollars; write it like "1.50"') from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{text!r} is not a non-negative amount of US dollars")
    if amount >= MOST_USD:
        raise ValueError(f"{text[:40]!r} is more than the books have room for; write less than {MOST_USD} US dollars")
    nano = amount * NANO_PER_USD
    if nano != nano.to_integral_value():
        raise ValueError(f"{text!r} has more than nine decimal places; a nano-dollar is the smallest unit")
    return int(nano)


def format_usd(nano: int, places: int | None = None) -> str:
    """A decimal string of dollars, exact by default, rounded half-even to ``places`` when given."""
    if places is not None:
        amount = Decimal(nano) / NANO_PER_USD
        return f"{amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN):f}"
    whole, rest = divmod(abs(nano), NANO_PER_USD)
    sign = "-" if nano < 0 else ""
    return f"{sign}{whole}.{rest:09}".rstrip("0") if rest else f"{sign}{whole}"
