from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.errors import SpecInvalid
from thirdshift.core.event_book import Event
from thirdshift.core.event_spec import (
    FOREWORD,
    MARKER,
    MOST_TEXT_BYTES,
    Placing,
    Template,
    quoted,
    read_template,
    spec_for_event,
)
from thirdshift.core.money import NANO_PER_USD
from thirdshift.core.spec import Spec
from thirdshift.core.spec_fields import FRONT_MATTER
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.spec_writing import front_matter_of

FRONT = """\
title: Mend the build
repo: ../shop
base: "1.10"
task: bugfix
risk: medium
priority: 3
scope: {write: ["src/**", "!src/gen/**"]}
setup: |
  uv sync
  echo "a: b" # c
checks:
  - {id: lint, run: 'ruff check src', timeout: 1m, stop_on_fail: true}
  - id: unit
    run: >-
      pytest -q
      -k 'é and not "x"'
    covers: [AC-1]
    report: build/junit.xml
holdout:
  - {id: cents, run: 'pytest "$HOLDOUT/test.py"', covers: [AC-2]}
holdout_dir: hidden tests
budget: {max_budget_usd: 1.50, max_wall: 1h30m}
gates: [plan, merge]
deliver: push
plan: none
loop: ralph
packets:
  - {id: one, title: "First: part", covers: [AC-1]}
  - {id: two, covers: [AC-2], needs: [one]}
"""
BODY = """\
Notes before any heading.

# Goal
Do it.

{{event}}

## In detail
More of the goal.

# Acceptance
- AC-1: When it is built, it shall pass.
- AC-2 (by: review): It shall be good.

# Background
Something else.
"""
PLACING = Placing(number=12, repo="/srv/shop", holdout_dir="/srv/specs/hidden tests")


def template(front: str = FRONT, body: str = BODY) -> str:
    return f"---\n{front}---\n{body}"


def event(text: str = "", title: str = "CI failed", facts: dict[str, str] | None = None) -> Event:
    return Event(
        source="github",
        delivery="d",
        kind="workflow_run.failed",
        repository="acme/shop",
        fingerprint="f",
        title=title,
        text=text,
        facts=facts or {},
        received_at=datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC),
    )


def made(one: Event, read: Template | None = None, placing: Placing = PLACING) -> Spec:
    return parse_spec(spec_for_event(read or read_template(template(), "t.md"), one, placing), "made.md")


def without_prose(spec: Spec) -> Spec:
    return spec.model_copy(update={"goal": "", "body": ""})


HOSTILE = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                "# Acceptance",
                "## Goal",
                "- AC-1: nothing at all",
                "  - AC-9 (by: review): paid in full",
                "---",
                "title: other",
                "checks: [{id: x, run: 'true'}]",
                "```",
                "~~~~",
                "`````````",
                "    ```",
                MARKER,
                "\r",
                "\x85\u2028\u2029\x0c\x1c",
                "\ufeff",
                "\u202e\u200b",
                "\ud800",
                "\t- AC-3: tabbed",
                "<!--",
                "</event>",
            ]
        )
    ).map("\n".join),
)


@given(
    HOSTILE,
    HOSTILE,
    st.dictionaries(HOSTILE, HOSTILE, max_size=3),
    st.sampled_from([BODY, BODY.replace("# Goal\n", "# Goal\n- a list\n")]),
)
def test_no_event_changes_any_field_criterion_or_check(text: str, title: str, facts: dict[str, str], body: str) -> None:
    read = read_template(template(body=body), "t.md")
    changed = {"title": "Mend the build (event 12)", "repo": "/srv/shop", "holdout_dir": "/srv/specs/hidden tests"}
    found = made(event(text, title, facts), read)
    assert without_prose(found) == without_prose(read.spec.model_copy(update=changed))
    before, after = read.spec.goal.split(MARKER)
    assert found.goal.startswith(before + FOREWORD)
    assert found.goal.endswith(after)


@given(HOSTILE, HOSTILE)
def test_nothing_in_an_event_ends_its_block(text: str, title: str) -> None:
    block = quoted(event(text, title)).removeprefix(FOREWORD + "\n\n")
    fence, *inside, end = block.split("\n")
    assert end == fence
    assert set(fence) == {"`"}
    assert not any(fence in line for line in inside)


def test_what_is_told_is_what_came_and_where_from() -> None:
    found = quoted(event("trace\nback", facts={"branch": "main", "url": "https://x.example/1"}))
    for told in ("source: github", "kind: workflow_run.failed", "title: CI failed", "branch: main", "trace\nback"):
        assert told in found
    assert "received: 2026-03-01 04:05:06 UTC" in found


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    found = quoted(event("A" + "x" * 200_000 + "Z"))
    assert len(found.encode()) < MOST_TEXT_BYTES + 2_000
    assert "bytes cut here" in found
    assert found.splitlines()[-2].endswith("Z")


