"""Held out: every place that rounds, not only the one that the acceptance tests name."""

import csv
import io
import unittest
from datetime import date
from decimal import Decimal

from invoices import Invoice, Line, totals_of
from invoices.csv_export import export
from invoices.discounts import discount_of, net_of

DAY = date(2026, 3, 2)


class EveryPlaceThatRounds(unittest.TestCase):
    def test_a_discount_of_half_a_cent_goes_up(self):
        line = Line("Poster", Decimal(1), Decimal("2.50"), discount_percent=Decimal(5))
        self.assertEqual(discount_of(line), Decimal("0.13"))
        self.assertEqual(net_of(line), Decimal("2.37"))

    def test_a_discount_on_a_large_amount_loses_nothing(self):
        line = Line("Ship", Decimal(1), Decimal("900719925474099.30"), discount_percent=Decimal(50))
        self.assertEqual(discount_of(line), Decimal("450359962737049.65"))

    def test_totals(self):
        lines = (Line("Flyers", Decimal(5), Decimal("0.025"), Decimal(10)), Line("Sheet", Decimal(1), Decimal("0.115"), Decimal(10)))
        totals = totals_of(Invoice("2026-0001", "Harbour Books", DAY, lines))
        self.assertEqual((totals.net, totals.tax, totals.gross), (Decimal("0.25"), Decimal("0.03"), Decimal("0.28")))

    def test_the_csv_file_agrees(self):
        line = Line("Flyers", Decimal(5), Decimal("0.025"), Decimal(20))
        row = next(csv.DictReader(io.StringIO(export([Invoice("2026-0001", "Harbour Books", DAY, (line,))]))))
        self.assertEqual((row["net"], row["tax"], row["gross"]), ("0.13", "0.03", "0.16"))


if __name__ == "__main__":
    unittest.main()
