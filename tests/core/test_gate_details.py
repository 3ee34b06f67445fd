from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from thirdshift.core.gate_details import MOST_BYTES, closed_details, encoded_size, gate_details
from thirdshift.core.gate_facts import CheckLine, GateFacts, excerpt
from thirdshift.core.gates import Decision, GateAnswer, GateState, GateTerms, GateVerdict
from thirdshift.core.spec import GateKind
from thirdshift.core.text import has_hidden

NOW = datetime(2031, 3, 1, 22, 0, tzinfo=UTC)
TREE = "0123456789abcdef0123456789abcdef01234567"
MARK = "EVIL"
"""Stands in everything that somebody else wrote."""

hostile = st.lists(
    st.text(max_size=40)
    | st.sampled_from(
        ["```", "````", "~~~", "`" * 30, "\n", "\r\n", "<script>", "![x](http://e)", "\u202e", "\x1b[2J"]
    ),
    max_size=12,
).map(lambda parts: MARK.join(["", *parts, ""]))
long_hostile = st.builds(lambda text, times: (text + "\n") * times, hostile, st.integers(1, 60))


def gate(**fields: object) -> GateState:
    return GateState.model_validate({"seq": 3, "kind": GateKind.MERGE, "tree": TREE, "since": NOW} | fields)


def facts(diff: str = "", **fields: object) -> GateFacts:
    shown, lines = excerpt(diff)
    return GateFacts.model_validate(
        {"title": "Round half up", "excerpt": shown, "excerpt_of": "diff", "excerpt_lines": lines} | fields
    )


def outside_fences(text: str) -> str:
    """What a Markdown reader takes for Markdown: fences as CommonMark has them."""
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        opened = re.match(r" {0,3}(`{3,})[^`]*$", line)
        if not fence and opened:
            fence = opened[1]
        elif fence and re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}[ \t]*", line):
            fence = ""
        elif not fence:
            kept.append(line)
    assert not fence, "a fence was left open"
    return "\n".join(kept)


every_fact = st.builds(
    GateFacts,
    title=hostile,
    checks=st.lists(
        st.builds(CheckLine, id=hostile, state=st.sampled_from(["pass", "FAIL", "not run"]), seconds=st.floats(0, 1e6)),
        max_size=12,
    ).map(tuple),
    checks_left_out=st.integers(0, 1000),
    to_review=st.lists(hostile, max_size=30).map(tuple),
    failed_output=long_hostile,
    cost_nano=st.integers(0, 10**15),
    budget_nano=st.none() | st.integers(0, 10**15),
    excerpt=long_hostile,
    excerpt_of=st.sampled_from(["diff", "plan", ""]),
    excerpt_lines=st.integers(0, 10**6),
    links=st.lists(st.text() | st.from_regex(r"https?://[a-z/<>`()]+"), max_size=6).map(tuple),
)
states = st.builds(
    GateState,
    seq=st.integers(1, 10**6),
    kind=st.sampled_from(GateKind),
    tree=st.just(TREE),
    since=st.just(NOW),
    reason=long_hostile,
    may_rework=st.booleans(),
    parked=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(states, every_fact, st.lists(hostile, max_size=70))
def test_whatever_it_shows_it_stays_small_and_what_others_wrote_stays_inside_fences(
    state: GateState, shown: GateFacts, log: list[str]
) -> None:
    text = gate_details(state, GateTerms(needed=2), shown, log)
    assert encoded_size(text) < MOST_BYTES
    assert text.startswith("## WAITING")
    assert not has_hidden(text)
    assert MARK not in outside_fences(text)
    assert TREE in text
    assert f'"gate": {state.seq}' in text


@settings(deadline=None, max_examples=40)
@given(st.lists(hostile, max_size=70))
def test_the_log_of_a_closed_gate_is_as_safe(log: list[str]) -> None:
    text = closed_details("The work goes on.", log)
    assert encoded_size(text) < MOST_BYTES
    assert MARK not in outside_fences(text)


def test_the_parts_come_in_the_order_in_which_a_reviewer_needs_them() -> None:
    shown = facts(
        "+one\n-two",
        checks=(CheckLine(id="unit", state="pass", seconds=1.25),),
        cost_nano=120_000_000,
        budget_nano=1_500_000_000,
        links=("thirdshift diff job-1", "http://127.0.0.1:8233/namespaces/default/workflows/job-1"),
    )
    text = gate_details(gate(), GateTerms(), shown, ["2031-03-01 g1 plan approve by ada (claimed)"])
    parts = [
        "## WAITING: gate 3, merge",
        f"Tree `{TREE}`",
        "**To approve:**",
        "**To rework or reject:**",
        "pass    unit",
        "**Cost:** 0.1200 of 1.5000 USD.",
        "**Diff, shown 2 of 2 lines**",
        "- `thirdshift diff job-1`",
        "- <http://127.0.0.1:8233/namespaces/default/workflows/job-1>",
        '{\n  "gate": 3,\n  "verdict": "approve",',
        "g1 plan approve by ada (claimed)",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert f"`{gate().approve_name}`" in text


def test_the_answer_block_is_an_answer_once_a_name_is_filled_in() -> None:
    text = gate_details(gate(), GateTerms(), facts(), [])
    block = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert Decision.model_validate(block | {"reviewer": "ada"}).tree == TREE


def test_a_long_diff_says_how_much_of_it_is_shown() -> None:
    text = gate_details(gate(), GateTerms(), facts("\n".join(f"+line {n} of a long change" for n in range(900))), [])
    found = re.search(r"shown (\d+) of 900 lines\*\* \(the rest: see the links\)", text)
    assert found is not None
    assert 40 < int(found[1]) < 200
    assert f"+line {int(found[1]) - 1} " in text
    assert f"+line {found[1]} " not in text


def test_a_long_line_says_how_much_of_it_is_not_shown() -> None:
    text = gate_details(gate(), GateTerms(), facts("+" + "x" * 500), [])
    assert "x [+341 characters]" in text


def test_columns_that_matter_stay_within_sixty() -> None:
    shown = facts(
        checks=(CheckLine(id="a-check-with-a-rather-long-name-indeed", state="FAIL", seconds=99999.9),),
        to_review=("AC-2: " + "words " * 15,),
    )
    text = gate_details(gate(reason="a reason of some length " * 6), GateTerms(), shown, [])
    inside = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert max(map(len, inside)) <= 60


def test_approvals_so_far_and_a_parked_gate_are_said() -> None:
    answer = GateAnswer(verdict=GateVerdict.APPROVE, reviewer="ada", at=NOW)
    text = gate_details(gate(answers=(answer,), parked=True), GateTerms(needed=2), facts(), [])
    assert "1 of 2 approvals so far" in text
    assert "parked" in text


def test_a_budget_gate_is_answered_with_an_amount() -> None:
    text = gate_details(gate(kind=GateKind.BUDGET, may_rework=False), GateTerms(), facts(), [])
    assert '"usd": ""' in text
    assert "approve-g" not in text
    assert "**To reject:**" in text