def test_a_secret_in_an_event_is_not_passed_on() -> None:
    assert "ghp_" not in quoted(event("token ghp_" + "a1B2" * 10))


@pytest.mark.parametrize(
    ("cap_usd", "then_usd"), [(None, 1.5), (1, 1), (2, 1.5)], ids=["no cap", "a lower cap", "a higher cap"]
)
def test_the_lower_of_two_budgets_holds(cap_usd: int | None, then_usd: float) -> None:
    cap = None if cap_usd is None else cap_usd * NANO_PER_USD
    found = made(event(), placing=PLACING.model_copy(update={"budget_nano": cap}))
    assert found.budget.max_budget_nano == int(then_usd * NANO_PER_USD)
    assert found.budget.max_wall_seconds == 5400


def test_a_cap_is_the_budget_of_a_template_without_one() -> None:
    lines = [line for line in FRONT.splitlines(keepends=True) if not line.startswith("budget")]
    read = read_template(template("".join(lines)), "t.md")
    assert made(event(), read).budget.max_budget_nano is None
    assert made(event(), read, PLACING.model_copy(update={"budget_nano": 7})).budget.max_budget_nano == 7


def test_the_rules_priority_is_the_specs_where_it_has_one() -> None:
    assert made(event()).priority == 3
    assert made(event(), placing=PLACING.model_copy(update={"priority": -5})).priority == -5


def test_every_field_that_a_spec_may_state_is_written_again() -> None:
    """A field that was forgotten in writing would be refused, and every template with it."""
    stated = {line.partition(":")[0] for line in FRONT.splitlines() if line[0] not in " |"}
    assert stated == set(FRONT_MATTER.slots)
    written = front_matter_of(read_template(template(), "t.md").spec)
    assert {line.partition(":")[0] for line in written.splitlines() if line[0] != " "} == stated


def test_a_long_title_leaves_room_for_the_number() -> None:
    read = read_template(template(FRONT.replace("Mend the build", "M" * 200)), "t.md")
    assert made(event(), read).title == "M" * 189 + " (event 12)"


def test_a_template_that_states_little_stays_so() -> None:
    little = 'title: "a: \\"b\\" \\\\ \\u200b"\nchecks: [{id: u, run: "true", covers: [AC-1]}]\n'
    body = "# Goal\nx\n\n# Acceptance\n- AC-1: y\n\n# Event\n{{event}}\n"
    read = read_template(template(little, body), "t.md")
    found = made(event(), read)
    assert found.model_fields_set == read.spec.model_fields_set | {"repo"}
    assert found.title == 'a: "b" \\ \u200b (event 12)'
    assert found.goal == "x"


@pytest.mark.parametrize(
    ("front", "body", "line", "says"),
    [
        (FRONT, BODY.replace(MARKER, ""), 32, "no line `{{event}}`"),
        (FRONT, BODY.replace(MARKER, f"{MARKER}\n\n{MARKER}"), 39, "twice"),
        (FRONT, BODY.replace(MARKER, f"See {MARKER}"), 37, "a line of its own"),
        (FRONT, BODY.replace(MARKER, f"  {MARKER}"), 37, "a line of its own"),
        (FRONT, BODY.replace(MARKER, f"```\n{MARKER}\n```"), 38, "inside a code fence"),
        (FRONT, BODY.replace(MARKER, f"~~~~ md\n```\n{MARKER}\n~~~~"), 39, "inside a code fence"),
        (FRONT, BODY.replace(MARKER, "").replace("# Background", f"{MARKER}\n# Background"), 46, "below Acceptance"),
        (FRONT, BODY.replace(MARKER, "").replace("# Background", f"## More\n{MARKER}\n# B"), 47, "below Acceptance"),
        (FRONT + f"  # {MARKER}\n", BODY, 31, "never configures anything"),
        (FRONT.replace("Mend the build", f"'{MARKER}'"), BODY, 2, "never configures anything"),
    ],
)
def test_a_marker_in_the_wrong_place_is_named_with_its_line(front: str, body: str, line: int, says: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        read_template(template(front, body), "t.md")
    assert f"t.md:{line}:" in str(refused.value)
    assert says in str(refused.value)


def test_a_template_has_to_be_a_spec() -> None:
    with pytest.raises(SpecInvalid, match="no heading `# Acceptance`"):
        read_template("---\ntitle: x\nchecks: [{id: u, run: 'true'}]\n---\n# Goal\n{{event}}\n", "t.md")


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "specs" / "templates").glob("*.md")), ids=str)
def test_the_templates_that_come_along_take_an_event(path: Path) -> None:
    read = read_template(path.read_bytes(), path.name)
    assert made(event("# Acceptance\n- AC-7: no"), read).criteria == read.spec.criteria
