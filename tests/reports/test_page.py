from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from tests.reports.facts import BEGAN, answers, job, line
from thirdshift.core.periods import Period
from thirdshift.core.questions import Facts
from thirdshift.reports.charts import Bar, Series, bar_chart, column_chart, scale_top, share_bar
from thirdshift.reports.page import render_page

MEGABYTE = 1_000_000
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'\u202e"


class Reader(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def page(found: Facts | None = None, period: Period | None = None) -> str:
    return render_page(answers(found, period), BEGAN)


@pytest.mark.parametrize("found", [None, Facts(), Facts(jobs=[job(title=EVIL, repository=EVIL)], lines=[line(1)])])
def test_the_page_has_no_script_and_nothing_from_outside(found: Facts | None) -> None:
    text = page(found)
    read = Reader(text)
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form", "a"} & set(read.tags)
    names = {name for name, _ in read.attributes}
    assert not names & {"src", "href", "srcset", "action", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    assert not re.search(r"@import|url\(", text)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes


def test_hostile_words_are_shown_and_inert() -> None:
    hostile = job(title=EVIL, repository=EVIL, spec_path=EVIL, task=EVIL, risk=EVIL, submitter=EVIL, evidence=EVIL,
                  stop_reason="budget")  # fmt: skip
    text = page(Facts(jobs=[hostile], lines=[line(1, model=EVIL, tier=EVIL, role=EVIL, reason=EVIL)]))
    assert "<script" not in text
    assert "\u202e" not in text
    read = Reader(text)
    assert "<script>alert(1)</script>" in read.text
    assert "<U+202E>" in read.text


def test_the_page_is_well_under_a_megabyte_however_much_there_is() -> None:
    jobs = [
        job(f"job-{n}", title="t" * 500, repository=f"/srv/{n}" + "r" * 400, task=f"task-{n % 9}") for n in range(4000)
    ]
    lines = [
        line(n, f"job-{n}", model=f"m/{n % 50}", day=date(2026, 1, 1) + timedelta(days=n % 700)) for n in range(4000)
    ]
    text = page(Facts(jobs=jobs, lines=lines))
    assert len(text.encode()) < MEGABYTE
    assert "The 60 dearest of 4,000 runs; all of them with --csv." in text


def test_every_question_has_its_section_and_its_figures() -> None:
    read = Reader(page())
    for heading in (
        "Metered spend by day and tier",
        "Where the money went",
        "1. Which agents used the most",
        "2. What drove the spend",
        "3. What came of it",
        "4. Which tiers handled which risks",
        "5. Which policy stopped what",
        "Cost of an accepted outcome",
        "The routing ledger",
    ):
        assert heading in read.text
    for words in ("$9.0000", "$4.5000", "acme/eagle · frontier · code", "estimate", "approve (merge)"):
        assert words in read.text
    assert read.tags.count("svg") >= 8


def test_a_long_period_is_drawn_by_weeks() -> None:
    rows = [line(n, day=date(2026, 1, 1) + timedelta(days=n * 7)) for n in range(20)]
    assert "Metered spend by week and tier" in page(Facts(jobs=[job()], lines=rows))


def test_an_empty_ledger_says_so() -> None:
    assert "nothing in the ledger for this period" in Reader(page(Facts())).text


def test_people_are_named_with_outcomes_only() -> None:
    text = page()
    begin, end = text.index("3. What came of it"), text.index("4. Which tiers")
    outside = text[:begin] + text[end:]
    for name in ("linus", "grace"):
        assert name in text[begin:end]
        assert name not in outside
    for word in ("token", "$"):
        assert word not in Reader(text[begin:end]).text


def test_a_chart_without_values_is_still_a_chart() -> None:
    for chart in (
        column_chart("none", [], [], str),
        column_chart("zero", ["a"], [Series("s", "#000", [0])], str),
        bar_chart("none", [], "#000"),
        bar_chart("zero", [Bar("a", 0, "0")], "#000"),
        share_bar("zero", [Series("s", "#000", [0])], str),
    ):
        assert chart.startswith("<svg")
        assert "nan" not in chart


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (7, 10), (11, 20), (21, 25), (26, 50), (99, 100), (101, 200), (10**15, 10**15)]
)
def test_an_axis_ends_at_a_round_number(most: int, top: int) -> None:
    assert scale_top(most) == top
