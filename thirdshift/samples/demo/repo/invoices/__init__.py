"""Totals, taxes and CSV files for small invoices."""

from invoices.invoice import Invoice
from invoices.lines import Line
from invoices.totals import Totals, totals_of

__all__ = ["Invoice", "Line", "Totals", "totals_of"]
