from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.event_book import Decided, Event
from thirdshift.core.triage import (
    Circumstances,
    Rule,
    TriageTerms,
    Work,
    first_match,
    fits,
    held_back,
    patterns_of,
    unwanted,
)


def event(**changed: object) -> Event:
    told = {
        "source": "github",
        "delivery": "d",
        "kind": "workflow_run.failed",
        "repository": "Acme/shop",
        "fingerprint": "f",
        "title": "CI failed",
        "facts": {"branch": "main", "severity": "HIGH", "source": "spoofed"},
        "received_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return Event.model_validate(told | changed)


def rule(name: str = "ci", work: Work = Work.JOB, unless: dict[str, str] | None = None, **match: str) -> Rule:
    return Rule(
        name=name,
        match={key: patterns_of(value) for key, value in match.items()},
        unless={key: patterns_of(value) for key, value in (unless or {}).items()},
        work=work,
    )


@pytest.mark.parametrize(
    ("match", "unless", "wanted"),
    [
        ({}, {}, True),
        ({"source": "github"}, {}, True),
        ({"source": "spoofed"}, {}, False),
        ({"source": "gitlab"}, {}, False),
        ({"repository": "acme/*"}, {}, True),
        ({"repository": "acme"}, {}, False),
        ({"repository": "*"}, {}, True),
        ({"kind": "workflow_run.*", "branch": "main"}, {}, True),
        ({"branch": "release/*"}, {}, False),
        ({"severity": "high"}, {}, True),
        ({"label": "*"}, {}, False),
        ({"title": "ci ??????"}, {}, True),
        ({}, {"branch": "ma*"}, False),
        ({}, {"branch": "dev", "label": "wontfix"}, True),
        ({}, {"branch": "dev", "severity": "high"}, False),
    ],
)
def test_a_rule_wants_what_all_its_patterns_fit_and_none_of_its_exceptions(
    match: dict[str, str], unless: dict[str, str], wanted: bool
) -> None:
    assert fits(rule("ci", Work.JOB, unless, **match), event()) is wanted


def test_one_of_several_patterns_is_enough() -> None:
    several = Rule(name="x", match={"branch": ("dev", "main")}, work=Work.JOB)
    assert fits(several, event())


def test_the_first_rule_that_matches_decides() -> None:
    rules = [rule("other", source="gitlab"), rule("first"), rule("second")]
    found = first_match(rules, event())
    assert found is not None
    assert found.name == "first"
    assert first_match(rules[:1], event()) is None


@given(st.text(max_size=2000))
def test_no_text_makes_matching_slow_or_fail(text: str) -> None:
    greedy = rule(title="*a*a*a*a*a*b", repository="[", unless={"branch": "**"})
    fits(greedy, event(title=text + "a" * 2000, facts={}))


def test_what_no_rule_wants_is_told_apart_from_what_a_rule_ignores() -> None:
    nobody = unwanted(None, event(kind="x\n\x1b[31m"))
    assert nobody is not None
    assert (nobody.what, "\x1b" in nobody.why) == (Decided.UNMATCHED, False)
    ignored = unwanted(rule(work=Work.IGNORE), event())
    assert ignored is not None
    assert (ignored.what, "ci" in ignored.why) == (Decided.UNMATCHED, True)
    assert unwanted(rule(), event()) is None


@pytest.mark.parametrize(
    ("around", "ends_as"),
    [
        (Circumstances(), None),
        (Circumstances(at_work="Job j is open"), Decided.DUPLICATE),
        (Circumstances(at_work="Job j is open", fingerprints=99, today=9), Decided.DUPLICATE),
        (Circumstances(fingerprints=60), None),
        (Circumstances(fingerprints=61), Decided.STORM),
        (Circumstances(today=4), None),
        (Circumstances(today=5), Decided.CAPPED),
        (Circumstances(fingerprints=61, today=5), Decided.STORM),
    ],
)
def test_nothing_is_begun_while_the_last_job_is_open_in_a_storm_or_beyond_the_days_share(
    around: Circumstances, ends_as: Decided | None
) -> None:
    capped = rule().model_copy(update={"cap_per_day": 5})
    verdict = held_back(capped, TriageTerms(), around)
    assert (verdict and verdict.what) == ends_as


def test_a_rule_without_a_cap_has_none() -> None:
    assert held_back(rule(), TriageTerms(), Circumstances(today=10_000)) is None


@pytest.mark.parametrize("value", ["", [], [1], {"a": "b"}, ["a", ""]])
def test_patterns_are_texts(value: object) -> None:
    with pytest.raises(ValueError, match="a pattern is a text"):
        patterns_of(value)  # type: ignore[arg-type]  # what a person may write
