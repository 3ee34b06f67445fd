"""What a call may cost at most, and what it did cost: exact integers, rounded up once, by a vendor's price list.

Rates are nano-dollars per million tokens, so every published price (at least a billionth of a dollar per million)
is a whole number. A cost is ``ceil(sum of count x rate / 1,000,000)`` nano-dollars: rounding happens once for each
call, upwards, by less than a billionth of a dollar. A hold is computed the same way from counts and rates that are
each at least the true ones, so it is never below the cost.
"""

from __future__ import annotations

from thirdshift.core.errors import PriceUnknown
from thirdshift.core.ledger import Conversation
from thirdshift.core.rates import Band as Band
from thirdshift.core.rates import Rates as Rates
from thirdshift.core.usage import Usage

PER_MILLION = 1_000_000
PER_THOUSAND = 1_000

VENDOR_PREAMBLE_TOKENS = 1024
"""What vendors put before a request by themselves: tool instructions, role markers. Anthropic states up to 804
tokens for tools (platform.claude.com, tool use pricing); nobody else states more."""

TURN_MARGIN_TOKENS = 64
"""Role markers and template tokens of the turns appended since the last reported usage. The JSON that is counted
around each part is longer than the markers that vendors render instead, so this is a margin upon a margin."""


def cost_nano(rates: Rates, usage: Usage) -> int:
    """The cost of a call in nano-dollars. Raises PriceUnknown naming a unit that it used and that has no rate."""
    band = rates.band_for(usage.all_input)
    reasoning = min(usage.reasoning_tokens, usage.output_tokens)
    units = (
        ("input", usage.input_tokens, band.input),
        ("cache_read", usage.cache_read_tokens, band.cache_read),
        ("cache_write", usage.cache_write_5m_tokens, band.cache_write_5m),
        ("cache_write_1h", usage.cache_write_1h_tokens, band.cache_write_1h),
        ("output", usage.output_tokens - reasoning, band.output),
        ("reasoning", reasoning, band.reasoning),
    )
    micro = 0
    for unit, count, rate in units:
        if count and rate is None:
            raise PriceUnknown(f"{count:,} {unit} tokens were used and the price list has no rate for {unit}")
        micro += count * (rate or 0)
    if usage.server_tool_requests:
        if rates.server_tools_per_thousand is None:
            raise PriceUnknown(f"{usage.server_tool_requests} server tool requests have no rate in the price list")
        micro += usage.server_tool_requests * rates.server_tools_per_thousand * (PER_MILLION // PER_THOUSAND)
    return _rounded_up(micro)


def hold_nano(
    rates: Rates,
    input_bound_tokens: int,
    max_output_tokens: int,
    *,
    long_cache: bool = False,
    server_tool_requests: int = 0,
) -> int:
    """The most that a call can cost: every input token at the dearest rate that could apply, all output used.

    ``long_cache``: the request asks for cache entries that live an hour or longer. ``server_tool_requests``: the
    most that it lets the vendor's own tools be used. Nothing here asks for either by itself.
    """
    inward, outward = _dearest(rates, input_bound_tokens, long_cache=long_cache)
    micro = input_bound_tokens * inward + max_output_tokens * outward
    if server_tool_requests:
        if rates.server_tools_per_thousand is None:
            raise PriceUnknown("the request allows server tools, and the price list has no rate for them")
        micro += server_tool_requests * rates.server_tools_per_thousand * (PER_MILLION // PER_THOUSAND)
    return _rounded_up(micro)


def fit_max_tokens(
    rates: Rates,
    input_bound_tokens: int,
    max_output_tokens: int,
    floor_tokens: int,
    free_nano: int,
    *,
    long_cache: bool = False,
) -> int | None:
    """The most output tokens whose hold fits into ``free_nano``, None if that is below the floor."""
    inward, outward = _dearest(rates, input_bound_tokens, long_cache=long_cache)
    room = free_nano * PER_MILLION - input_bound_tokens * inward
    if room < 0:
        return None
    most = max_output_tokens if outward == 0 else min(max_output_tokens, room // outward)
    return most if most >= floor_tokens else None


def input_bound(conversation: Conversation, content_bytes: int, counted: int | None = None) -> int:
    """An upper bound of the tokens that a request's input will be billed as.

    ``content_bytes``: UTF-8 bytes of everything that the request carries (system, tools, messages); a byte-level
    tokenizer cannot make more tokens than that. Better where the last call's usage is known: its input is the
    unchanged prefix, and only what was appended since is bounded by its bytes. Best, ``counted``: the vendor's own
    count of this very request, which Anthropic calls an estimate, so a fiftieth is added.
    """
    bounds = [content_bytes + VENDOR_PREAMBLE_TOKENS]
    if conversation.last_usage is not None:
        bounds.append(conversation.last_usage.all_input + conversation.bytes_since_usage + TURN_MARGIN_TOKENS)
    if counted is not None:
        bounds.append(counted + max(TURN_MARGIN_TOKENS, counted // 50))
    return min(bounds)


def _dearest(rates: Rates, input_bound_tokens: int, *, long_cache: bool) -> tuple[int, int]:
    bands = rates.bands_up_to(input_bound_tokens)
    return max(band.dearest_input(long_cache=long_cache) for band in bands), max(band.dearest_output for band in bands)


def _rounded_up(micro: int) -> int:
    return -(-micro // PER_MILLION)
