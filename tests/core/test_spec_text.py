from __future__ import annotations

import pytest

from tests.core.spec_files import BODY, spec_file
from thirdshift.core.errors import SpecInvalid
from thirdshift.core.spec import Delivery, GateKind, Risk, TaskKind
from thirdshift.core.spec_text import parse_spec

WHOLE = """---
title: Round invoice totals half up
repo: ../invoices
base: main
task: bugfix
risk: medium
scope:
  write: ["src/**", "tests/**"]
setup: uv sync
checks:
  - {id: lint, run: ruff check src, stop_on_fail: true}
  - {id: unit, run: pytest -q, covers: [AC-1, AC-2], timeout: 5m}
holdout:
  - {id: cents, run: pytest -q "$HOLDOUT/test_cents.py", covers: [AC-1]}
holdout_dir: ../held
budget: {max_budget_usd: 1.50, max_attempts: 7, max_steps: 41, max_wall: 1h30m}
gates: [merge, plan]
deliver: pull-request
plan: none
loop: ralph
packets:
  - {id: one, title: First, covers: [AC-1]}
  - {id: two, covers: [AC-2, AC-3], needs: [one]}
---
# Goal
Prose, for the agent.

## Detail
More of it.

# Acceptance
- AC-1: When a total ends in half a cent, the system shall
  round it up.
- **AC-2**: It shall:
  - do this;
  - do that.
- AC-3 (by: review): It shall read well.

# Notes
Something else.
"""


def test_every_field_of_a_whole_spec_is_read() -> None:
    spec = parse_spec(WHOLE, "spec.md")
    assert (spec.title, spec.repo, spec.base) == ("Round invoice totals half up", "../invoices", "main")
    assert (spec.task, spec.risk, spec.deliver) == (TaskKind.BUGFIX, Risk.MEDIUM, Delivery.PULL_REQUEST)
    assert (spec.plan, spec.loop, spec.holdout_dir, spec.setup) == ("none", "ralph", "../held", "uv sync")
    assert spec.write == ("src/**", "tests/**")
    assert spec.gates == (GateKind.MERGE, GateKind.PLAN)
    assert [(c.id, c.holdout, c.covers, c.timeout_seconds, c.stop_on_fail) for c in spec.checks] == [
        ("lint", False, (), 600.0, True),
        ("unit", False, ("AC-1", "AC-2"), 300.0, False),
        ("cents", True, ("AC-1",), 600.0, False),
    ]
    assert spec.checks[2].run == 'pytest -q "$HOLDOUT/test_cents.py"'
    assert spec.budget.max_budget_nano == 1_500_000_000
    assert (spec.budget.max_attempts, spec.budget.max_steps, spec.budget.max_wall_seconds) == (7, 41, 5400.0)
    assert [(p.id, p.title, p.covers, p.needs) for p in spec.packets] == [
        ("one", "First", ("AC-1",), ()),
        ("two", "", ("AC-2", "AC-3"), ("one",)),
    ]


def test_goal_and_criteria_are_read_from_the_body() -> None:
    spec = parse_spec(WHOLE, "spec.md")
    assert spec.goal == "Prose, for the agent.\n\n## Detail\nMore of it."
    assert [(c.id, c.text, c.by_review) for c in spec.criteria] == [
        ("AC-1", "When a total ends in half a cent, the system shall round it up.", False),
        ("AC-2", "It shall:\n- do this;\n- do that.", False),
        ("AC-3", "It shall read well.", True),
    ]
    assert spec.body.startswith("# Goal")


def test_what_is_absent_gets_its_default() -> None:
    spec = parse_spec(spec_file(), "spec.md")
    assert (spec.repo, spec.base, spec.task, spec.risk) == (".", "HEAD", TaskKind.FEATURE, Risk.LOW)
    assert (spec.write, spec.gates, spec.packets, spec.setup) == (("**",), (), (), None)
    assert spec.priority == 0
    assert spec.budget.max_budget_nano is None
    assert (spec.budget.max_attempts, spec.budget.max_wall_seconds) == (6, 2700.0)


@pytest.mark.parametrize("priority", [-100, -1, 0, 100])
def test_a_priority_may_be_below_zero(priority: int) -> None:
    assert parse_spec(spec_file(f"priority: {priority}"), "spec.md").priority == priority


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_any_line_ends_change_nothing(ends: str, mark: bytes) -> None:
    source = mark + WHOLE.replace("\n", ends).encode()
    assert parse_spec(source, "spec.md") == parse_spec(WHOLE, "spec.md")


