"""Where the money went: each nano-dollar in exactly one bucket, the first that matches.

docs/reports.md defines the buckets for people. The order is the order of ``Cause``. Whole attempts fall into the
first two; of an attempt that led somewhere, single calls or parts of them fall into the next three; the rest is
productive. So the buckets sum to the spend, kind by kind, whatever the rows say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from thirdshift.core.conversation import Message, ToolResult
from thirdshift.core.errors import PriceUnknown
from thirdshift.core.pricing import PER_MILLION, cost_nano
from thirdshift.core.questions import AttemptFact, Money, OddCall
from thirdshift.core.rates import Rates
from thirdshift.core.usage import Usage

LONG_CONTEXT_TOKENS = 100_000
"""What a call may read before the rest counts as long context."""
_RUNS_ANYTHING = "bash"
"""The tool whose errors are findings: a test that fails has told something."""


class Cause(StrEnum):
    """The buckets, in the order in which they are tried."""

    NO_OUTCOME = "no_outcome"
    """The job has no accepted outcome: it failed, was stopped, rejected or reverted, or is still under way."""
    EXCESS_RETRY = "excess_retry"
    """Nothing that was accepted was built on what the attempt left."""
    LONG_CONTEXT = "long_context"
    """Reading a conversation beyond ``LONG_CONTEXT_TOKENS``."""
    WASTED_TOOL = "wasted_tool"
    """The call asked for tools that told nothing new."""
    UNNECESSARY_CALL = "unnecessary_call"
    """Its answer was not used: another call answered the same step."""
    PRODUCTIVE = "productive"


@dataclass(slots=True)
class Waste:
    """Money by cause. ``under_way`` is the part of ``no_outcome`` whose jobs may yet be accepted."""

    by_cause: dict[Cause, Money] = field(default_factory=lambda: dict.fromkeys(Cause, Money()))
    under_way: Money = field(default_factory=Money)

    @property
    def total(self) -> Money:
        """All of it, productive money included."""
        total = Money()
        for money in self.by_cause.values():
            total = total.plus(money)
        return total

    def put(self, cause: Cause, money: Money) -> None:
        """Add to a bucket."""
        self.by_cause[cause] = self.by_cause[cause].plus(money)


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the work that money was spent on."""

    accepted_jobs: frozenset[str]
    """Accepted, and not reverted since."""
    open_jobs: frozenset[str]
    built_on: frozenset[int]
    """Attempts that accepted work stands on."""


class Spent(NamedTuple):
    """Money of an attempt; one attempt may have several of these."""

    attempt_id: int
    job_id: str
    money: Money


def sort_spend(spent: Iterable[Spent], odd_calls: Iterable[OddCall], fates: Fates) -> Waste:
    """All money into its buckets."""
    odd: dict[int, list[OddCall]] = defaultdict(list)
    for call in odd_calls:
        odd[call.attempt_id].append(call)
    sums = {cause: [0, 0, 0] for cause in Cause}
    still_open = [0, 0, 0]
    sifted: dict[int, Money] = defaultdict(Money)
    for attempt_id, job_id, money in spent:
        if job_id not in fates.accepted_jobs:
            _add(sums[Cause.NO_OUTCOME], money)
            if job_id in fates.open_jobs:
                _add(still_open, money)
        elif attempt_id not in fates.built_on:
            _add(sums[Cause.EXCESS_RETRY], money)
        elif attempt_id in odd:
            sifted[attempt_id] = sifted[attempt_id].plus(money)
        else:
            _add(sums[Cause.PRODUCTIVE], money)
    waste = Waste({cause: Money(*amounts) for cause, amounts in sums.items()}, Money(*still_open))
    for attempt_id, money in sifted.items():
        waste.put(Cause.PRODUCTIVE, _sift(waste, money, odd[attempt_id]))
    return waste


def _add(sums: list[int], money: Money) -> None:
    metered, imputed, unknown = money
    sums[0] += metered
    sums[1] += imputed
    sums[2] += unknown


