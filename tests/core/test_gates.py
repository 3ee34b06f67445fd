from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.gate_answers import read_decision, read_name, validate
from thirdshift.core.gates import (
    Alarm,
    Decision,
    GateEnd,
    GateState,
    GateTerms,
    GateVerdict,
    OnExpiry,
    after_alarm,
    answered,
    log_line,
    next_alarm,
    outcome,
)
from thirdshift.core.spec import GateKind

NOW = datetime(2031, 3, 1, 22, 0, tzinfo=UTC)
TREE = "0123456789abcdef0123456789abcdef01234567"
HOUR = 3600.0


def gate(**fields: Any) -> GateState:
    return GateState.model_validate({"seq": 3, "kind": GateKind.MERGE, "tree": TREE, "since": NOW} | fields)


def decision(**fields: Any) -> Decision:
    return Decision.model_validate(
        {"gate": 3, "verdict": GateVerdict.APPROVE, "tree": TREE, "reviewer": "ada"} | fields
    )


def after(*given: Decision, terms: GateTerms | None = None) -> GateState:
    state = gate()
    for one in given:
        assert validate(one, state, terms or GateTerms()) is None
        state = answered(state, one, NOW)
    return state


def test_one_approval_by_name_decides_a_gate() -> None:
    assert outcome(gate(), GateTerms()) is None
    assert outcome(after(decision()), GateTerms()) is GateEnd.APPROVED


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"gate": 2}, "gate 3 is the one here"),
        ({"tree": "f" * 40}, f"gate 3 is about {TREE}"),
        ({"tree": TREE[:12]}, "gate 3 is about"),
        ({"tree": ""}, "no tree"),
        ({"reviewer": "  "}, "No reviewer is named"),
        ({"reviewer": "a" * 81}, "too long"),
        ({"verdict": "rework"}, "A rework needs a note"),
        ({"verdict": "reject", "note": " \n"}, "A reject needs a note"),
        ({"note": "x" * 4001}, "note is too long"),
        ({"usd": "1"}, "budget gate only"),
    ],
)
def test_a_decision_that_cannot_count_is_refused_with_what_to_do(wrong: dict[str, str], words: str) -> None:
    text = validate(decision(**wrong), gate(), GateTerms())
    assert text is not None
    assert text.startswith("NOT RECORDED. ")
    assert words in text
    assert text.count(". ") >= 1, "it says what to do as well"


def test_no_gate_and_a_closed_gate_take_no_answer() -> None:
    assert "No gate is open" in (validate(decision(), None, GateTerms()) or "")
    closed = validate(decision(reviewer="bob"), after(decision()), GateTerms())
    assert "closed: approved by ada" in (closed or "")


def test_only_named_reviewers_are_heard_and_the_second_group_once_it_is_asked() -> None:
    terms = GateTerms(reviewers=("Ada Lovelace",), escalate_to=("eve",))
    assert validate(decision(reviewer="ada  lovelace"), gate(), terms) is None
    assert "not among the reviewers" in (validate(decision(reviewer="eve"), gate(), terms) or "")
    assert validate(decision(reviewer="eve"), gate(escalated=True), terms) is None


def test_a_quorum_counts_people_and_one_objection_decides_at_once() -> None:
    terms = GateTerms(needed=2)
    once = after(decision(), terms=terms)
    assert outcome(once, terms) is None
    assert "answered gate 3 already" in (validate(decision(reviewer="ADA"), once, terms) or "")
    assert outcome(answered(once, decision(reviewer="bob"), NOW), terms) is GateEnd.APPROVED
    sent_back = answered(once, decision(reviewer="bob", verdict="rework", note="n"), NOW)
    assert outcome(sent_back, terms) is GateEnd.REWORK


def test_separation_keeps_the_submitter_from_approving_alone_but_not_from_objecting() -> None:
    terms = GateTerms(submitter="sam", separation=True)
    assert "submitter alone" in (validate(decision(reviewer="Sam"), gate(), terms) or "")
    assert validate(decision(reviewer="sam", verdict="reject", note="my mistake"), gate(), terms) is None
    pair = terms.model_copy(update={"needed": 2})
    both = after(decision(reviewer="sam"), decision(reviewer="ada"), terms=pair)
    assert outcome(both, pair) is GateEnd.APPROVED


