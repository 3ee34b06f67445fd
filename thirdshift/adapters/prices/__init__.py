"""FIRST CUT by the coordinator so that the line can be wired: overrides only. The ledger builder completes this
(genai-prices catalogue), keeping: Prices(overrides).quote(kind, provider, model, base_url) -> Quote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from thirdshift.core.errors import PriceUnknown
from thirdshift.core.pricing import Rates, rates_from_usd


@dataclass(frozen=True)
class Quote:
    rates: Rates
    snapshot_hash: str


class Prices:
    def __init__(self, overrides: Mapping[str, Mapping[str, str]]) -> None:
        self._overrides = {name: dict(prices) for name, prices in overrides.items()}
        self._hash = hashlib.sha256(json.dumps(self._overrides, sort_keys=True).encode()).hexdigest()[:16]

    def quote(self, kind: str, provider: str, model: str, base_url: str = "") -> Quote:
        name = f"{provider}/{model}"
        if name not in self._overrides:
            raise PriceUnknown(f'no price for {name}; add to thirdshift.toml:\n[prices."{name}"]\ninput = "..."\noutput = "..."')
        return Quote(rates_from_usd(self._overrides[name]), self._hash)
