"""Settling unknown calls by what a vendor says it billed.

Usage exports have no calls, only sums by model over stretches of time. What a stretch bills beyond the settled calls in
it is the unknown ones'. Where that is nothing, none of them was billed; where there is one unknown call, it is that
call's; where there are several, nobody can tell, and nothing is guessed. Whether a vendor books a call under the time
it began or ended is not stated, so neighbouring stretches that a call reaches across are looked at as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from thirdshift.core.calls import CallState
from thirdshift.core.errors import PriceUnknown
from thirdshift.core.frozen import Frozen
from thirdshift.core.pricing import cost_nano
from thirdshift.core.rates import Rates
from thirdshift.core.served_model import same_model
from thirdshift.core.usage import Usage

CLOCKS_DIFFER = timedelta(seconds=5)
"""A vendor may book a call so much before or after the time that the ledger has for it."""
UNITS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")


class Billed(Frozen):
    """What one model used in one bucket. ``requests`` None: the vendor does not say how many."""

    model: str
    usage: Usage
    requests: int | None = None


class Bucket(Frozen):
    """A stretch of time, its end excluded, and everything that was used in it."""

    starts_at: datetime
    ends_at: datetime
    billed: tuple[Billed, ...] = ()


class UsageExport(Frozen):
    """A vendor's export: buckets in order, without gaps. A bucket that names no model billed nothing of it."""

    vendor: Literal["anthropic", "openai"]
    buckets: tuple[Bucket, ...]


class BookedCall(Frozen):
    """A call as the ledger has it."""

    call_id: int
    model: str
    """The vendor's name of it, as it was asked for."""
    state: CallState
    opened_at: datetime
    closed_at: datetime | None
    usage: Usage | None
    hold_nano: int
    price_snapshot: str
    answered: bool


class SettleByBill(Frozen):
    """The bill shows what an unknown call used."""

    call_id: int
    usage: Usage
    cost_nano: int


class NeverBilled(Frozen):
    """The bill shows that an unknown call cost nothing."""

    call_id: int


class NotMatched(Frozen):
    """Something that the export does not decide: calls that stay unknown, or a bill that no call explains."""

    calls: tuple[int, ...]
    model: str
    starts_at: datetime
    ends_at: datetime
    why: str


Decision = SettleByBill | NeverBilled | NotMatched


def reconcile(
    export: UsageExport, calls: Sequence[BookedCall], price_lists: Mapping[str, Rates]
) -> tuple[Decision, ...]:
    """What the export says of each unknown call, and where it does not agree with the books."""
    names = {billed.model for bucket in export.buckets for billed in bucket.billed}
    asked = {call.model for call in calls}
    decided: list[Decision] = []
    for model in sorted(asked):
        mine = [call for call in calls if call.model == model and call.state is not CallState.RELEASED]
        theirs = {name for name in names if same_model(model, name)}
        decided += _of_model(export, model, theirs, mine, price_lists)
    for name in sorted(names):
        if not any(same_model(model, name) for model in asked):
            first, last = export.buckets[0].starts_at, export.buckets[-1].ends_at
            why = "billed, and the ledger has no call of this model then: somebody else uses the key"
            decided.append(NotMatched(calls=(), model=name, starts_at=first, ends_at=last, why=why))
    return tuple(decided)


def _of_model(
    export: UsageExport, model: str, names: set[str], calls: Sequence[BookedCall], lists: Mapping[str, Rates]
) -> Iterable[Decision]:
    covered = (export.buckets[0].starts_at, export.buckets[-1].ends_at)
    touching = [call for call in calls if _begin(call) < covered[1] and _end(call) >= covered[0]]
    for stretch in _stretches(export.buckets, touching):
        there = [c for c in touching if _begin(c) < stretch[-1].ends_at and _end(c) >= stretch[0].starts_at]
        yield from _of_stretch(stretch, model, names, there, lists, export)


def _begin(call: BookedCall) -> datetime:
    return call.opened_at - CLOCKS_DIFFER


def _end(call: BookedCall) -> datetime:
    return max(call.opened_at, call.closed_at or call.opened_at) + CLOCKS_DIFFER


