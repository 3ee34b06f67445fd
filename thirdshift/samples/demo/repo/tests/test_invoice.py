import unittest
from datetime import date
from decimal import Decimal

from invoices import Invoice, Line
from invoices.numbering import next_number
from invoices.reader import invoice_from

LINE = Line("Thing", Decimal(1), Decimal(1))


class Invoices(unittest.TestCase):
    def test_due_two_weeks_later(self):
        self.assertEqual(Invoice("2026-0001", "A", date(2026, 2, 20), (LINE,)).due, date(2026, 3, 6))

    def test_the_last_day_is_not_overdue(self):
        invoice = Invoice("2026-0001", "A", date(2026, 2, 20), (LINE,))
        self.assertFalse(invoice.is_overdue(date(2026, 3, 6)))
        self.assertTrue(invoice.is_overdue(date(2026, 3, 7)))

    def test_no_lines_are_refused(self):
        with self.assertRaisesRegex(ValueError, "no lines"):
            Invoice("2026-0001", "A", date(2026, 2, 20), ())

    def test_terms_below_zero_are_refused(self):
        with self.assertRaisesRegex(ValueError, "before"):
            Invoice("2026-0001", "A", date(2026, 2, 20), (LINE,), terms_days=-1)


class Numbers(unittest.TestCase):
    def test_the_first(self):
        self.assertEqual(next_number(None, 2026), "2026-0001")

    def test_the_next(self):
        self.assertEqual(next_number("2026-0041", 2026), "2026-0042")

    def test_a_new_year(self):
        self.assertEqual(next_number("2025-0310", 2026), "2026-0001")

    def test_an_odd_number_is_refused(self):
        with self.assertRaisesRegex(ValueError, "2026-0042"):
            next_number("17", 2026)

    def test_none_left(self):
        with self.assertRaisesRegex(ValueError, "no numbers left"):
            next_number("2026-9999", 2026)


class Reader(unittest.TestCase):
    def test_defaults(self):
        data = {"number": "1", "customer": "A", "issued": "2026-03-02"}
        invoice = invoice_from({**data, "lines": [{"description": "Thing", "unit_price": "2,50"}]})
        self.assertEqual(invoice.lines[0].unit_price, Decimal("2.50"))
        self.assertEqual(invoice.lines[0].tax_rate, Decimal(20))

    def test_what_is_missing_is_named(self):
        with self.assertRaisesRegex(ValueError, "customer, lines"):
            invoice_from({"number": "1", "issued": "2026-03-02"})
