import csv
import io
import unittest
from datetime import date
from decimal import Decimal

from invoices import Invoice, Line
from invoices.csv_export import export


def rows(*lines):
    invoice = Invoice("2026-0001", "Harbour Books", date(2026, 3, 2), lines)
    return list(csv.DictReader(io.StringIO(export([invoice]))))


class Export(unittest.TestCase):
    def test_one_row_for_each_line(self):
        self.assertEqual(len(rows(Line("A", Decimal(1), Decimal(1)), Line("B", Decimal(2), Decimal(2)))), 2)

    def test_net_and_tax(self):
        row = rows(Line("A", Decimal(3), Decimal("4.35")))[0]
        self.assertEqual((row["net"], row["tax_rate"], row["tax"]), ("13.05", "20", "2.61"))

    def test_commas_are_quoted(self):
        self.assertEqual(rows(Line("Beans, 1 kg", Decimal(1), Decimal(1)))[0]["description"], "Beans, 1 kg")

    def test_formulas_are_guarded(self):
        self.assertEqual(rows(Line("=1+1", Decimal(1), Decimal(1)))[0]["description"], "'=1+1")

    def test_no_invoices_give_the_header_alone(self):
        self.assertEqual(len(export([]).splitlines()), 1)
