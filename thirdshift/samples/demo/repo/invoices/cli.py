"""The command line: ``python3 -m invoices total FILE`` and ``... export FILE...``."""

import argparse
import sys

from invoices.csv_export import export
from invoices.money import format_amount
from invoices.reader import read_invoice
from invoices.totals import totals_of


def main(arguments=None):
    """Run one command; 0 is success, 1 a file that cannot be used."""
    parser = argparse.ArgumentParser(prog="invoices", description="Totals and CSV files for small invoices.")
    commands = parser.add_subparsers(dest="command", required=True)
    total = commands.add_parser("total", help="print net, tax and gross")
    total.add_argument("file")
    csv_command = commands.add_parser("export", help="print CSV")
    csv_command.add_argument("files", nargs="+")
    options = parser.parse_args(arguments)
    try:
        if options.command == "total":
            print_totals(totals_of(read_invoice(options.file)))
        else:
            sys.stdout.write(export([read_invoice(file) for file in options.files]))
    except (OSError, ValueError) as problem:
        print(f"invoices: {problem}", file=sys.stderr)
        return 1
    return 0


def print_totals(totals):
    """Net, tax for each rate and gross, one to a line."""
    print(f"net    {format_amount(totals.net):>12}")
    for rate, tax in totals.tax_by_rate.items():
        print(f"tax {rate:>2}%{format_amount(tax):>12}")
    print(f"gross  {format_amount(totals.gross):>12}")
