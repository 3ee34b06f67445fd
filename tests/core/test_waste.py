from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.facts import attempt
from thirdshift.core.conversation import Message, ToolResult
from thirdshift.core.questions import Money, OddCall
from thirdshift.core.rates import Band, Rates
from thirdshift.core.usage import Usage
from thirdshift.core.waste import (
    LONG_CONTEXT_TOKENS,
    Beyond,
    Cause,
    Fates,
    Spent,
    Waste,
    attempts_built_on,
    beyond_nano,
    long_context_nano,
    sort_spend,
    tools_told_nothing,
)

NANO = st.integers(min_value=0, max_value=10**12)
MONEY = st.builds(Money, NANO, NANO, NANO)
ODD = st.builds(OddCall, st.integers(1, 6), MONEY, MONEY, st.booleans(), st.booleans())
BAND = Band(input=1_000_000, cache_read=100_000, output=5_000_000, reasoning=5_000_000)


def sorted_spend(spent: Mapping[int, Money], calls: list[OddCall], fates: Fates) -> Waste:
    # Each attempt's money in two parts, as two hours of it would be.
    halves = []
    for at, whole in spent.items():
        metered = Money(whole.metered)
        halves += [Spent(at, f"job-{at % 3}", part) for part in (metered, whole.minus(metered))]
    return sort_spend(halves, calls, fates)


@given(
    st.dictionaries(st.integers(1, 6), MONEY),
    st.lists(ODD, max_size=12),
    st.frozensets(st.sampled_from(["job-0", "job-1", "job-2"])),
    st.frozensets(st.sampled_from(["job-0", "job-1", "job-2"])),
    st.frozensets(st.integers(1, 6)),
)
def test_the_buckets_sum_to_the_spend_to_the_nano_dollar_kind_by_kind(
    spent: dict[int, Money],
    calls: list[OddCall],
    accepted: frozenset[str],
    still: frozenset[str],
    built: frozenset[int],
) -> None:
    waste = sorted_spend(spent, calls, Fates(accepted, still, built))
    total = Money()
    for money in spent.values():
        total = total.plus(money)
    assert waste.total == total
    assert all(nano >= 0 for money in waste.by_cause.values() for nano in money)
    assert waste.under_way.at_most(waste.by_cause[Cause.NO_OUTCOME]) == waste.under_way


def bucket(calls: list[OddCall], *, accepted: bool = True, built: bool = True) -> dict[Cause, int]:
    fates = Fates(frozenset({"job-1"} if accepted else ()), frozenset(), frozenset({1} if built else ()))
    waste = sorted_spend({1: Money(100, 0, 0)}, calls, fates)
    return {cause: money.metered for cause, money in waste.by_cause.items() if money.metered}


def odd(nano: int, long: int = 0, *, tool: bool = False, unused: bool = False) -> OddCall:
    return OddCall(1, Money(nano), Money(long), wasted_tool=tool, unnecessary=unused)


def test_the_first_bucket_that_fits_has_the_money() -> None:
    every_reason = [odd(30, 10, tool=True, unused=True)]
    assert bucket(every_reason, accepted=False) == {Cause.NO_OUTCOME: 100}
    assert bucket(every_reason, built=False) == {Cause.EXCESS_RETRY: 100}
    assert bucket(every_reason) == {Cause.LONG_CONTEXT: 10, Cause.WASTED_TOOL: 20, Cause.PRODUCTIVE: 70}
    assert bucket([odd(30, unused=True)]) == {Cause.UNNECESSARY_CALL: 30, Cause.PRODUCTIVE: 70}
    assert bucket([odd(30, 10)]) == {Cause.LONG_CONTEXT: 10, Cause.PRODUCTIVE: 90}
    assert bucket([]) == {Cause.PRODUCTIVE: 100}


def test_money_of_a_run_under_way_has_no_outcome_and_is_said_to_be_open() -> None:
    waste = sorted_spend({1: Money(7, 8, 9)}, [], Fates(frozenset(), frozenset({"job-1"}), frozenset()))
    assert waste.by_cause[Cause.NO_OUTCOME] == waste.under_way == Money(7, 8, 9)


