from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from thirdshift.core.errors import PriceUnknown
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import AttemptRow, Conversation
from thirdshift.core.pricing import (
    VENDOR_PREAMBLE_TOKENS,
    Band,
    Rates,
    cost_nano,
    fit_max_tokens,
    hold_nano,
    input_bound,
)
from thirdshift.core.usage import Usage

USD = 1_000_000_000
SONNET = Rates(
    bands=(
        Band(
            input=3 * USD,
            cache_read=USD * 3 // 10,
            cache_write_5m=USD * 15 // 4,
            cache_write_1h=6 * USD,
            output=15 * USD,
            reasoning=15 * USD,
        ),
        Band(
            over_input_tokens=200_000,
            input=6 * USD,
            cache_read=USD * 6 // 10,
            cache_write_5m=USD * 15 // 2,
            cache_write_1h=12 * USD,
            output=USD * 45 // 2,
            reasoning=USD * 45 // 2,
        ),
    ),
    server_tools_per_thousand=10 * USD,
)

rate = st.integers(0, 200 * USD)
count = st.integers(0, 2_000_000)


@st.composite
def price_lists(draw: st.DrawFn) -> Rates:
    starts = sorted(draw(st.sets(st.integers(1, 1_000_000), max_size=3)))
    bands = tuple(
        Band(
            over_input_tokens=start,
            input=draw(rate),
            cache_read=draw(rate),
            cache_write_5m=draw(rate),
            cache_write_1h=draw(rate),
            output=draw(rate),
            reasoning=draw(rate),
        )
        for start in (0, *starts)
    )
    return Rates(bands=bands, server_tools_per_thousand=draw(rate))


@st.composite
def usages(draw: st.DrawFn, *, long_cache: bool = True) -> Usage:
    output = draw(count)
    return Usage(
        input_tokens=draw(count),
        cache_read_tokens=draw(count),
        cache_write_5m_tokens=draw(count),
        cache_write_1h_tokens=draw(count) if long_cache else 0,
        output_tokens=output,
        reasoning_tokens=draw(st.integers(0, output)),
    )


def talk(last_usage: Usage | None, bytes_since_usage: int) -> Conversation:
    attempt = AttemptRow(
        owner_id="loop",
        job_id="job",
        number=1,
        role="code",
        rung=Rung(model="a/b", tier=Tier.ECONOMY),
        reason=ReasonCode.FIRST,
        start_tree="t",
        start_commit="c",
        host="h",
        opened_at=datetime(2026, 1, 1, tzinfo=UTC),
        system="",
        tools=(),
        opening=(),
    )
    return Conversation(
        attempt=attempt, messages=(), last_usage=last_usage, bytes_since_usage=bytes_since_usage, steps=0
    )


def test_every_unit_is_priced_at_its_own_rate() -> None:
    usage = Usage(
        input_tokens=1000,
        cache_read_tokens=2000,
        cache_write_5m_tokens=3000,
        cache_write_1h_tokens=4000,
        output_tokens=500,
        reasoning_tokens=200,
        server_tool_requests=3,
    )
    assert cost_nano(SONNET, usage) == 3_000_000 + 600_000 + 11_250_000 + 24_000_000 + 7_500_000 + 30_000_000


def test_reasoning_is_billed_at_its_own_rate_where_there_is_one() -> None:
    rates = Rates(bands=(Band(input=0, cache_read=0, output=USD, reasoning=3 * USD),))
    assert cost_nano(rates, Usage(output_tokens=10, reasoning_tokens=4)) == 6000 + 12000


@pytest.mark.parametrize(("tokens", "cost"), [(200_000, 200_000 * 3000), (200_001, 200_001 * 6000)])
def test_a_long_context_is_billed_at_its_bands_rate_from_the_first_token_beyond(tokens: int, cost: int) -> None:
    assert cost_nano(SONNET, Usage(input_tokens=tokens)) == cost


def test_cached_tokens_count_towards_the_length_of_the_context() -> None:
    assert cost_nano(SONNET, Usage(input_tokens=1, cache_read_tokens=200_000)) == 6000 + 200_000 * 600


def test_a_fraction_of_a_nano_dollar_is_rounded_up_once_for_the_whole_call() -> None:
    rates = Rates(bands=(Band(input=1, cache_read=1, output=1, reasoning=1),))
    assert cost_nano(rates, Usage(input_tokens=1, cache_read_tokens=1, output_tokens=1)) == 1
    assert cost_nano(rates, Usage()) == 0


