from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal
from itertools import product

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot

from thirdshift.adapters.prices import Prices, Quote
from thirdshift.core.errors import PriceUnknown, SettingsInvalid
from thirdshift.core.pricing import cost_nano
from thirdshift.core.usage import Usage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
USD = 1_000_000_000


def prices(overrides: dict[str, dict[str, str]] | None = None, at: datetime = NOON) -> Prices:
    return Prices(overrides or {}, clock=lambda: at)


def test_a_vendors_model_is_priced_from_the_catalogue() -> None:
    quote = prices().quote("anthropic", "claude", "claude-sonnet-5-5")
    (band,) = quote.rates.bands
    assert (band.input, band.cache_read, band.cache_write_5m, band.cache_write_1h, band.output) == (
        2 * USD,
        USD // 10,
        USD * 5 // 2,
        4 * USD,
        10 * USD,
    )
    assert quote.rates.server_tools_per_thousand == 10 * USD
    assert quote.source.startswith("genai-prices ")
    assert quote.source.endswith(" anthropic/claude-sonnet-5-5")
    assert quote.catalogue_date is not None
    assert quote.catalogue_date <= NOON.date()


def test_long_context_prices_become_bands() -> None:
    rates = prices().quote("anthropic", "claude", "claude-haiku-5-5").rates
    assert [(band.over_input_tokens, band.input) for band in rates.bands] == [(0, USD // 10), (100_000, USD // 2)]


def test_a_released_date_after_a_models_name_means_the_same_model() -> None:
    dated = prices().quote("anthropic", "claude", "claude-haiku-5-5-20261001")
    assert dated.snapshot_hash == prices().quote("anthropic", "claude", "claude-haiku-5-5").snapshot_hash


@pytest.mark.parametrize("kind", ["openai", "openai-chat"])
@pytest.mark.parametrize("base_url", ["", "https://api.openai.com/v1"])
def test_both_openai_kinds_at_the_official_address_are_openai(kind: str, base_url: str) -> None:
    assert prices().quote(kind, "oa", "gpt-5-mini", base_url).rates.bands[0].input == USD // 4


def test_another_vendors_own_address_is_that_vendor() -> None:
    quote = prices().quote("openai-chat", "groq", "llama-3.3-70b-versatile", "https://api.groq.com/openai/v1")
    assert "groq/" in quote.source


@pytest.mark.parametrize(
    ("kind", "model", "base_url", "why"),
    [
        ("anthropic", "claude-99-mega", "", "no model"),
        ("openai", "gpt-5-nano-unheard-of", "", "similar"),
        ("openai-chat", "gpt-5-mini", "http://127.0.0.1:8080/v1", "no vendor's own"),
        ("anthropic", "claude-sonnet-5-5", "https://proxy.example", "no vendor's own"),
        ("scripted", "sparrow", "", "kind 'scripted'"),
    ],
)
def test_what_is_not_known_is_refused_with_the_lines_to_add(kind: str, model: str, base_url: str, why: str) -> None:
    with pytest.raises(PriceUnknown, match=why) as caught:
        prices().quote(kind, "p", model, base_url)
    assert f'[prices."p/{model}"]' in str(caught.value)
    assert 'output = "0.00"' in str(caught.value)


def test_the_lines_to_add_are_enough() -> None:
    quote = prices({"p/m": {"input": "0.10", "cache_read": "0.02", "cache_write": "0.10", "output": "0.40"}}).quote(
        "scripted", "p", "m"
    )
    (band,) = quote.rates.bands
    assert (band.input, band.cache_read, band.cache_write_5m, band.cache_write_1h, band.output, band.reasoning) == (
        USD // 10,
        USD // 50,
        USD // 10,
        None,
        USD * 4 // 10,
        USD * 4 // 10,
    )
    assert (quote.source, quote.catalogue_date) == ('thirdshift.toml [prices."p/m"]', None)


def test_an_override_wins_over_the_catalogue() -> None:
    quote = prices({"oa/gpt-5-mini": {"input": "7", "output": "8"}}).quote("openai", "oa", "gpt-5-mini")
    assert quote.rates.bands[0].input == 7 * USD


def test_a_server_may_be_priced_as_a_vendors_model() -> None:
    quote = prices({"proxy/fast": {"price_as": "openai/gpt-5-mini"}}).quote(
        "openai-chat", "proxy", "fast", "http://127.0.0.1:1/v1"
    )
    assert quote.snapshot_hash == prices().quote("openai", "oa", "gpt-5-mini").snapshot_hash


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"input": "0.1"}, "output missing"),
        ({"input": "0.1", "output": "cheap"}, "no price"),
        ({"input": "-1", "output": "1"}, "no price"),
        ({"input": "1", "output": "1", "batch": "1"}, "unknown key 'batch'"),
        ({"price_as": "openai/gpt-5", "input": "1"}, "stands alone"),
    ],
)
def test_an_override_that_cannot_be_meant_is_refused(written: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsInvalid, match=says):
        prices({"p/m": written}).quote("scripted", "p", "m")


