import unittest
from decimal import Decimal

from invoices.discounts import discount_of, net_of
from invoices.lines import Line


def line(quantity="1", price="10", **more):
    return Line("Thing", Decimal(quantity), Decimal(price), **more)


class Lines(unittest.TestCase):
    def test_price_times_quantity(self):
        self.assertEqual(line("3", "4.35").full_price, Decimal("13.05"))

    def test_part_quantities(self):
        self.assertEqual(line("0.5", "19.90").full_price, Decimal("9.95"))

    def test_an_empty_description_is_refused(self):
        with self.assertRaisesRegex(ValueError, "description"):
            Line("  ", Decimal(1), Decimal(1))

    def test_a_tax_below_zero_is_refused(self):
        with self.assertRaisesRegex(ValueError, "below zero"):
            line(tax_rate=Decimal("-1"))

    def test_a_discount_over_a_hundred_is_refused(self):
        with self.assertRaisesRegex(ValueError, "between"):
            line(discount_percent=Decimal("101"))


class Discounts(unittest.TestCase):
    def test_none_by_default(self):
        self.assertEqual(discount_of(line()), Decimal("0.00"))

    def test_a_tenth(self):
        self.assertEqual(discount_of(line(price="49.90", discount_percent=Decimal(10))), Decimal("4.99"))

    def test_the_net_is_what_is_left(self):
        self.assertEqual(net_of(line(price="149", discount_percent=Decimal(15))), Decimal("126.65"))

    def test_everything_off(self):
        self.assertEqual(net_of(line(discount_percent=Decimal(100))), Decimal("0.00"))
