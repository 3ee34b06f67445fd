from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thirdshift.core.delivery_text import (
    BODY_CHARACTERS,
    MessageFacts,
    RequestFacts,
    commit_message,
    escaped,
    merge_message,
    names,
    request_body,
    request_title,
    unfinished_message,
)
from thirdshift.core.history import StopReason
from thirdshift.core.ports import CommandEnd
from thirdshift.core.spec import Check, Criterion
from thirdshift.core.text import has_hidden
from thirdshift.core.verdict import CheckOutcome, Verdict
from thirdshift.core.views import Spend

FACTS = MessageFacts(title="Say hello", job="job-1", spec="abc", run="run-1", cost_nano=1_230_000_000)


def request(**changes: object) -> RequestFacts:
    passed = CheckOutcome(id="unit", passed=True, end=CommandEnd.EXITED, exit_code=0, seconds=2, output="secret output")
    failed = passed.model_copy(update={"id": "held", "passed": False, "holdout": True})
    fields: dict[str, object] = {
        "message": FACTS,
        "criteria": (
            Criterion(id="AC-1", text="It says hello."),
            Criterion(id="AC-2", text="It reads well.", by_review=True),
            Criterion(id="AC-3", text="It is quick."),
        ),
        "checks": (
            Check(id="unit", run="x", covers=("AC-1",)),
            Check(id="held", run="x", covers=("AC-1", "AC-3"), holdout=True),
        ),
        "verdict": Verdict(tree="t" * 40, checks=(passed, failed), not_run=("slow",)),
        "spend": Spend(settled_nano=1_230_000_000, imputed_nano=50_000_000, unknown_nano=7_000_000),
        "budget_nano": None,
        "attempts": 3,
        "tree": "t" * 40,
    }
    return RequestFacts.model_validate({**fields, **changes})


def test_a_commit_says_whose_work_it_is_and_names_only_those_whose_identity_is_sure() -> None:
    assert commit_message(FACTS) == (
        "Say hello\n\nThirdshift-Job: job-1\nThirdshift-Spec: abc\nRun-Id: run-1\nCost-Usd: 1.23"
    )
    seen = FACTS.model_copy(update={"reviewed_by": ("Ada <ada@example.org>",)})
    assert commit_message(seen).endswith("Cost-Usd: 1.23\nReviewed-by: Ada <ada@example.org>")
    assert merge_message(FACTS, "main").startswith("Merge into main: Say hello\n\nThirdshift-Job: job-1\n")


def test_a_title_cannot_add_trailers_of_its_own() -> None:
    forged = FACTS.model_copy(update={"title": "x\n\nReviewed-by: The Boss\n\u202eRun-Id: other"})
    first, *rest = commit_message(forged).splitlines()
    assert first == "x Reviewed-by: The Boss <U+202E>Run-Id: other"
    assert not any(line.startswith("Reviewed-by") for line in rest)


def test_unfinished_work_says_so_in_its_first_line() -> None:
    said = unfinished_message(FACTS, StopReason.BUDGET, verified=False)
    assert said.startswith("UNFINISHED (budget): Say hello\n\nNot accepted; this is a tree that no check has judged.")
    judged = unfinished_message(FACTS, StopReason.BUDGET, verified=True)
    assert "Not accepted; this is a tree that the checks have judged." in judged


def test_the_table_says_of_each_criterion_who_judged_it_and_how() -> None:
    rows = [line for line in request_body(request()).splitlines() if line.startswith("| AC-")]
    assert rows == [
        "| AC-1 | It says hello. | unit, held (held out) | NOT PASSED |",
        "| AC-2 | It reads well. | a reviewer | for you to judge |",
        "| AC-3 | It is quick. | held (held out) | NOT PASSED |",
    ]


def test_money_of_different_kinds_is_not_added_up() -> None:
    body = request_body(request())
    assert "$1.2300, in 3 attempts." in body
    assert "Besides, $0.0500 at list price, paid by a subscription." in body
    assert "Besides, at most $0.0070 for calls whose cost is not known." in body


def test_what_checks_printed_is_not_in_a_request() -> None:
    assert "secret output" not in request_body(request())


def test_a_body_that_is_too_long_is_cut_with_the_cut_said_and_keeps_its_marker() -> None:
    many = tuple(Criterion(id=f"AC-{n}", text="@" * 400) for n in range(200))
    body = request_body(request(criteria=many))
    assert len(body) <= BODY_CHARACTERS + 200
    assert "characters more are in the ledger" in body
    assert "Run-Id: run-1" in body.splitlines()


HOSTILE = st.text() | st.sampled_from(
    [
        "![x](https://evil.example/a.png)",
        "<script>alert(1)</script>",
        "fixes #12, GH-7 and team/app#3",
        "@everyone !1 ~bug $2 %3 &4",
        "`code` | cell\n| --- |\n/close",
        "```\n# heading\n```",
        "www.evil.example https://evil.example",
        "\x1b[31m\u202egnp\u200b",
    ]
)


@settings(deadline=None)  # a busy machine is no fault of the text
@given(HOSTILE)
def test_foreign_text_is_one_line_of_nothing_but_text(text: str) -> None:
    shown = escaped(text)
    assert "\n" not in shown
    assert not set(shown) & set("|`<>[]*_~\\@!$#:/{}") - {"#"}
    assert all(re.match(r"&#\d+;", shown[at:]) for at in range(len(shown)) if shown[at] == "&")
    after_markdown = html.unescape(shown)
    assert not re.search(r"(?i)[@#!~$%&^][\w\"']|://\w|\bGH-\d", after_markdown)
    assert not has_hidden(after_markdown)


@settings(deadline=None)  # a busy machine is no fault of the text
@given(HOSTILE)
def test_a_title_names_nobody_and_closes_nothing(text: str) -> None:
    facts = request(message=FACTS.model_copy(update={"title": text}))
    title = request_title(facts)
    assert not re.search(r"(?i)[@#!~$%&^][\w\"']|\bGH-\d", title)
    assert "\n" not in title


@pytest.mark.parametrize(
    ("rows", "shown"),
    [(["a"], "a"), (["a", "b\u202e"], "a, b<U+202E>"), ([str(n) for n in range(8)], "0, 1, 2, 3, 4 and 3 more")],
)
def test_paths_in_a_sentence_are_few_and_visible(rows: list[str], shown: str) -> None:
    assert names(rows) == shown
