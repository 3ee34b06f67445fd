import unittest
from decimal import Decimal

from invoices.money import format_amount, parse_amount, round_cents


class ParseAmount(unittest.TestCase):
    def test_a_point_marks_the_cents(self):
        self.assertEqual(parse_amount("12.50"), Decimal("12.50"))

    def test_a_comma_marks_the_cents_too(self):
        self.assertEqual(parse_amount("12,50"), Decimal("12.50"))

    def test_spaces_group_thousands(self):
        self.assertEqual(parse_amount(" 1 234.5 "), Decimal("1234.5"))

    def test_point_and_comma_together_are_refused(self):
        with self.assertRaisesRegex(ValueError, "both"):
            parse_amount("1,234.50")

    def test_words_are_refused(self):
        with self.assertRaisesRegex(ValueError, "not an amount"):
            parse_amount("twelve")

    def test_infinity_is_refused(self):
        with self.assertRaisesRegex(ValueError, "not an amount"):
            parse_amount("inf")

    def test_whole_numbers_pass(self):
        self.assertEqual(parse_amount(3), Decimal("3"))


class RoundCents(unittest.TestCase):
    def test_below_half_goes_down(self):
        self.assertEqual(round_cents(Decimal("1.234")), Decimal("1.23"))

    def test_above_half_goes_up(self):
        self.assertEqual(round_cents(Decimal("1.236")), Decimal("1.24"))

    def test_two_places_are_always_there(self):
        self.assertEqual(str(round_cents(Decimal("2"))), "2.00")

    def test_what_is_rounded_stays(self):
        self.assertEqual(round_cents(Decimal("9.99")), Decimal("9.99"))


class FormatAmount(unittest.TestCase):
    def test_thousands_are_spaced(self):
        self.assertEqual(format_amount(Decimal("1234567.5")), "1 234 567.50")

    def test_credit_keeps_its_sign(self):
        self.assertEqual(format_amount(Decimal("-3.2")), "-3.20")