@pytest.mark.parametrize(
    ("usage", "unit"),
    [
        (Usage(cache_write_5m_tokens=1), "cache_write"),
        (Usage(cache_write_1h_tokens=1), "cache_write_1h"),
        (Usage(server_tool_requests=1), "server tool"),
    ],
)
def test_a_unit_that_has_no_rate_cannot_be_priced(usage: Usage, unit: str) -> None:
    rates = Rates(bands=(Band(input=1, cache_read=1, output=1, reasoning=1),))
    with pytest.raises(PriceUnknown, match=unit):
        cost_nano(rates, usage)
    with pytest.raises(PriceUnknown, match="server tools"):
        hold_nano(rates, 1, 1, server_tool_requests=1)


def test_bands_begin_at_zero_and_ascend() -> None:
    band = Band(input=1, cache_read=1, output=1, reasoning=1)
    for starts in [(1,), (0, 0), (0, 20, 10)]:
        with pytest.raises(ValidationError, match="begin at 0"):
            Rates(bands=tuple(band.model_copy(update={"over_input_tokens": start}) for start in starts))


@given(price_lists(), usages(), st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 1000))
def test_a_hold_is_never_below_the_cost(rates: Rates, usage: Usage, more: int, longer: int, tools: int) -> None:
    used = usage.model_copy(update={"server_tool_requests": tools})
    hold = hold_nano(
        rates, usage.all_input + more, usage.output_tokens + longer, long_cache=True, server_tool_requests=tools
    )
    assert hold >= cost_nano(rates, used)


@given(price_lists(), usages(long_cache=False))
def test_a_hold_without_long_cache_covers_every_call_that_asks_for_none(rates: Rates, usage: Usage) -> None:
    assert hold_nano(rates, usage.all_input, usage.output_tokens) >= cost_nano(rates, usage)


@given(price_lists(), usages())
def test_a_cost_is_the_exact_sum_rounded_up_by_less_than_a_nano_dollar(rates: Rates, usage: Usage) -> None:
    band = next(b for b in reversed(rates.bands) if usage.all_input > b.over_input_tokens or b.over_input_tokens == 0)
    exact = Fraction(
        usage.input_tokens * band.input
        + usage.cache_read_tokens * band.cache_read
        + usage.cache_write_5m_tokens * (band.cache_write_5m or 0)
        + usage.cache_write_1h_tokens * (band.cache_write_1h or 0)
        + (usage.output_tokens - usage.reasoning_tokens) * band.output
        + usage.reasoning_tokens * band.reasoning,
        1_000_000,
    )
    assert 0 <= cost_nano(rates, usage) - exact < 1


@given(price_lists(), count, st.integers(1, 100_000), st.integers(1, 5000), st.integers(0, 10**14))
def test_the_fitted_output_is_the_most_whose_hold_fits(
    rates: Rates, bound: int, asked: int, floor: int, free: int
) -> None:
    fitted = fit_max_tokens(rates, bound, asked, floor, free)
    if fitted is None:
        assert floor > asked or hold_nano(rates, bound, floor) > free
        return
    assert floor <= fitted <= asked
    assert hold_nano(rates, bound, fitted) <= free
    assert fitted == asked or hold_nano(rates, bound, fitted + 1) > free


def test_the_bound_of_a_first_call_is_the_bytes_it_sends() -> None:
    assert input_bound(talk(None, 0), 4000) == 4000 + VENDOR_PREAMBLE_TOKENS


def test_the_bound_of_a_later_call_is_the_last_reported_input_and_the_bytes_appended() -> None:
    last = Usage(input_tokens=100, cache_read_tokens=9000, cache_write_5m_tokens=900)
    assert input_bound(talk(last, 500), 40_000) == 10_000 + 500 + 64


def test_the_bound_is_never_looser_than_the_bytes_of_everything() -> None:
    last = Usage(input_tokens=90_000)
    assert input_bound(talk(last, 500), 4000) == 4000 + VENDOR_PREAMBLE_TOKENS


def test_a_vendors_own_count_is_used_with_a_margin() -> None:
    assert input_bound(talk(None, 0), 40_000, counted=10_000) == 10_200
    assert input_bound(talk(None, 0), 40_000, counted=100) == 164