def test_an_attempt_is_built_on_when_the_accepted_tree_stands_on_what_it_left() -> None:
    plan = attempt(1, 0, owner_id="job-1", role="plan", tree="")
    used = attempt(2, 1, tree="a")
    dropped = attempt(3, 2, start_tree="a", tree="b")
    unjudged = attempt(4, 3, start_tree="a", tree="")
    final = attempt(5, 4, start_tree="a", tree="c")
    assert attempts_built_on([plan, used, dropped, unjudged, final]) == {1, 2, 5}


def test_an_attempt_that_left_the_tree_as_it_was_is_not_built_on() -> None:
    idle, final = attempt(1, 1, tree="base"), attempt(2, 2, tree="done")
    assert attempts_built_on([idle, final]) == {2}


def test_of_two_attempts_that_left_the_same_tree_the_first_one_counts() -> None:
    rows = [attempt(1, 1, tree="a"), attempt(2, 2, tree="a"), attempt(3, 3, start_tree="a", tree="b")]
    assert attempts_built_on(rows) == {1, 3}


def test_every_loop_of_a_job_has_its_own_chain() -> None:
    one, other = attempt(1, owner_id="loop-a"), attempt(2, owner_id="loop-b", tree="")
    assert attempts_built_on([one, other]) == {1, 2}


def test_long_context_is_what_the_tokens_beyond_the_limit_cost_the_cheapest_first() -> None:
    usage = Usage(input_tokens=10_000, cache_read_tokens=LONG_CONTEXT_TOKENS + 5_000, output_tokens=100)
    rates = Rates(bands=(BAND,))
    assert long_context_nano(10**9, usage, rates) == 15_000 * 100_000 // 1_000_000
    assert long_context_nano(7, usage, rates) == 7
    few_cached = Usage(input_tokens=LONG_CONTEXT_TOKENS, cache_read_tokens=5_000)
    assert long_context_nano(10**9, few_cached, rates) == 500
    assert long_context_nano(10**9, Usage(input_tokens=LONG_CONTEXT_TOKENS), rates) == 0


def test_a_surcharge_for_long_inputs_is_long_context() -> None:
    dear = BAND.model_copy(update={"over_input_tokens": 200_000, "input": 2_000_000})
    usage = Usage(input_tokens=200_001)
    assert long_context_nano(10**9, usage, Rates(bands=(BAND, dear))) == 400_002 - 100_000


def test_without_a_price_list_the_cost_is_shared_by_tokens() -> None:
    usage = Usage(input_tokens=190_000, output_tokens=10_000)
    assert long_context_nano(2_000, usage, None) == 900
    assert beyond_nano(Beyond(1, 2, share_nano=33), None) == 33


@given(st.integers(0, 400_000), st.integers(0, 400_000))
def test_many_calls_summed_by_one_list_come_to_what_each_is_by_itself(cached: int, fresh: int) -> None:
    usage = Usage(input_tokens=fresh, cache_read_tokens=cached)
    over = max(0, cached + fresh - LONG_CONTEXT_TOKENS)
    from_cache = min(cached, over)
    rates = Rates(bands=(BAND,))
    summed = beyond_nano(Beyond(from_cache, over - from_cache, 0), rates)
    assert abs(long_context_nano(10**15, usage, rates) - summed) <= 1


def results(*errors: bool) -> Message:
    parts = tuple(ToolResult(call_id=str(at), text="x", is_error=error) for at, error in enumerate(errors))
    return Message(role="user", parts=parts)


@pytest.mark.parametrize(
    ("names", "errors", "again", "wasted"),
    [
        (["read_file"], [False], True, True),
        (["read_file"], [False], False, False),
        (["edit_file", "read_file"], [True, True], False, True),
        (["edit_file", "read_file"], [True, False], False, False),
        (["bash"], [True], False, False),
        ([], [], True, False),
    ],
)
def test_tools_are_wasted_when_they_told_nothing_new(
    names: list[str], errors: list[bool], again: bool, wasted: bool
) -> None:
    given_results = results(*errors)
    assert tools_told_nothing(names, given_results, changed=False, finished=False, again=again) is wasted
    assert not tools_told_nothing(names, given_results, changed=True, finished=False, again=again)
    assert not tools_told_nothing(names, given_results, changed=False, finished=True, again=again)
