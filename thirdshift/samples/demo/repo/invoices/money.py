"""Amounts of money: reading, rounding, writing."""

from decimal import Decimal, InvalidOperation

CENT = Decimal("0.01")


def parse_amount(text):
    """The amount written in ``text``, with a point or a comma before the cents."""
    cleaned = str(text).strip().replace(" ", "")
    if "," in cleaned and "." in cleaned:
        raise ValueError(f"{text!r} has both a point and a comma")
    try:
        amount = Decimal(cleaned.replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount") from None
    if not amount.is_finite():
        raise ValueError(f"{text!r} is not an amount")
    return amount


def round_cents(amount):
    """The amount in whole cents."""
    return amount.quantize(CENT)


def format_amount(amount):
    """The amount with two decimal places and thin groups, such as ``1 234.50``."""
    return f"{round_cents(amount):,.2f}".replace(",", " ")
