"""Tax, worked out once for each rate."""

from decimal import Decimal

from invoices.discounts import net_of
from invoices.money import round_cents


def tax_on(net, rate):
    """Tax on a net amount at a rate in percent, in whole cents."""
    return round_cents(net * rate / 100)


def nets_by_rate(lines):
    """The summed net for each tax rate, lowest rate first."""
    nets = {}
    for line in lines:
        nets[line.tax_rate] = nets.get(line.tax_rate, Decimal("0.00")) + net_of(line)
    return dict(sorted(nets.items()))
