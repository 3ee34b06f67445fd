"""What an invoice comes to."""

from dataclasses import dataclass
from decimal import Decimal

from invoices.tax import nets_by_rate, tax_on


@dataclass(frozen=True)
class Totals:
    """Net, tax for each rate, and gross."""

    net: Decimal
    tax_by_rate: dict
    gross: Decimal

    @property
    def tax(self):
        """All tax."""
        return sum(self.tax_by_rate.values(), Decimal("0.00"))


def totals_of(invoice):
    """The totals of an invoice; tax is rounded once for each rate."""
    nets = nets_by_rate(invoice.lines)
    taxes = {rate: tax_on(net, rate) for rate, net in nets.items()}
    net = sum(nets.values(), Decimal("0.00"))
    return Totals(net=net, tax_by_rate=taxes, gross=net + sum(taxes.values(), Decimal("0.00")))
