"""Invoices from JSON files."""

import json
from datetime import date
from decimal import Decimal

from invoices.invoice import Invoice
from invoices.lines import Line
from invoices.money import parse_amount


def read_invoice(path):
    """The invoice in a JSON file; numbers in it may be strings or plain numbers."""
    with open(path, encoding="utf-8") as file:
        return invoice_from(json.load(file, parse_float=Decimal))


def invoice_from(data):
    """An invoice from the decoded JSON object."""
    missing = [key for key in ("number", "customer", "issued", "lines") if key not in data]
    if missing:
        raise ValueError("the invoice lacks " + ", ".join(missing))
    return Invoice(
        number=data["number"],
        customer=data["customer"],
        issued=date.fromisoformat(data["issued"]),
        lines=tuple(line_from(line) for line in data["lines"]),
        terms_days=data.get("terms_days", 14),
    )


def line_from(data):
    """A line from its JSON object."""
    return Line(
        description=data["description"],
        quantity=parse_amount(data.get("quantity", 1)),
        unit_price=parse_amount(data["unit_price"]),
        tax_rate=parse_amount(data.get("tax_rate", 20)),
        discount_percent=parse_amount(data.get("discount_percent", 0)),
    )
