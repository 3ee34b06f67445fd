"""JSON from outside: parsed with its depth and size known beforehand, and looked into without trust in its shape."""

from __future__ import annotations

import json
import re
from typing import Final

from thirdshift.core.events.drafts import Malformed

DEEPEST: Final = 64
"""Levels of nesting; what vendors send has fewer than ten."""
MOST_VALUES: Final = 1_000_000
"""Values in one body: a small body of empty lists takes many times its size in memory."""

# Whole strings are passed over, so that brackets inside them count for nothing. A string without an end runs to the end
# of the text: with possessive repetition that is found in one pass, whatever the text.
_MARKS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]|,', re.DOTALL)


def parse_json(body: bytes) -> object:
    """The value. Raises Malformed, whose words quote nothing of the body."""
    _refuse_bombs(body)
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON") from None


def _refuse_constant(_word: str) -> object:
    raise ValueError("JSON has no such number")


def _refuse_bombs(body: bytes) -> None:
    depth = values = 0
    for match in _MARKS.finditer(body):
        first = match.group()[:1]
        if first in b"[{":
            depth += 1
            values += 1
        elif first in b"]}":
            depth -= 1
        elif first == b",":
            values += 1
        if depth > DEEPEST:
            raise Malformed(f"the JSON is nested more than {DEEPEST} levels deep")
        if values > MOST_VALUES:
            raise Malformed(f"the JSON has more than {MOST_VALUES} values")


def value_at(value: object, *path: str | int) -> object:
    """What stands at a path of keys and places; None where the value has another shape."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: object, *path: str | int) -> str:
    """A string, number or truth value at a path, as text; empty where there is none."""
    found = value_at(value, *path)
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""


def list_at(value: object, *path: str | int) -> list[object]:
    """The list at a path; empty where there is none."""
    found = value_at(value, *path)
    return found if isinstance(found, list) else []


def first_text(value: object, *paths: tuple[str | int, ...]) -> str:
    """The first text that is not empty at any of these paths."""
    return next((found for path in paths if (found := text_at(value, *path))), "")
