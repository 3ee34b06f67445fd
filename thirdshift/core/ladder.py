"""Rungs, tiers and the ladder: which model may be tried, and in which order."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from thirdshift.core.frozen import Frozen


class Tier(StrEnum):
    """The three price classes, cheapest first."""

    ECONOMY = "economy"
    SPECIALIST = "specialist"
    FRONTIER = "frontier"

    @property
    def height(self) -> int:
        """Position on the ladder: 0 is the cheapest."""
        return list(Tier).index(self)


class Rung(Frozen):
    """A model with an effort setting, at its place in a tier."""

    model: Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")]
    """``provider/model``: the provider's name in the configuration, then the vendor's name of the model."""
    tier: Tier
    attempts: Annotated[int, Field(ge=1, le=20)] = 2
    effort: str | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] = 8192
    context_tokens: Annotated[int, Field(ge=1024)] | None = None
    """The model's window, input and output together; None where it is wide enough for anything that is shown.

    The evidence of failed checks, and the files and paths that a rung with ``tools = "text"`` is shown, are chosen to
    fit into it, by an estimate from their bytes. What a model reads through tools is not bounded by it: the server
    says when a conversation has outgrown the window.
    """
    edit_format: Literal["auto", "whole", "replace"] = "auto"
    tools: Literal["auto", "text"] = "auto"
    fits: tuple[str, ...] = ()
    """Tasks that a specialist is for; empty: any. Rungs of the other tiers declare none."""

    @model_validator(mode="after")
    def _output_leaves_room(self) -> Rung:
        if self.context_tokens is not None and self.context_tokens <= self.max_output_tokens:
            raise ValueError(
                f"context_tokens = {self.context_tokens} leaves no room for a prompt beside "
                f"max_output_tokens = {self.max_output_tokens}; lower max_output_tokens"
            )
        return self

    @property
    def provider(self) -> str:
        """The configured provider, the part before the first slash."""
        return self.model.partition("/")[0]

    @property
    def vendor_model(self) -> str:
        """The model's name as its vendor knows it, the part after the first slash."""
        return self.model.partition("/")[2]

    @property
    def offers_edit(self) -> bool:
        """Whether ``edit_file`` is offered: by choice, or from the specialist tier up on ``auto``."""
        if self.edit_format == "auto":
            return self.tier is not Tier.ECONOMY
        return self.edit_format == "replace"


class Ladder(Frozen):
    """All rungs, cheapest tier first, in configured order within a tier."""

    rungs: tuple[Rung, ...]

    def of(self, tier: Tier) -> tuple[int, ...]:
        """Indices of the rungs of one tier, in order."""
        return tuple(i for i, rung in enumerate(self.rungs) if rung.tier is tier)

    def for_task(self, task: str) -> Ladder:
        """The ladder without the specialists that are for other tasks."""
        kept = [r for r in self.rungs if r.tier is not Tier.SPECIALIST or not r.fits or task in r.fits]
        return Ladder(rungs=tuple(kept))
