"""A model's price list, in nano-dollars for a million tokens: every published price is then a whole number."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from thirdshift.core.frozen import Frozen

Rate = Annotated[int, Field(ge=0)]


class Band(Frozen):
    """The rates of a call whose whole input is larger than ``over_input_tokens``, up to the next band.

    The rate of the band applies to all of a call's tokens, which is how vendors bill long contexts. None: the
    price list has no rate for that unit, and a call that used it cannot be priced.
    """

    over_input_tokens: Annotated[int, Field(ge=0)] = 0
    input: Rate
    cache_read: Rate
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None
    output: Rate
    reasoning: Rate
    """Of reasoning tokens; nearly everywhere the output rate."""

    def dearest_input(self, *, long_cache: bool) -> int:
        """The highest rate that an input token can be billed at; an hour's cache entry only if it was asked for."""
        rates = [self.input, self.cache_read, self.cache_write_5m]
        return max(rate for rate in [*rates, self.cache_write_1h if long_cache else None] if rate is not None)

    @property
    def dearest_output(self) -> int:
        """The highest rate that an output token can be billed at."""
        return max(self.output, self.reasoning)


class Rates(Frozen):
    """One model's price list: bands by size of input, smallest first, and the vendor's own tools."""

    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    server_tools_per_thousand: Rate | None = None
    """Nano-dollars for a thousand requests to tools that the vendor runs."""

    @model_validator(mode="after")
    def _bands_ascend_from_zero(self) -> Rates:
        starts = [band.over_input_tokens for band in self.bands]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError(f"bands must begin at 0 and ascend, not {starts}")
        return self

    def band_for(self, all_input_tokens: int) -> Band:
        """The band of a call that read so many tokens in all."""
        return next(
            band
            for band in reversed(self.bands)
            if band.over_input_tokens < all_input_tokens or band.over_input_tokens == 0
        )

    def bands_up_to(self, input_bound_tokens: int) -> tuple[Band, ...]:
        """Every band that a call may fall into when its input is at most so large."""
        return tuple(band for band in self.bands if band.over_input_tokens < input_bound_tokens) or self.bands[:1]
