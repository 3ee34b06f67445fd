from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.allowance import LEAST_TOKENS, output_allowance

COUNTS = st.lists(st.integers(0, 100_000), max_size=8)


def test_the_first_answer_of_a_conversation_may_use_everything() -> None:
    assert output_allowance((), 8192) == 8192


def test_short_answers_lower_the_allowance_to_its_least_and_a_long_one_lifts_it() -> None:
    assert output_allowance((40, 90, 60), 8192) == LEAST_TOKENS
    assert output_allowance((90, 1500, 60), 8192) == 3000


def test_an_answer_of_long_ago_is_forgotten() -> None:
    assert output_allowance((40, 40, 40, 40, 4000), 8192) == LEAST_TOKENS


@given(COUNTS, st.integers(16, 65_536))
def test_an_allowance_is_never_more_than_the_rung_allows_nor_less_than_the_least(recent: list[int], most: int) -> None:
    assert min(LEAST_TOKENS, most) <= output_allowance(recent, most) <= most
