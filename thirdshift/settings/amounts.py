"""Money as thirdshift.toml has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from thirdshift.core.money import parse_usd


def _money(value: object) -> int:
    """Nano-dollars of a money string; refuses numbers, because 0.1 is not what it looks like."""
    if not isinstance(value, str):
        raise ValueError(f'money is written as a string: "{value}"')  # noqa: TRY004 - pydantic reports ValueError
    return parse_usd(value)


Money = Annotated[int, BeforeValidator(_money)]
"""Nano-dollars, from a string of US dollars."""
