from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.gates import GateTerms
from thirdshift.core.steering import NOBODY, Order, Words, read_order, read_raise, spoken


@pytest.mark.parametrize(
    ("raw", "who", "text"),
    [
        ('"mind the cents"', NOBODY, "mind the cents"),
        ("mind the cents", NOBODY, "mind the cents"),
        ('{"who": " ada ", "text": "mind the cents"}', "ada", "mind the cents"),
    ],
)
def test_words_may_be_typed_bare_or_with_a_name(raw: str, who: str, text: str) -> None:
    assert read_order("steer", raw) == Order(what="steer", who=who, text=text)


@pytest.mark.parametrize(
    "raw", ["", '""', '{"who": "ada"}', "[1]", "7", '{"text": 1}', '{"txt": "x"}', '"' + "x" * 4001]
)
def test_words_that_cannot_be_passed_on_are_refused(raw: str) -> None:
    found = read_order("steer", raw)
    assert isinstance(found, str)
    assert found.startswith("NOT RECORDED.")


@pytest.mark.parametrize(("raw", "who"), [("", NOBODY), ('"ada"', "ada"), ("ada", "ada"), ('{"who": "ada"}', "ada")])
def test_a_pause_takes_a_name_or_none(raw: str, who: str) -> None:
    assert read_order("pause", raw) == Order(what="pause", who=who)


def test_a_raise_needs_an_amount_and_a_name() -> None:
    terms = GateTerms()
    good = read_raise('{"usd": "0.50", "reviewer": " ada "}', terms, gated=False)
    assert good == Order(what="raise", who="ada", text="0.50")
    for raw in ("", "1", '{"usd": "1"}', '{"usd": "0", "reviewer": "a"}', '{"usd": 1, "reviewer": "a"}', '{"u": "1"}'):
        found = read_raise(raw, terms, gated=False)
        assert isinstance(found, str)
        assert found.startswith("NOT RECORDED.")


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (GateTerms(needed=2), "takes 2 people"),
        (GateTerms(reviewers=("bob",)), "not among the reviewers"),
        (GateTerms(separation=True, submitter="Ada"), "submitted this job"),
    ],
)
def test_where_budgets_are_gated_a_raise_is_no_way_round_the_gate(terms: GateTerms, words: str) -> None:
    raw = '{"usd": "0.50", "reviewer": "ada"}'
    found = read_raise(raw, terms, gated=True)
    assert isinstance(found, str)
    assert words in found
    assert isinstance(read_raise(raw, terms, gated=False), Order)


@given(st.text())
def test_whatever_is_typed_is_an_order_or_a_refusal(raw: str) -> None:
    for found in (read_order("pause", raw), read_order("steer", raw), read_raise(raw, GateTerms(), gated=True)):
        assert isinstance(found, Order) or found.startswith("NOT RECORDED.")


def test_a_model_is_told_whose_words_they_are() -> None:
    assert spoken(Words(text="mind the cents", who="ada")) == "A person who watches this work says:\n\nmind the cents"
