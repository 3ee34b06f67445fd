"""Reading genai-prices: only its data, never its arithmetic.

Its calculator answers where it should refuse: a context key that matches nothing is priced as standard, a unit that
a variant leaves out too, ``batch`` silently wins over ``fast``, names that merely begin like a known one match, and
usage objects are read by attribute names that mean something else here. So this module takes the prices out of the
catalogue, refuses whatever is not there in so many words, and leaves the sums to ``core.pricing``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import (
    ClauseAnd,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
)

from thirdshift.adapters.prices.overrides import nano_per_million
from thirdshift.core.pricing import Band, Rates

NAME = "genai-prices"

_CONTEXTS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"speed": "fast"},
}
SERVICES = ("standard", *_CONTEXTS)

_TOKEN_PRICES = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_5m": "cache_write_5m_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "output": "output_mtok",
    "reasoning": "output_reasoning_mtok",
}
_SERVER_TOOLS = ("web_searches_kcount", "social_searches_kcount", "storage_searches_kcount", "code_executions_kcount")
_SUFFIX = re.compile(r"(?:-latest|[-@](?:\d{8}|\d{6}|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}|default|latest))?")
"""What may follow a model's name and still mean that model: a release date."""

Price = Decimal | TieredPrices


class NotInCatalogue(LookupError):
    """There is no such price in the catalogue; the text says what is missing."""


def catalogue_version() -> str:
    """The catalogue's release, as stated in reports."""
    return f"{NAME} {version(NAME)}"


@cache
def catalogue_date(today: date) -> date:
    """The newest price change, up to today, that the catalogue knows of: how old its knowledge is at most."""
    dates = {
        constraint.start_date
        for provider in _snapshot().providers
        for model in provider.models
        for constraint in _constraints(model)
        if isinstance(constraint, StartDateConstraint) and constraint.start_date <= today
    }
    return max(dates)


def _constraints(model: ModelInfo) -> Iterable[object]:
    if isinstance(model.prices, list):
        yield from (conditional.constraint for conditional in model.prices)
    yield from (variant.constraint for variant in model.price_variants or ())


def _snapshot() -> DataSnapshot:
    return get_snapshot()  # The bundled one: nothing here ever starts an update.


def vendor_at(base_url: str) -> str | None:
    """The vendor whose own address that is, None for anybody else's server."""
    for provider in _snapshot().providers:
        if re.match(provider.api_pattern, base_url):
            return str(provider.id)
    return None


def rates_in_catalogue(vendor: str, model: str, service: str, at: datetime) -> tuple[Rates, str]:
    """The rates in force at a time, and the entry they are from. Raises NotInCatalogue."""
    provider = next((known for known in _snapshot().providers if known.id == vendor), None)
    if provider is None:
        raise NotInCatalogue(f"the catalogue has no vendor {vendor!r}")
    found = provider.find_model(model, all_providers=_snapshot().providers)
    if found is None:
        raise NotInCatalogue(f"the catalogue has no model {model!r} of {vendor}")
    if not _means(found.match, model.lower()) and not _is_named(model, found.id):
        raise NotInCatalogue(f"the catalogue has no model {model!r} of {vendor}, only the similar {found.id!r}")
    prices = _of_service(found, service, at)
    entry = f"{vendor}/{found.id}" + ("" if service == "standard" else f" ({service})")
    return _rates(prices, entry), entry


def _is_named(model: str, name: str) -> bool:
    return model.lower().startswith(name.lower()) and _SUFFIX.fullmatch(model.lower()[len(name) :]) is not None


def _means(match: MatchLogic, model: str) -> bool:
    """Whether the clause names the model, rather than finding its text somewhere in it."""
    match match:
        case ClauseEquals():
            return match.is_match(model)
        case ClauseRegex(regex=regex):
            return regex.endswith("$") and match.is_match(model)
        case ClauseStartsWith(starts_with=start):
            return _is_named(model, start)
        case ClauseOr(or_=clauses):
            return any(_means(clause, model) for clause in clauses)
        case ClauseAnd(and_=clauses):
            return match.is_match(model) and any(_means(clause, model) for clause in clauses)
        case _:
            return False


