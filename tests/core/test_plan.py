from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.spec_files import spec_file
from thirdshift.core.plan import Plan, parse_plan, plan_opening, plan_system, render_plan
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.text import visible

PLAN = Plan(approach="Use Decimal.", files=("src/a.py", "tests/test_a.py"), risks=("Slow.",), check="unit shows AC-1")
WRITTEN = (
    '{"approach": "Use Decimal.", "files": ["src/a.py", "tests/test_a.py"], "risks": ["Slow."], '
    '"check": "unit shows AC-1"}'
)


@pytest.mark.parametrize(
    "answer",
    [
        WRITTEN,
        f"```json\n{WRITTEN}\n```",
        f"Here is my plan:\n\n{WRITTEN}\n\nGood luck!",
        f'<think>{{}} or {{"approach": "no"}}</think>\n{WRITTEN}',
        f'{{"plan": {WRITTEN}}}',
        f'Given {{"x": 1}}: {WRITTEN}',
        WRITTEN.replace('"Slow."]', '"Slow.",]').replace('AC-1"}', 'AC-1",\n}'),
        WRITTEN.replace('["Slow."]', '"Slow."'),
        WRITTEN.replace('"check"', '"extra": 1, "check"'),
    ],
)
def test_a_plan_is_found_in_whatever_a_model_puts_around_it(answer: str) -> None:
    assert parse_plan(answer) == PLAN


def test_missing_fields_are_empty() -> None:
    assert parse_plan('{"files": ["a.py"]}') == Plan(approach="", files=("a.py",))
    assert parse_plan('{"approach": ["First.", "Then."]}') == Plan(approach="First.\nThen.")
    assert parse_plan('{"approach": "x", "files": null, "risks": [1, {"a": 2}, ""]}') == Plan(
        approach="x", risks=("1", '{"a": 2}')
    )


def test_words_without_a_plan_become_the_approach() -> None:
    assert parse_plan("Round with Decimal in src/a.py.") == Plan(approach="Round with Decimal in src/a.py.")
    assert parse_plan('{"approach": "cut off he') == Plan(approach='{"approach": "cut off he')


@pytest.mark.parametrize("answer", ["", "  \n", "<think>still thinking", "<think></think> "])
def test_an_answer_that_says_nothing_is_no_plan(answer: str) -> None:
    assert parse_plan(answer) is None


def test_a_plan_is_bounded_and_visible() -> None:
    long = "x" * 100_000
    answer = json.dumps({"approach": long, "files": ["a\u202eb"] * 99, "check": long})
    plan = parse_plan(answer)
    assert plan is not None
    assert (len(plan.approach), len(plan.files), len(plan.check)) == (4000, 30, 400)
    assert plan.files[0] == "a<U+202E>b"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("answer", ["[" * 100_000, '{"a":' * 40_000, "{" * 200_000, "," * 200_000])
def test_no_answer_makes_reading_a_plan_slow_or_fail(answer: str) -> None:
    plan = parse_plan(answer)
    assert plan is not None
    assert len(plan.approach) == 4000


@given(st.text(max_size=200))
def test_any_answer_is_a_visible_plan_or_none(answer: str) -> None:
    plan = parse_plan(answer)
    assert plan is None or visible(render_plan(plan)) == render_plan(plan)


def test_a_plan_is_rendered_for_people_and_prompts() -> None:
    assert render_plan(PLAN) == (
        "Use Decimal.\n\nFiles:\n- src/a.py\n- tests/test_a.py\n\nRisks:\n- Slow.\n\nShown by: unit shows AC-1"
    )
    assert render_plan(Plan(approach="x")) == "x"


def test_the_plan_role_is_asked_for_json_and_never_sees_a_held_out_check() -> None:
    spec = parse_spec(spec_file("holdout: [{id: secretcheck, run: secretcommand, covers: [AC-1]}]"), "spec.md")
    asked = plan_system(spec, "Use tabs.") + plan_opening(spec, ["src/a.py"], [("src/a.py", "x = 1")])
    assert "secret" not in asked
    for words in ('{"approach":', "Use tabs.", "AC-1: It shall round.", "unit (shows AC-1): `pytest -q`", "x = 1"):
        assert words in asked
    assert plan_system(spec, "") == plan_system(spec, " \n")
