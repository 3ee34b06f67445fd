"""Prices that a person wrote into thirdshift.toml."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.money import NANO_PER_USD
from thirdshift.core.pricing import Band, Rates

UNITS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")
SAME_AS = "price_as"


def nano_per_million(usd_per_million: Decimal) -> int:
    """A published price as a rate; a fraction of a nano-dollar per million tokens is rounded up."""
    scaled = usd_per_million * NANO_PER_USD
    whole = int(scaled)
    return whole if whole == scaled else whole + 1


def rates_of(model: str, written: Mapping[str, str]) -> Rates:
    """The rates of ``[prices."provider/model"]``, US dollars per million tokens.

    A unit that is left out is billed as the unit it is a part of: reads and writes of a cache as input, reasoning as
    output. An hour's cache entry has no such fallback, since where it exists it costs more than anything else.
    Raises SettingsInvalid naming the entry.
    """
    unknown = sorted(set(written) - set(UNITS))
    if unknown:
        raise SettingsInvalid(
            f'[prices."{model}"]: unknown key {unknown[0]!r}; there are {", ".join(UNITS)}, {SAME_AS}'
        )
    missing = [unit for unit in ("input", "output") if unit not in written]
    if missing:
        raise SettingsInvalid(f'[prices."{model}"]: {" and ".join(missing)} missing; add {missing[0]} = "0.10" or so')
    rates = {unit: _rate(model, unit, text) for unit, text in written.items()}
    band = Band(
        input=rates["input"],
        cache_read=rates.get("cache_read", rates["input"]),
        cache_write_5m=rates.get("cache_write", rates["input"]),
        cache_write_1h=rates.get("cache_write_1h"),
        output=rates["output"],
        reasoning=rates.get("reasoning", rates["output"]),
    )
    return Rates(bands=(band,))


def _rate(model: str, unit: str, text: str) -> int:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price < 0:
        raise SettingsInvalid(
            f'[prices."{model}"]: {unit} = {text!r} is no price; write US dollars per million tokens, like "0.40"'
        )
    return nano_per_million(price)


def lines_to_add(model: str) -> str:
    """What to write into thirdshift.toml when a model's price is not known."""
    return (
        f'[prices."{model}"]    # US dollars per million tokens\n'
        'input = "0.00"\ncache_read = "0.00"\ncache_write = "0.00"\noutput = "0.00"'
    )