def _open(call: BookedCall, why: str) -> NotMatched:
    return NotMatched(calls=(call.call_id,), model=call.model, starts_at=call.opened_at, ends_at=_end(call), why=why)


def _stretches(buckets: Sequence[Bucket], calls: Sequence[BookedCall]) -> list[list[Bucket]]:
    """Buckets, joined where a call reaches from one into the next."""
    found: list[list[Bucket]] = []
    for bucket in buckets:
        joined = found and any(_begin(call) < bucket.starts_at <= _end(call) for call in calls)
        if joined:
            found[-1].append(bucket)
        else:
            found.append([bucket])
    return found


def _of_stretch(
    stretch: Sequence[Bucket],
    model: str,
    names: set[str],
    calls: Sequence[BookedCall],
    lists: Mapping[str, Rates],
    export: UsageExport,
) -> Iterable[Decision]:
    rows = [billed for bucket in stretch for billed in bucket.billed if billed.model in names]
    unknown = [call for call in calls if call.state is CallState.UNKNOWN]
    if not rows and not unknown:
        return

    def unmatched(why: str) -> NotMatched:
        return NotMatched(
            calls=tuple(call.call_id for call in unknown),
            model=model,
            starts_at=stretch[0].starts_at,
            ends_at=stretch[-1].ends_at,
            why=why,
        )

    if any(call.state is CallState.HELD for call in calls):
        yield unmatched("a call is still under way; reconcile again when it has ended")
        return
    if any(_begin(c) < export.buckets[0].starts_at or _end(c) >= export.buckets[-1].ends_at for c in calls):
        if unknown:
            yield unmatched("a call reaches beyond the export; export a little more on both sides")
        return
    settled = [call.usage for call in calls if call.state is CallState.SETTLED and call.usage is not None]
    left = _left([billed.usage for billed in rows], settled, openai=export.vendor == "openai")
    short = [f"{-amount:,} {unit}" for unit, amount in left.items() if amount < 0]
    if short:
        yield unmatched(f"the ledger has {', '.join(short)} more than the vendor billed")
    elif not any(left.values()):
        yield from _nothing_left(unknown)
    elif len(unknown) == 1:
        yield _last_one(unknown[0], Usage(**left), lists, unmatched_by=unmatched)
    elif unknown:
        yield unmatched(f"{len(unknown)} unknown calls share what is left; export it by the minute (bucket_width=1m)")
    else:
        over = ", ".join(f"{amount:,} {unit}" for unit, amount in left.items() if amount)
        yield unmatched(f"the vendor billed {over} more than the ledger's calls used: somebody else uses the key")


def _left(billed: Sequence[Usage], settled: Sequence[Usage], *, openai: bool) -> dict[str, int]:
    """What was billed beyond the settled calls, by unit."""
    sums = {unit: sum(getattr(usage, unit) for usage in billed) for unit in UNITS}
    for usage in settled:
        for unit in UNITS:
            # OpenAI's export has one figure for all input that was not read from its cache.
            into = "input_tokens" if openai and unit.startswith("cache_write") else unit
            sums[into] -= getattr(usage, unit)
    return sums


def _nothing_left(unknown: Sequence[BookedCall]) -> Iterable[Decision]:
    for call in unknown:
        if call.answered:
            yield _open(call, "it was answered, and the export has nothing for it; is it of the right account?")
        else:
            yield NeverBilled(call_id=call.call_id)


def _last_one(
    call: BookedCall, left: Usage, lists: Mapping[str, Rates], *, unmatched_by: Callable[[str], NotMatched]
) -> Decision:
    rates = lists.get(call.price_snapshot)
    if rates is None:
        return unmatched_by("the price list that it was held by is not in the ledger")
    try:
        cost = cost_nano(rates, left)
    except PriceUnknown as missing:
        return unmatched_by(str(missing))
    if cost > call.hold_nano:
        return unmatched_by("what is left is more than this call can have cost: somebody else uses the key")
    return SettleByBill(call_id=call.call_id, usage=left, cost_nano=cost)
