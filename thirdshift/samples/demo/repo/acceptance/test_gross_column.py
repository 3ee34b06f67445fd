"""What the bookkeepers expect of the CSV file."""

import csv
import io
import unittest
from datetime import date
from decimal import Decimal

from invoices import Invoice, Line
from invoices.csv_export import export


class GrossColumn(unittest.TestCase):
    def setUp(self):
        lines = (Line("Beans", Decimal(3), Decimal("4.35")), Line("Books", Decimal(1), Decimal("10"), Decimal(10)))
        text = export([Invoice("2026-0001", "Harbour Books", date(2026, 3, 2), lines)])
        self.header = text.splitlines()[0].split(",")
        self.rows = list(csv.DictReader(io.StringIO(text)))

    def test_it_is_the_last_column(self):
        self.assertEqual(self.header[-2:], ["tax", "gross"])

    def test_it_is_net_and_tax(self):
        self.assertEqual([row["gross"] for row in self.rows], ["15.66", "11.00"])