def test_a_budget_gate_needs_an_amount_and_takes_the_least_that_is_agreed_on() -> None:
    terms, budget = GateTerms(needed=2), gate(kind=GateKind.BUDGET, may_rework=False)
    for usd in ("", "0", "-1", "much", "0.0000000001"):
        assert (validate(decision(usd=usd), budget, terms) or "").startswith("NOT RECORDED.")
    state = answered(answered(budget, decision(usd="2"), NOW), decision(reviewer="bob", usd="0.50"), NOW)
    assert state.raised_nano() == 500_000_000
    assert budget.approve_name is None
    assert "nothing to rework" in (validate(decision(verdict="rework", note="n"), budget, terms) or "")


def test_time_reminds_escalates_and_parks_in_that_order() -> None:
    terms = GateTerms(deadline_seconds=24 * HOUR, remind_every_seconds=10 * HOUR, escalate_to=("eve",))
    state, seen = gate(), []
    while (alarm := next_alarm(state, terms)) is not None:
        seen.append(((alarm[0] - NOW).total_seconds() / HOUR, alarm[1]))
        state = after_alarm(state, terms, alarm[1], alarm[0])
    assert seen == [
        (10, Alarm.REMIND),
        (20, Alarm.REMIND),
        (24, Alarm.ESCALATE),
        (30, Alarm.REMIND),
        (40, Alarm.REMIND),
        (48, Alarm.EXPIRE),
    ]
    assert state.parked
    assert outcome(state, terms) is None
    assert validate(decision(), state, terms) is None, "a parked gate still takes an answer"


def test_a_deadline_rejects_only_where_the_terms_say_so() -> None:
    terms = GateTerms(deadline_seconds=HOUR, on_expiry=OnExpiry.REJECT)
    expired = after_alarm(gate(), terms, Alarm.EXPIRE, NOW)
    assert outcome(expired, terms) is GateEnd.EXPIRED
    assert "expired" in (validate(decision(), expired, terms) or "")


def test_reminders_that_came_due_while_nobody_was_up_are_one() -> None:
    terms = GateTerms(remind_every_seconds=HOUR)
    late = NOW + timedelta(hours=50)
    state = after_alarm(gate(), terms, Alarm.REMIND, late)
    assert next_alarm(state, terms) == (late + timedelta(hours=1), Alarm.REMIND)


def test_a_gate_without_terms_waits_for_ever() -> None:
    assert next_alarm(gate(), GateTerms()) is None


@given(
    st.builds(
        GateTerms,
        needed=st.integers(1, 3),
        deadline_seconds=st.none() | st.floats(1, 1e6),
        remind_every_seconds=st.none() | st.floats(1e4, 1e6),
        escalate_to=st.sampled_from([(), ("eve",)]),
        on_expiry=st.sampled_from(OnExpiry),
    ),
    st.integers(0, 60),
)
def test_time_alone_never_approves(terms: GateTerms, rounds: int) -> None:
    state = gate()
    for _ in range(rounds):
        alarm = next_alarm(state, terms)
        if alarm is None:
            break
        state = after_alarm(state, terms, alarm[1], alarm[0])
        assert outcome(state, terms) in (None, GateEnd.EXPIRED)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "without an input"),
        ("approve", "not JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "`gate` is missing"),
        ('{"gate": 3, "verdict": "yes", "tree": "t"}', "approve, rework, reject"),
        ('{"gate": 3, "verdict": "approve", "tree": "t", "reviewr": "a"}', "`reviewr` is not a field"),
        ('{"gate": "three", "verdict": "approve", "tree": "t"}', "`gate` is not what it should be"),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_in_words(raw: str, words: str) -> None:
    text = read_decision(raw)
    assert isinstance(text, str)
    assert text.startswith("NOT RECORDED.")
    assert words in text


@given(st.text())
def test_whatever_is_typed_is_a_decision_or_a_refusal(raw: str) -> None:
    found = read_decision(raw)
    assert isinstance(found, Decision) or found.startswith("NOT RECORDED.")
    assert isinstance(read_name(raw), str)


@pytest.mark.parametrize("raw", ['"ada"', "ada", '{"reviewer": "ada"}', " ada \n"])
def test_a_name_may_be_typed_with_or_without_quotes(raw: str) -> None:
    assert read_name(raw) == "ada"


def test_the_log_shows_a_name_as_a_claim_and_on_one_line() -> None:
    state = after(decision(reviewer="ada", verdict="rework", note="one\ntwo \u202e"))
    line = log_line(state, state.answers[0])
    assert line == "2031-03-01 22:00 g3 merge rework by ada (claimed): one two <U+202E>"
