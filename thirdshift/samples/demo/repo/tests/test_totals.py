import unittest
from datetime import date
from decimal import Decimal

from invoices import Invoice, Line, totals_of
from invoices.tax import nets_by_rate, tax_on


def invoice(*lines):
    return Invoice("2026-0001", "Harbour Books", date(2026, 3, 2), lines)


def line(price, rate="20", quantity="1"):
    return Line("Thing", Decimal(quantity), Decimal(price), Decimal(rate))


class Tax(unittest.TestCase):
    def test_a_fifth(self):
        self.assertEqual(tax_on(Decimal("50.00"), Decimal(20)), Decimal("10.00"))

    def test_a_rate_with_a_fraction(self):
        self.assertEqual(tax_on(Decimal("80.00"), Decimal("7.7")), Decimal("6.16"))

    def test_no_tax_at_rate_zero(self):
        self.assertEqual(tax_on(Decimal("80.00"), Decimal(0)), Decimal("0.00"))

    def test_nets_are_summed_for_each_rate_in_order(self):
        nets = nets_by_rate(invoice(line("1", "20"), line("2", "10"), line("3", "20")).lines)
        self.assertEqual(list(nets.items()), [(Decimal(10), Decimal("2.00")), (Decimal(20), Decimal("4.00"))])


class Totals(unittest.TestCase):
    def test_one_line(self):
        totals = totals_of(invoice(line("100")))
        self.assertEqual((totals.net, totals.tax, totals.gross), (Decimal(100), Decimal(20), Decimal(120)))

    def test_two_rates(self):
        totals = totals_of(invoice(line("100", "20"), line("50", "10")))
        self.assertEqual(totals.tax_by_rate, {Decimal(10): Decimal(5), Decimal(20): Decimal(20)})
        self.assertEqual(totals.gross, Decimal(175))

    def test_tax_is_rounded_once_for_each_rate(self):
        # Line by line it would be 3 x 0.07 = 0.21; the tax office adds up 3 x 0.33 = 0.99 and takes a fifth.
        totals = totals_of(invoice(line("0.33"), line("0.33"), line("0.33")))
        self.assertEqual(totals.tax, Decimal("0.20"))

    def test_gross_is_net_and_tax(self):
        totals = totals_of(invoice(line("19.99", "7.7"), line("0.05", "20")))
        self.assertEqual(totals.gross, totals.net + totals.tax)
