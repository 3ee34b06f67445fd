"""An invoice: number, customer, date, lines."""

from dataclasses import dataclass
from datetime import date, timedelta

from invoices.lines import Line


@dataclass(frozen=True)
class Invoice:
    """What was sold to whom and when; ``terms_days`` is how long the customer has to pay."""

    number: str
    customer: str
    issued: date
    lines: tuple[Line, ...]
    terms_days: int = 14

    def __post_init__(self):
        if not self.lines:
            raise ValueError(f"invoice {self.number} has no lines")
        if self.terms_days < 0:
            raise ValueError(f"invoice {self.number} is due before it is issued")

    @property
    def due(self):
        """The last day to pay."""
        return self.issued + timedelta(days=self.terms_days)

    def is_overdue(self, today):
        """Whether the last day to pay has passed."""
        return today > self.due