def _sift(waste: Waste, money: Money, calls: Iterable[OddCall]) -> Money:
    """Take the odd calls' money out; what is left. Never more than there is, so that nothing is counted twice."""
    for call in calls:
        charged = call.money.at_most(money)
        long = call.long_context.at_most(charged)
        rest = charged.minus(long)
        waste.put(Cause.LONG_CONTEXT, long)
        taken = long
        if call.wasted_tool or call.unnecessary:
            waste.put(Cause.WASTED_TOOL if call.wasted_tool else Cause.UNNECESSARY_CALL, rest)
            taken = charged
        money = money.minus(taken)
    return money


def attempts_built_on(attempts: Sequence[AttemptFact]) -> frozenset[int]:
    """Of one job that was accepted: the attempts that the accepted trees stand on, and its plans.

    Each loop's last judged attempt left the tree that was accepted. An earlier attempt counts if a later one that
    counts began from the tree that it was the first to leave. What a loop began from is nobody's work.
    """
    found = {fact.attempt_id for fact in attempts if fact.role == "plan"}
    loops: dict[str, list[AttemptFact]] = defaultdict(list)
    for fact in attempts:
        if fact.role != "plan":
            loops[fact.owner_id].append(fact)
    for tried in loops.values():
        tried.sort(key=lambda fact: fact.number)
        found |= _chain(tried)
    return frozenset(found)


def _chain(tried: Sequence[AttemptFact]) -> set[int]:
    first: dict[str, int] = {tried[0].start_tree: -1}
    for index, fact in enumerate(tried):
        if fact.tree:
            first.setdefault(fact.tree, index)
    found: set[int] = set()
    index = max((i for i, fact in enumerate(tried) if fact.tree), default=len(tried) - 1)
    while index >= 0 and tried[index].attempt_id not in found:
        found.add(tried[index].attempt_id)
        before = first.get(tried[index].start_tree, -1)
        index = before if before < index else -1
    return found


class Beyond(NamedTuple):
    """What calls read beyond ``LONG_CONTEXT_TOKENS``: cached tokens first, because those are the cheapest."""

    cached_tokens: int
    other_tokens: int
    share_nano: int
    """The part of the calls' cost that is theirs by number of tokens."""


def beyond_nano(beyond: Beyond, rates: Rates | None) -> int:
    """What reading so much cost, by a price list of one band; without a list, its share by tokens."""
    if rates is None:
        return beyond.share_nano
    band = rates.bands[0]
    return (beyond.cached_tokens * band.cache_read + beyond.other_tokens * band.input) // PER_MILLION


def long_context_nano(cost: int, usage: Usage, rates: Rates | None) -> int:
    """The part of a call's cost that reading at most ``LONG_CONTEXT_TOKENS`` would have saved, at least.

    The tokens beyond are taken out where they are cheapest, cached ones first, and the call is priced anew by its own
    price list, so a vendor's surcharge for long inputs goes with them. Without a list the cost is shared by tokens.
    """
    beyond = usage.all_input - LONG_CONTEXT_TOKENS
    if beyond <= 0:
        return 0
    if rates is not None:
        try:
            saved = cost_nano(rates, usage) - cost_nano(rates, _without(usage, beyond))
            return max(0, min(cost, saved))
        except PriceUnknown:
            pass
    return cost * beyond // (usage.all_input + usage.output_tokens)


def _without(usage: Usage, tokens: int) -> Usage:
    kept = {}
    for name in ("cache_read_tokens", "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"):
        count = getattr(usage, name)
        taken = min(count, tokens)
        tokens -= taken
        kept[name] = count - taken
    return usage.model_copy(update=kept)


def tools_told_nothing(names: Sequence[str], results: Message, *, changed: bool, finished: bool, again: bool) -> bool:
    """Whether a step's tools were a waste of the call that asked for them.

    They were if they left the tree as it was, and either did what this attempt had done before on the same tree with
    the same results (``again``), or were all refused before anything ran.
    """
    if changed or finished or not names:
        return False
    refused = [part.is_error for part in results.parts if isinstance(part, ToolResult)]
    return again or (bool(refused) and all(refused) and _RUNS_ANYTHING not in names)
