"""Price lists: the catalogue of genai-prices, offline, and what thirdshift.toml says instead."""

from thirdshift.adapters.prices.prices import Prices, Quote

__all__ = ["Prices", "Quote"]