def test_a_price_finer_than_a_nano_dollar_per_million_is_rounded_up() -> None:
    quote = prices({"p/m": {"input": "0.0000000001", "output": "0"}}).quote("scripted", "p", "m")
    assert quote.rates.bands[0].input == 1


@pytest.mark.parametrize(
    ("kind", "model", "service", "input_usd"),
    [
        ("anthropic", "claude-opus-5-5", "batch", "2"),
        ("anthropic", "claude-opus-5-5", "fast", "8"),
        ("openai", "gpt-5-mini", "flex", "0.125"),
        ("openai", "gpt-5-mini", "priority", "0.45"),
        ("openai", "gpt-5-mini", "batch", "0.125"),
    ],
)
def test_other_services_have_their_own_prices(kind: str, model: str, service: str, input_usd: str) -> None:
    rates = prices().quote(kind, "p", model, service=service).rates
    assert rates.bands[0].input == int(Decimal(input_usd) * USD)


@pytest.mark.parametrize(
    ("kind", "model", "service"),
    [
        ("anthropic", "claude-sonnet-5-5", "fast"),
        ("anthropic", "claude-opus-4-1", "batch"),
        ("openai", "gpt-5-pro", "priority"),
        ("openai", "gpt-5-mini", "turbo"),
    ],
)
def test_a_service_without_prices_is_refused_where_the_catalogue_would_price_it_as_standard(
    kind: str, model: str, service: str
) -> None:
    with pytest.raises(PriceUnknown, match=f"no service '{service}'|no {service} prices"):
        prices().quote(kind, "p", model, service=service)


def test_a_service_is_refused_for_prices_written_by_hand() -> None:
    with pytest.raises(PriceUnknown, match="no batch prices"):
        prices({"p/m": {"input": "1", "output": "1"}}).quote("scripted", "p", "m", service="batch")


def test_prices_are_those_in_force_at_the_time() -> None:
    before = prices(at=datetime(2026, 3, 12, tzinfo=UTC)).quote("anthropic", "c", "claude-opus-4-6").rates
    after = prices(at=datetime(2026, 3, 14, tzinfo=UTC)).quote("anthropic", "c", "claude-opus-4-6").rates
    assert [band.over_input_tokens for band in before.bands] == [0, 200_000]
    assert [band.over_input_tokens for band in after.bands] == [0]


def test_the_same_rates_have_the_same_hash_and_others_another() -> None:
    quotes = [
        prices({"p/m": written}).quote("scripted", "p", "m").snapshot_hash
        for written in (
            {"input": "1", "output": "2"},
            {"input": "1.0", "output": "2.00"},
            {"input": "1", "output": "3"},
        )
    ]
    assert quotes[0] == quotes[1] != quotes[2]


