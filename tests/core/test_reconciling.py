from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from thirdshift.core.calls import CallState
from thirdshift.core.rates import Band, Rates
from thirdshift.core.reconciling import (
    Billed,
    BookedCall,
    Bucket,
    Decision,
    NeverBilled,
    NotMatched,
    SettleByBill,
    UsageExport,
    reconcile,
)
from thirdshift.core.usage import Usage

NINE = datetime(2031, 3, 1, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RATES = Rates(bands=(Band(input=1_000_000, cache_read=100_000, output=10_000_000, reasoning=10_000_000),))
LISTS = {"p": RATES}
MODEL = "claude-sonnet-5-5"
USED = Usage(input_tokens=1000, output_tokens=100)


def call(number: int, minute: float, state: CallState = CallState.SETTLED, **fields: Any) -> BookedCall:
    opened = NINE + minute * MINUTE
    values: dict[str, Any] = {
        "call_id": number,
        "model": MODEL,
        "state": state,
        "opened_at": opened,
        "closed_at": opened + timedelta(seconds=5),
        "usage": USED if state is CallState.SETTLED else None,
        "hold_nano": 10_000,
        "price_snapshot": "p",
        "answered": state is CallState.SETTLED,
    }
    return BookedCall(**{**values, **fields})


def export(*uses: tuple[int, int] | None, model: str = MODEL, vendor: Any = "anthropic") -> UsageExport:
    """A bucket a minute from nine; each is (input, output) tokens of the model, or nothing."""
    return UsageExport(
        vendor=vendor,
        buckets=tuple(
            Bucket(
                starts_at=NINE + n * MINUTE,
                ends_at=NINE + (n + 1) * MINUTE,
                billed=()
                if use is None
                else (Billed(model=model, usage=Usage(input_tokens=use[0], output_tokens=use[1])),),
            )
            for n, use in enumerate(uses)
        ),
    )


def decided(found: UsageExport, *calls: BookedCall) -> tuple[Decision, ...]:
    return reconcile(found, calls, LISTS)


def why(found: UsageExport, *calls: BookedCall) -> str:
    (left,) = decided(found, *calls)
    assert isinstance(left, NotMatched), left
    return left.why


LOST = CallState.UNKNOWN


def test_an_unknown_call_is_settled_at_what_the_bill_has_beyond_the_settled_ones() -> None:
    (found,) = decided(export((1700, 150), None), call(1, 0.1), call(2, 0.3, LOST))
    assert found == SettleByBill(call_id=2, usage=Usage(input_tokens=700, output_tokens=50), cost_nano=700 + 500)


def test_unknown_calls_of_which_the_bill_has_nothing_were_never_billed() -> None:
    found = decided(export((1000, 100), None), call(1, 0.1), call(2, 0.3, LOST), call(3, 0.4, LOST))
    assert found == (NeverBilled(call_id=2), NeverBilled(call_id=3))


def test_books_that_agree_with_the_bill_need_nothing() -> None:
    assert decided(export((2000, 200), None), call(1, 0.1), call(2, 0.2)) == ()


def test_a_dated_name_on_the_bill_is_the_model_that_was_asked_for() -> None:
    assert decided(export((1000, 100), None, model=f"{MODEL}-20310101"), call(1, 0.1)) == ()


def test_unknown_calls_that_share_a_bucket_stay_unknown() -> None:
    assert "2 unknown calls share what is left" in why(export((500, 10), None), call(1, 0.1, LOST), call(2, 0.4, LOST))


def test_unknown_calls_of_different_minutes_are_told_apart() -> None:
    found = decided(export((500, 10), (600, 20), None), call(1, 0.1, LOST), call(2, 1.4, LOST))
    assert [type(one).__name__ for one in found] == ["SettleByBill", "SettleByBill"]


def test_a_call_across_two_buckets_is_looked_for_in_both() -> None:
    across = call(1, 0.9, LOST, closed_at=NINE + 1.5 * MINUTE)
    for uses in ([(500, 10), None, None], [None, (500, 10), None]):
        (found,) = decided(export(*uses), across)
        assert isinstance(found, SettleByBill)


@pytest.mark.parametrize(
    ("uses", "calls", "said"),
    [
        (
            [(900, 100), None],
            [call(1, 0.1), call(2, 0.2, LOST)],
            "ledger has 100 input_tokens more than the vendor billed",
        ),
        ([(1001, 100), None], [call(1, 0.1)], "billed 1 input_tokens more than the ledger's calls used: somebody else"),
        ([(9_000_000, 0), None], [call(1, 0.1, LOST)], "more than this call can have cost"),
        ([(500, 10), None], [call(1, 0.1, LOST, price_snapshot="gone")], "price list that it was held by is not"),
        ([(500, 10), None], [call(1, 0.1, LOST), call(2, 0.1, CallState.HELD, closed_at=None)], "still under way"),
        ([(500, 10)], [call(1, 0.99, LOST, closed_at=NINE + 3 * MINUTE)], "reaches beyond the export"),
        ([(0, 0), None], [call(1, 0.1, LOST, answered=True)], "it was answered, and the export has nothing"),
    ],
)
def test_what_the_export_does_not_decide_stays_as_it_is_and_is_said(
    uses: list[tuple[int, int] | None], calls: list[BookedCall], said: str
) -> None:
    assert said in why(export(*uses), *calls)


def test_a_model_that_the_ledger_never_called_is_said() -> None:
    assert "no call of this model" in why(export((5, 5), model="claude-haiku-5-5"))


def test_a_released_call_that_was_billed_after_all_is_not_hidden() -> None:
    assert "more than the ledger's calls used" in why(export((500, 10), None), call(1, 0.1, CallState.RELEASED))


def test_openai_bills_what_was_written_to_its_cache_as_input() -> None:
    written = Usage(input_tokens=400, cache_write_5m_tokens=600, output_tokens=100)
    assert decided(export((1000, 100), None, vendor="openai"), call(1, 0.1, usage=written)) == ()


def test_a_settled_call_at_the_edge_of_the_export_is_not_taken_for_an_unknown_one() -> None:
    edge = call(1, -0.05, closed_at=NINE + timedelta(seconds=20))
    assert "reaches beyond the export" in why(export((1000, 100), None), edge, call(2, 0.4, LOST))


def test_a_call_that_the_vendor_booked_a_moment_late_is_not_taken_for_an_unknown_one() -> None:
    late = call(1, 0.9, closed_at=NINE + timedelta(seconds=59))
    assert decided(export(None, (1000, 100), None), late, call(2, 1.3, LOST)) == (NeverBilled(call_id=2),)
