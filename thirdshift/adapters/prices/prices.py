"""The price of a configured model: what a person wrote, else the catalogue, else a refusal with the lines to add."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from thirdshift.adapters.prices.catalogue import (
    NotInCatalogue,
    catalogue_date,
    catalogue_version,
    rates_in_catalogue,
    vendor_at,
)
from thirdshift.adapters.prices.overrides import SAME_AS, lines_to_add, rates_of
from thirdshift.core.errors import PriceUnknown, SettingsInvalid
from thirdshift.core.frozen import Frozen
from thirdshift.core.pricing import Rates

_VENDORS = {"anthropic": "anthropic", "openai": "openai", "openai-chat": "openai"}
"""Whose models a provider of that kind has, when it names no address of its own."""


class Quote(Frozen):
    """A model's price list and where it is from."""

    rates: Rates
    snapshot_hash: str
    """Of the rates alone: two quotes with the same hash price every call the same."""
    source: str
    """The catalogue's entry, or the place in thirdshift.toml."""
    catalogue_date: date | None
    """The newest price change that the catalogue knows of; None where it was not asked."""


def utc_now() -> datetime:
    """The time by which prices with a beginning or a time of day are chosen."""
    return datetime.now(UTC)  # noqa: TID251 - the default clock of this adapter; tests and tools pass their own


class Prices:
    """Quotes for configured models. Offline; the catalogue is the one that is installed.

    ``overrides``: ``provider/model`` to prices in US dollars per million tokens, as decimal strings, or to
    ``{"price_as": "vendor/model"}`` for a server that bills as a vendor does.
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, str]], clock: Callable[[], datetime] = utc_now) -> None:
        self._overrides = {model: dict(written) for model, written in overrides.items()}
        self._clock = clock

    def quote(
        self, provider_kind: str, provider_name: str, model: str, base_url: str = "", service: str = "standard"
    ) -> Quote:
        """The price list of one model under one service (standard, batch, flex, priority, fast).

        ``base_url``: the provider's own address, empty for the vendor's. Raises PriceUnknown with the lines to add.
        """
        name = f"{provider_name}/{model}"
        written = self._overrides.get(name)
        if written is not None and SAME_AS not in written:
            if service != "standard":
                raise PriceUnknown(f'{name}: [prices."{name}"] has no {service} prices; only standard ones are written')
            return _quote(rates_of(name, written), f'thirdshift.toml [prices."{name}"]', None)
        at = self._clock()
        try:
            vendor, vendor_model = self._entry(provider_kind, name, model, base_url)
            rates, entry = rates_in_catalogue(vendor, vendor_model, service, at)
        except NotInCatalogue as missing:
            raise PriceUnknown(
                f"the price of {name} is not known ({missing}), so nothing is sent to it. "
                f"Add its prices to thirdshift.toml:\n\n{lines_to_add(name)}"
            ) from None
        return _quote(rates, f"{catalogue_version()} {entry}", catalogue_date(at.date()))

    def _entry(self, kind: str, name: str, model: str, base_url: str) -> tuple[str, str]:
        written = self._overrides.get(name, {})
        if SAME_AS in written:
            if len(written) > 1:
                raise SettingsInvalid(f'[prices."{name}"]: {SAME_AS} stands alone; take out the other prices')
            vendor, _, vendor_model = written[SAME_AS].partition("/")
            return vendor, vendor_model
        vendor_or_none = vendor_at(base_url) if base_url else _VENDORS.get(kind)
        if vendor_or_none is None:
            where = (
                f"the server at {base_url} is no vendor's own"
                if base_url
                else f"providers of kind {kind!r} are not in it"
            )
            raise NotInCatalogue(f"{where}, and the catalogue has vendors' own prices alone")
        return vendor_or_none, model


def _quote(rates: Rates, source: str, dated: date | None) -> Quote:
    digest = hashlib.sha256(rates.model_dump_json().encode()).hexdigest()[:32]
    return Quote(rates=rates, snapshot_hash=digest, source=source, catalogue_date=dated)