def test_the_catalogue_is_dated_by_its_newest_price_change_up_to_today() -> None:
    early = prices(at=datetime(2026, 3, 14, tzinfo=UTC)).quote("openai", "oa", "gpt-5-mini").catalogue_date
    late = prices(at=NOON).quote("openai", "oa", "gpt-5-mini").catalogue_date
    assert early is not None
    assert late is not None
    assert date(2026, 1, 1) < early <= date(2026, 3, 14) < late <= NOON.date()


# --- the gaps of genai-prices, each shown first and then closed -----------------------------------------


def test_gap_a_context_that_matches_nothing_is_priced_as_standard_there() -> None:
    usage = genai_prices.Usage(input_tokens=1_000_000)
    odd = genai_prices.calc_price(usage, "gpt-5-mini", provider_id="openai", price_context={"service_tier": "turbo"})
    plain = genai_prices.calc_price(usage, "gpt-5-mini", provider_id="openai")
    assert odd.total_price == plain.total_price
    with pytest.raises(PriceUnknown):
        prices().quote("openai", "oa", "gpt-5-mini", service="turbo")


def test_gap_batch_wins_over_fast_there() -> None:
    usage = genai_prices.Usage(input_tokens=1_000_000)
    both = genai_prices.calc_price(
        usage,
        "claude-opus-5-5",
        provider_id="anthropic",
        price_context={"processing": "batch", "speed": "fast"},
        genai_request_timestamp=NOON,
    )
    assert both.total_price == Decimal(2)
    fast = prices().quote("anthropic", "c", "claude-opus-5-5", service="fast").rates
    assert cost_nano(fast, Usage(input_tokens=1_000_000)) == 8 * USD


def test_gap_a_usage_object_of_ours_would_lose_its_cache_reads_there() -> None:
    ours = Usage(input_tokens=0, cache_read_tokens=1_000_000, output_tokens=0)
    with pytest.raises(ValueError, match="cannot exceed input_tokens"):
        genai_prices.calc_price(ours, "claude-sonnet-5-5", provider_id="anthropic")
    rates = prices().quote("anthropic", "c", "claude-sonnet-5-5").rates
    assert cost_nano(rates, ours) == USD // 10


def test_gap_a_name_that_merely_begins_like_a_known_one_is_priced_as_it_there() -> None:
    _, found = get_snapshot().find_provider_model("gpt-5-nano-dreamt-up", None, "openai", None)
    assert found.id == "gpt-5-nano"
    with pytest.raises(PriceUnknown, match="only the similar 'gpt-5-nano'"):
        prices().quote("openai", "oa", "gpt-5-nano-dreamt-up")


# --- our sums against theirs, where theirs are right -----------------------------------------------------

_USAGES = [
    Usage(input_tokens=1234, output_tokens=567),
    Usage(input_tokens=10, cache_read_tokens=90_001, output_tokens=33, reasoning_tokens=12),
    Usage(input_tokens=7, cache_read_tokens=150_000, cache_write_5m_tokens=120_001, output_tokens=999),
    Usage(input_tokens=300_001, output_tokens=1),
]


def _quotes() -> Iterator[tuple[str, str, Quote]]:
    ours = prices()
    for provider in get_snapshot().providers:
        kind = {"anthropic": "anthropic", "openai": "openai"}.get(str(provider.id))
        for model in provider.models if kind else ():
            try:
                yield str(provider.id), model.id, ours.quote(kind or "", "p", model.id)
            except PriceUnknown:
                continue


def test_our_cost_of_every_openai_and_anthropic_model_is_theirs_rounded_up() -> None:
    compared = 0
    for (vendor, model, quote), usage in product(list(_quotes()), _USAGES):
        if usage.cache_write_5m_tokens and quote.rates.bands[0].cache_write_5m is None:
            continue
        theirs = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=usage.all_input,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_5m_tokens,
                output_tokens=usage.output_tokens,
            ),
            model,
            provider_id=vendor,
            genai_request_timestamp=NOON,
        ).total_price
        nano = int((theirs * USD).to_integral_value(ROUND_CEILING))
        assert cost_nano(quote.rates, usage) == nano, (vendor, model, usage)
        compared += 1
    assert compared > 250
