"""What settled calls would have cost by another price list. Nothing in the books is changed by asking."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from thirdshift.adapters.ledger.price_lists import read_all
from thirdshift.adapters.ledger.tables import call_keys, calls, tallies
from thirdshift.adapters.ledger.transitions import USAGE_COLUMNS, usage_of
from thirdshift.core.audit import Repriced
from thirdshift.core.errors import PriceUnknown
from thirdshift.core.ledger import CallState
from thirdshift.core.pricing import cost_nano
from thirdshift.core.rates import Rates

_BATCH = 5000


def models_called(connection: Connection) -> tuple[str, ...]:
    """Models with settled calls, in the order of their names."""
    query = select(tallies.c.model).where(tallies.c.settled_calls > 0).distinct().order_by(tallies.c.model)
    return tuple(connection.execute(query).scalars())


def repriced(connection: Connection, model: str, rates: Rates | None, why: str) -> Repriced:
    """Price a model's settled calls again; with None, by the list that each call was priced by.

    Calls of equal usage are priced once: a cost depends on nothing else.
    """
    lists = read_all(connection)
    same = [call_keys.c.price_snapshot, *(calls.c[name] for name in USAGE_COLUMNS)]
    query = (
        select(*same, func.count().label("calls"), func.sum(calls.c.cost_nano).label("cost_nano"))
        .join(tallies, tallies.c.tally_id == calls.c.tally_id)
        .join(call_keys, call_keys.c.call_id == calls.c.call_id)
        .where(tallies.c.model == model, calls.c.state == CallState.SETTLED.value)
        .group_by(*same)
    )
    count, booked, anew, missing = 0, 0, 0, why
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        count += row["calls"]
        booked += int(row["cost_nano"])
        by = rates or lists.get(row["price_snapshot"], (None, ""))[0]
        usage = usage_of(row)
        if missing:
            continue
        if by is None or usage is None:
            missing = "their price list is not in the ledger" if by is None else "they report no usage"
            continue
        try:
            anew += row["calls"] * cost_nano(by, usage)
        except PriceUnknown as unknown:
            missing = str(unknown)
    return Repriced(model=model, calls=count, booked_nano=booked, repriced_nano=None if missing else anew, why=missing)
