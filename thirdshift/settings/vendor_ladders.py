"""The ladder of a vendor, for whoever has its key and has chosen no models.

As of November 2026. Every model is in the catalogue of genai-prices 0.2.3; within a tier the cheaper one is
first, by its output price there. With keys of both vendors each rung gets one attempt instead of two, so that
a job of six attempts still reaches the top, and a vendor that is down has a sibling in every tier.
"""

from __future__ import annotations

from collections.abc import Collection

from thirdshift.core.ladder import Rung, Tier

VENDOR_KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
"""The variable that holds each vendor's key, as its own SDK names it."""

_MODELS = (
    (Tier.ECONOMY, "anthropic", "claude-haiku-5-5"),
    (Tier.ECONOMY, "openai", "gpt-6-luna"),
    (Tier.SPECIALIST, "openai", "gpt-6.1-terra"),
    (Tier.SPECIALIST, "anthropic", "claude-sonnet-5-5"),
    (Tier.FRONTIER, "openai", "gpt-6.1-sol"),
    (Tier.FRONTIER, "anthropic", "claude-opus-5-5"),
)


def vendor_ladder(vendors: Collection[str]) -> tuple[Rung, ...]:
    """Rungs over the named vendors' current models, cheapest tier first."""
    attempts = 2 if len(set(vendors)) == 1 else 1
    return tuple(
        Rung(model=f"{vendor}/{model}", tier=tier, attempts=attempts)
        for tier, vendor, model in _MODELS
        if vendor in vendors
    )