@pytest.mark.parametrize(
    ("written", "nano"),
    [
        ("1.50", 1_500_000_000),
        ('"1.50"', 1_500_000_000),
        ("0.1", 100_000_000),
        ("3", 3_000_000_000),
        ("123456789.123456789", 123_456_789_123_456_789),
        ("0.000000001", 1),
    ],
)
def test_money_is_the_digits_in_the_file_and_never_a_binary_float(written: str, nano: int) -> None:
    spec = parse_spec(spec_file(f"budget: {{max_budget_usd: {written}}}"), "spec.md")
    assert spec.budget.max_budget_nano == nano


@pytest.mark.parametrize(
    ("written", "seconds"), [("5m", 300), ("45m", 2700), ("1h30m", 5400), ("90s", 90), ("1h 5s", 3605)]
)
def test_durations_carry_their_units(written: str, seconds: int) -> None:
    spec = parse_spec(spec_file(f"budget: {{max_wall: {written}}}"), "spec.md")
    assert spec.budget.max_wall_seconds == seconds


@pytest.mark.parametrize("written", ["1.10", "1234567", "12e4567", "no", "2024-01-02", "0x10"])
def test_text_is_taken_as_written_whatever_yaml_would_make_of_it(written: str) -> None:
    assert parse_spec(spec_file(f"base: {written}"), "spec.md").base == written


def test_a_heading_inside_a_code_fence_is_no_heading() -> None:
    body = "# Goal\nRun:\n```sh\n# Acceptance\n- x\n```\n\n# Acceptance\n- AC-1: It shall."
    spec = parse_spec(spec_file(body=body), "spec.md")
    assert "# Acceptance" in spec.goal
    assert [c.id for c in spec.criteria] == ["AC-1"]


@pytest.mark.parametrize(
    "body",
    [
        "# A title\n## Goal\nX\n## Acceptance\n- AC-1: It shall.",
        "# goal\nX\n\n# ACCEPTANCE CRITERIA:\n* AC-1: It shall.",
        "Some words first.\n\n# Goal #\nX\n# Acceptance\nA line before.\n\n- **AC-1:** It shall.\n\nA line after.",
        "# Goal\nX\n# Acceptance\n## Rounding\n- AC-1: It\nshall.",
    ],
)
def test_headings_of_any_level_and_any_bullet_are_read(body: str) -> None:
    criterion = parse_spec(spec_file(body=body), "spec.md").criteria[0]
    assert (criterion.id, criterion.text) == ("AC-1", "It shall.")


def test_text_after_a_list_is_no_part_of_its_last_criterion() -> None:
    body = "# Goal\nX\n# Acceptance\n- AC-1: It shall.\n\n  Also this.\n\nNot this."
    assert parse_spec(spec_file(body=body), "spec.md").criteria[0].text == "It shall. Also this."


def test_held_out_checks_alone_are_checks() -> None:
    checks = "holdout: [{id: h, run: ./check, covers: [AC-1]}]"
    spec = parse_spec(spec_file(checks=checks), "spec.md")
    assert [c.holdout for c in spec.checks] == [True]


def test_a_criterion_for_review_needs_no_check() -> None:
    body = f"{BODY}\n- AC-2 (by: review): It shall please."
    assert parse_spec(spec_file(body=body), "spec.md").criteria[1].by_review


def test_lists_may_be_written_as_blocks_and_commands_over_several_lines() -> None:
    checks = "checks:\n- id: unit\n  run: |\n    make\n    make test\n  covers:\n  - AC-1"
    spec = parse_spec(spec_file(checks=checks), "spec.md")
    assert spec.checks[0].run == "make\nmake test"


@pytest.mark.parametrize("glob", ["src/**", "!src/gen/**", "./a", "a/..b/*", "app/\\[id\\]/*.ts", "**/*.md"])
def test_globs_inside_the_repository_are_taken(glob: str) -> None:
    assert parse_spec(spec_file(f"scope: {{write: ['{glob}']}}"), "spec.md").write == (glob,)


def test_a_check_may_say_where_its_report_is() -> None:
    checks = 'checks:\n  - {id: unit, run: make, covers: [AC-1], report: "build/**/*.xml"}'
    assert parse_spec(spec_file(checks=checks), "spec.md").checks[0].report == "build/**/*.xml"


@pytest.mark.parametrize("report", ["/tmp/x.xml", "../x.xml", "a/../../x.xml", "-x", "~/x.xml"])
def test_a_report_lies_below_the_repository(report: str) -> None:
    checks = f'checks:\n  - {{id: unit, run: make, covers: [AC-1], report: "{report}"}}'
    with pytest.raises(SpecInvalid, match="is no path below the repository"):
        parse_spec(spec_file(checks=checks), "spec.md")
