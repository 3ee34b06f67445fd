"""Invoices as CSV, for the bookkeepers' spreadsheet."""

import csv
import io

from invoices.discounts import net_of
from invoices.tax import tax_on

COLUMNS = ("invoice", "customer", "issued", "description", "quantity", "net", "tax_rate", "tax")


def rows_of(invoice):
    """One row for each line, as strings."""
    for line in invoice.lines:
        net = net_of(line)
        yield {
            "invoice": invoice.number,
            "customer": guarded(invoice.customer),
            "issued": invoice.issued.isoformat(),
            "description": guarded(line.description),
            "quantity": str(line.quantity),
            "net": f"{net:.2f}",
            "tax_rate": str(line.tax_rate),
            "tax": f"{tax_on(net, line.tax_rate):.2f}",
        }


def guarded(text):
    """The text with a leading apostrophe where a spreadsheet would take it for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t") else text


def export(invoices):
    """The CSV text of some invoices, header first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for invoice in invoices:
        writer.writerows(rows_of(invoice))
    return out.getvalue()