def _of_service(model: ModelInfo, service: str, at: datetime) -> dict[str, Price]:
    standard = _present(_in_force(model.prices, at, model.id))
    if service == "standard":
        return standard
    context = _CONTEXTS.get(service)
    if context is None:
        raise NotInCatalogue(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    variant = next((v for v in model.price_variants or () if v.when == context and _is_active(v, at)), None)
    if variant is None:
        raise NotInCatalogue(f"the catalogue has no {service} prices of {model.id}")
    special = _present(variant.prices)
    gaps = sorted(set(standard) - set(special) - set(_SERVER_TOOLS))
    if gaps:
        raise NotInCatalogue(f"the catalogue's {service} prices of {model.id} leave out {', '.join(gaps)}")
    return {**{unit: standard[unit] for unit in _SERVER_TOOLS if unit in standard}, **special}


def _is_active(variant: PriceVariant, at: datetime) -> bool:
    return variant.constraint is None or variant.constraint.active(at)


def _in_force(prices: ModelPrice | list[ConditionalPrice], at: datetime, model: str) -> ModelPrice:
    if isinstance(prices, ModelPrice):
        return prices
    for conditional in reversed(prices):
        if conditional.constraint is None or conditional.constraint.active(at):
            return conditional.prices
    raise NotInCatalogue(f"the catalogue has no price of {model} in force at {at:%Y-%m-%d %H:%M}")


def _present(prices: ModelPrice) -> dict[str, Price]:
    return {name: value for name, value in vars(prices).items() if isinstance(value, (Decimal, TieredPrices))}


def _rates(prices: dict[str, Price], entry: str) -> Rates:
    billable = {*_TOKEN_PRICES.values(), *_SERVER_TOOLS}
    odd = sorted(name for name in set(prices) - billable if not _is_other_medium(name))
    if odd:
        raise NotInCatalogue(f"{entry} is billed by {', '.join(odd)}, which cannot be held for beforehand")
    if "input_mtok" not in prices or "output_mtok" not in prices:
        raise NotInCatalogue(f"{entry} has no price by token for both input and output")
    starts = {0} | {tier.start for price in prices.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    bands = tuple(_band(prices, start) for start in sorted(starts))
    tools = [nano_per_million(price) for name in _SERVER_TOOLS if isinstance(price := prices.get(name), Decimal)]
    # Usage says how many requests there were, not to which tool: the dearest one stands for all.
    return Rates(bands=bands, server_tools_per_thousand=max(tools, default=None))


def _is_other_medium(name: str) -> bool:
    """Sound and pictures cost extra where there are any; Thirdshift sends and asks for text alone."""
    return any(medium in name for medium in ("audio", "image", "video"))


def _band(prices: dict[str, Price], start: int) -> Band:
    at = {unit: _price_at(prices.get(name), start) for unit, name in _TOKEN_PRICES.items()}
    input_rate, output_rate = at["input"], at["output"]
    if input_rate is None or output_rate is None:
        raise NotInCatalogue("no price by token for both input and output")
    write = at["cache_write_5m"] if at["cache_write_5m"] is not None else at["cache_write"]
    return Band(
        over_input_tokens=start,
        input=input_rate,
        cache_read=input_rate if at["cache_read"] is None else at["cache_read"],
        cache_write_5m=write,
        cache_write_1h=at["cache_write_1h"],
        output=output_rate,
        reasoning=output_rate if at["reasoning"] is None else at["reasoning"],
    )


def _price_at(price: Price | None, start: int) -> int | None:
    if price is None:
        return None
    if isinstance(price, Decimal):
        return nano_per_million(price)
    tiers = [tier.price for tier in price.tiers if tier.start <= start]
    return nano_per_million(tiers[-1] if tiers else price.base)
