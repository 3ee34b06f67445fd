"""What the bookkeepers expect of amounts that end in half a cent."""

import unittest
from decimal import Decimal

from invoices.lines import Line
from invoices.money import format_amount, round_cents
from invoices.tax import tax_on


class HalfCents(unittest.TestCase):
    def test_half_a_cent_goes_up(self):
        for amount, expected in (("0.125", "0.13"), ("0.135", "0.14"), ("2.665", "2.67"), ("2.675", "2.68")):
            with self.subTest(amount=amount):
                self.assertEqual(round_cents(Decimal(amount)), Decimal(expected))

    def test_a_credit_mirrors_its_invoice(self):
        self.assertEqual(round_cents(Decimal("-0.125")), Decimal("-0.13"))

    def test_large_amounts_lose_nothing(self):
        self.assertEqual(round_cents(Decimal("90071992547409.925")), Decimal("90071992547409.93"))

    def test_a_line(self):
        self.assertEqual(Line("Flyers", Decimal(5), Decimal("0.025")).full_price, Decimal("0.13"))

    def test_tax(self):
        self.assertEqual(tax_on(Decimal("0.25"), Decimal(10)), Decimal("0.03"))

    def test_what_is_printed(self):
        self.assertEqual(format_amount(Decimal("1234.565")), "1 234.57")
