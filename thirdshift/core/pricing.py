"""Prices as arithmetic: what a call may cost at most, and what it did cost. Integer nano-dollars, rounded up.

FIRST CUT by the coordinator so that the line can be wired; the ledger builder completes this file, keeping these
names: Rates, cost_nano, hold_nano, input_bound, fit_max_tokens (used by activities/quoting.py and activities/model.py).
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from thirdshift.core.frozen import Frozen
from thirdshift.core.ledger import Conversation
from thirdshift.core.usage import Usage


class Rates(Frozen):
    """Nano-dollars per million tokens."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int


def _up(nano_times_million: int) -> int:
    return -(-nano_times_million // 1_000_000)


def rates_from_usd(prices: dict[str, str]) -> Rates:
    """From decimal strings of USD per million tokens."""
    nano = {name: int((Decimal(text) * 10**9).to_integral_value(ROUND_CEILING)) for name, text in prices.items()}
    write = nano.get("cache_write", nano["input"])
    return Rates(
        input=nano["input"],
        cache_read=nano.get("cache_read", nano["input"]),
        cache_write_5m=write,
        cache_write_1h=nano.get("cache_write_1h", write),
        output=nano["output"],
    )


def cost_nano(rates: Rates, usage: Usage) -> int:
    """The true cost."""
    return (
        _up(usage.input_tokens * rates.input)
        + _up(usage.cache_read_tokens * rates.cache_read)
        + _up(usage.cache_write_5m_tokens * rates.cache_write_5m)
        + _up(usage.cache_write_1h_tokens * rates.cache_write_1h)
        + _up(usage.output_tokens * rates.output)
    )


def hold_nano(rates: Rates, input_bound_tokens: int, max_output_tokens: int) -> int:
    """The most that the call can cost."""
    dearest = max(rates.input, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h)
    return _up(input_bound_tokens * dearest) + 5 + _up(max_output_tokens * rates.output)


def input_bound(conversation: Conversation, content_bytes: int) -> int:
    """The most input tokens that the next request can have."""
    if conversation.last_usage is not None:
        return conversation.last_usage.all_input + conversation.bytes_since_usage
    return content_bytes


def fit_max_tokens(rates: Rates, bound: int, wanted: int, floor: int, free_nano: int) -> int | None:
    """The most output tokens whose hold fits into what is free; None below the floor."""
    left = free_nano - hold_nano(rates, bound, 0)
    most = min(wanted, left * 1_000_000 // rates.output if rates.output else wanted) if left > 0 else 0
    return most if most >= floor else None
