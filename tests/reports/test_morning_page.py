from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.reports.facts import USD
from tests.reports.night_facts import CLOSES, TOLD, asked, busy, listed, morning, record, worked
from tests.reports.test_page import EVIL, MEGABYTE, Reader
from thirdshift.core.morning_facts import FaultAt, NightFacts, Purse
from thirdshift.core.mornings import tell_night
from thirdshift.core.night_book import LineState
from thirdshift.reports.charts import Bar, Series, columns_to_line
from thirdshift.reports.morning_page import link, render_morning_page


def hostile() -> NightFacts:
    evil_link = "javascript:alert(1)"
    return NightFacts(
        record("tripped", EVIL),
        Purse(USD, USD),
        lines=(listed("x", LineState.REFUSED, EVIL, title=EVIL, spec_path=EVIL),),
        jobs=(
            worked("s", "tampering", title=EVIL, evidence=EVIL, branch=EVIL, url=evil_link),
            worked("a", title=EVIL, branch=EVIL, url=evil_link, delivered=EVIL),
        ),
        gates=(asked("g", 1, reason=EVIL, reviewers=(EVIL,)),),
        faults=(FaultAt(EVIL, "unauthorized", 1, 0, CLOSES, CLOSES, 0.0),),
    )


@pytest.mark.parametrize("facts", [busy(), hostile(), NightFacts(record(), Purse(USD))])
def test_the_page_has_no_script_and_loads_nothing(facts: NightFacts) -> None:
    text = render_morning_page(morning(facts))
    read = Reader(text)
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in ("src", "srcset", "action")]
    assert all(value.startswith(("http://", "https://")) for name, value in read.attributes if name == "href")
    assert not re.search(r"@import|url\(", text)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes
    assert len(text.encode()) < MEGABYTE


def test_hostile_words_are_shown_and_inert() -> None:
    text = render_morning_page(tell_night(hostile(), TOLD))
    assert "<script" not in text
    assert "\u202e" not in text
    assert 'href="javascript' not in text
    assert "<script>alert(1)</script>" in Reader(text).text


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//evil", "file:///etc/passwd", "http://[", "https://x\u202e"],
)
def test_what_is_no_web_address_is_no_link(address: str) -> None:
    assert "<a" not in link(address, "words")


def test_a_web_address_is_a_link_that_cannot_break_out() -> None:
    assert link('https://x/"><script>', "w") == '<a href="https://x/&quot;&gt;&lt;script&gt;" rel="noreferrer">w</a>'


def test_the_order_is_that_of_need() -> None:
    text = Reader(render_morning_page(morning(replace(busy(), record=record("tripped", "too fast"))))).text
    places = [
        text.index(heading)
        for heading in (
            "THE CIRCUIT BREAKER STOPPED THIS NIGHT",
            "To decide now",
            "Money over the night",
            "Accepted 2",
            "Waiting for a person 2",
            "Parked, first to go on in the next night 1",
            "Stopped 2",
            "Refused: specs to mend 1",
            "Passed over: on the next night's list 2",
            "Cost of an accepted outcome",
            "Where the money went",
            "Provider trouble",
            "Events in",
        )
    ]
    assert places == sorted(places)


def test_a_night_that_nobody_ran_says_so_and_shows_no_empty_part() -> None:
    read = Reader(render_morning_page(tell_night(NightFacts(record(), Purse(USD)), TOLD)))
    assert "Nobody ran" in read.text
    assert "Nothing. No gate is open" in read.text
    assert not {"svg", "table"} & set(read.tags)


def test_a_night_under_way_says_so_far_and_draws_nothing_ahead_of_it() -> None:
    now = CLOSES - timedelta(hours=4)
    text = render_morning_page(morning(replace(busy(), record=record("")), now))
    assert "nightly, Sat 21 Nov 2026, so far" in text
    assert "01:45: settled $12.00" in text
    assert "02:00: settled" not in text


def test_a_huge_night_is_cut_and_says_so() -> None:
    jobs = tuple(worked(f"job-{n}", title="t" * 500) for n in range(3000))
    lines = tuple(listed(f"l-{n}", LineState.REFUSED, "w" * 900) for n in range(3000))
    text = render_morning_page(tell_night(NightFacts(record(), Purse(USD), lines=lines, jobs=jobs), TOLD))
    assert len(text.encode()) < MEGABYTE
    assert text.count("and 2,950 more; all of them with --json") == 2


def test_nobody_is_ranked() -> None:
    facts = busy()
    people = {one.fact.submitter for one in facts.jobs}
    text = Reader(render_morning_page(morning(facts))).text
    assert people == {"ada"}
    before, _, rest = text.partition("To decide now")
    assert "ada" not in before
    assert "for ada" in rest


def test_columns_have_their_level_line_and_bear_no_values() -> None:
    made = columns_to_line("n", ["a"], [Series("s", "#000", [5])], Bar("budget", 10, "$10"), str)
    assert 'class="limit"' in made
    assert "budget $10" in made
    assert "<svg" in columns_to_line("n", [], [], None, str)
