"""Invoice numbers: year, dash, four digits."""

import re

PATTERN = re.compile(r"^(\d{4})-(\d{4})$")


def next_number(previous, year):
    """The number after ``previous``; a new year begins at 1. ``previous`` is None for the very first."""
    if previous is None:
        return f"{year}-0001"
    match = PATTERN.match(previous)
    if match is None:
        raise ValueError(f"{previous!r} is not an invoice number; it should look like 2026-0042")
    if int(match[1]) > year:
        raise ValueError(f"{previous} is from a later year than {year}")
    if int(match[1]) < year:
        return f"{year}-0001"
    if match[2] == "9999":
        raise ValueError(f"year {year} has no numbers left")
    return f"{year}-{int(match[2]) + 1:04d}"
