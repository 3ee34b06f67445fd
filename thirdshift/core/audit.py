"""What a check of the books finds, and what a recount of their prices or a vendor's bill says."""

from __future__ import annotations

from thirdshift.core.frozen import Frozen


class Difference(Frozen):
    """A total that is not the sum of its calls, or rows that there should be none of.

    Money in nano-dollars, tokens and calls as numbers.
    """

    where: str
    """Which total: ``scope job job-1 (metered)``, ``tally 17``, ``attempt loop-1#2`` ..."""
    field: str
    booked: int
    recomputed: int
    odd_rows: bool = False
    """Whether rows were counted that there should be none of."""

    @property
    def words(self) -> str:
        """One line for a person."""
        if self.odd_rows:
            return f"{self.where}: {self.recomputed:,} {self.field}, where there should be {self.booked:,}"
        return f"{self.where}: {self.field} is booked as {self.booked:,}, the calls make {self.recomputed:,}"


class OverLimit(Frozen):
    """A scope that is charged with more than its limit, which holds cannot cause.

    A limit that was lowered after it was spent does, and a vendor that billed more than was asked of it.
    """

    scope: str
    charged_nano: int
    limit_nano: int


class Audit(Frozen):
    """The books recomputed from their calls. They add up where there are no differences."""

    calls: int
    tallies: int
    scopes: int
    attempts: int
    loops: int
    jobs: int
    metered_nano: int
    imputed_nano: int
    held_nano: int
    unknown_nano: int
    nights: int = 0
    events: int = 0
    differences: tuple[Difference, ...]
    over_limit: tuple[OverLimit, ...]

    @property
    def adds_up(self) -> bool:
        """Whether every total is the sum of its calls."""
        return not self.differences


class Repriced(Frozen):
    """One model's settled calls, priced by another list."""

    model: str
    calls: int
    booked_nano: int
    repriced_nano: int | None
    """None where the other list has no price for it."""
    why: str = ""

    @property
    def difference_nano(self) -> int:
        """How much more the other list asks; 0 where it has no price."""
        return 0 if self.repriced_nano is None else self.repriced_nano - self.booked_nano
