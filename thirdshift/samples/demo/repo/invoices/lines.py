"""One line of an invoice."""

from dataclasses import dataclass
from decimal import Decimal

from invoices.money import round_cents


@dataclass(frozen=True)
class Line:
    """So many of something at a price; ``tax_rate`` is in percent."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal = Decimal("20")
    discount_percent: Decimal = Decimal("0")

    def __post_init__(self):
        if not self.description.strip():
            raise ValueError("a line needs a description")
        if self.tax_rate < 0:
            raise ValueError(f"tax rate {self.tax_rate} is below zero")
        if not 0 <= self.discount_percent <= 100:
            raise ValueError(f"discount {self.discount_percent} is not between 0 and 100 percent")

    @property
    def full_price(self):
        """Quantity times price, in whole cents, before any discount."""
        return round_cents(self.quantity * self.unit_price)
