"""Discounts on lines."""

from decimal import Decimal


def discount_of(line):
    """What is taken off the line's full price, in whole cents."""
    if not line.discount_percent:
        return Decimal("0.00")
    off = line.full_price * line.discount_percent / 100
    return Decimal(str(round(float(off), 2))).quantize(Decimal("0.01"))


def net_of(line):
    """The line's price after its discount."""
    return line.full_price - discount_of(line)
