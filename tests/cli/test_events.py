from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.adapters.ledger.nights import decision, event
from tests.cli.conftest import Shell
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.event_book import Decided

TEMPLATE = """---
title: Mend the build
checks: [{id: unit, run: "true", covers: [AC-1]}]
---
# Goal
Mend it.

{{event}}

# Acceptance
- AC-1: It shall pass.
"""
RULES = """
[[intake.rules]]
name = "ci"
match = {kind = "workflow_run.*"}
unless = {branch = "dev"}
spec = "t.md"
repo = "repo"
then = "shift:nightly"

[[intake.rules]]
name = "rest"
then = "ignore"
"""


@pytest.fixture
def booked(shell: Shell, tmp_path: Path) -> Shell:
    """A shell in whose ledger three events are: one with a job, one that is a duplicate, one that waits."""
    (tmp_path / "home").mkdir()
    with closing(open_ledger(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}")) as ledger:
        for delivery in ("d1", "d2", "d3"):
            ledger.put_event(event(delivery, title="fails \x1b[31mred", text="a\u202eb"))
        ledger.put_event(event("d4", repository="acme/other"))
        ledger.decide_event(1, decision(Decided.JOB, job_id="job-7", rule="ci"))
        ledger.decide_event(2, decision())
        ledger.decide_event(4, decision(Decided.UNMATCHED, rule=""))
    return shell


@pytest.fixture
def ruled(shell: Shell) -> Shell:
    """A shell with sound rules."""
    (shell.directory / "repo").mkdir()
    for arguments in (["init", "-qb", "main"], ["commit", "--allow-empty", "-qm", "start"]):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=shell.directory / "repo", check=True)
    (shell.directory / "t.md").write_text(TEMPLATE)
    (shell.directory / "thirdshift.toml").write_text(RULES)
    return shell


def test_events_are_listed_the_newest_first_with_their_decisions(booked: Shell) -> None:
    code, found = booked.json("events")
    assert code == 0
    told = [(one["number"], one["decision"] and one["decision"]["what"]) for one in found["events"]]
    assert told == [(4, "unmatched"), (3, None), (2, "duplicate"), (1, "job")]
    assert found["events"][3]["decision"]["job_id"] == "job-7"
    assert found["events"][3]["title"] == "fails <U+001B>[31mred"
    code, out, err = booked("events")
    assert (code, err) == (0, "")
    assert "job-7" in out
    assert "\x1b" not in out


def test_a_list_is_narrowed(booked: Shell) -> None:
    def numbers(*options: str) -> list[int]:
        return [one["number"] for one in booked.json("events", *options)[1]["events"]]

    assert numbers("--undecided") == [3]
    assert numbers("--limit", "2") == [4, 3]
    assert numbers("--repository", "acme/other") == [4]
    assert numbers("--repository", "acme/none") == []


def test_one_event_is_shown_whole_and_inert(booked: Shell) -> None:
    code, out, _ = booked("events", "show", "1")
    assert code == 0
    assert "a<U+202E>b" in out
    assert booked.json("events", "show", "1")[1]["text"] == "a<U+202E>b"


@pytest.mark.parametrize("command", [["show", "99"], ["show", "0"], ["show"], ["retry", "x"]])
def test_an_event_that_is_not_there_is_a_mistake_and_no_fault(booked: Shell, command: list[str]) -> None:
    code, _, err = booked("events", *command)
    assert code == 64
    assert err


def test_retry_needs_a_server(booked: Shell) -> None:
    code, _, err = booked("events", "retry")
    assert code == 69
    assert "thirdshift up" in err


def test_sound_rules_are_listed_in_order(ruled: Shell) -> None:
    code, out, err = ruled("events", "check")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ok       ci: kind workflow_run.*, unless branch dev -> shift:nightly",
        "ok       rest: everything -> ignore",
    ]
    code, found = ruled.json("events", "check")
    assert (code, found["ok"], [rule["findings"] for rule in found["rules"]]) == (0, True, [[], []])


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (None, "no such template"),
        (TEMPLATE.replace("{{event}}", ""), "t.md:5: no line `{{event}}`"),
        (TEMPLATE.replace("title:", "titel:"), "did you mean `title`?"),
        (TEMPLATE.replace("title:", "base: gone\ntitle:"), "its events would be refused"),
    ],
    ids=["missing", "no place for the event", "a bad field", "a base that is not there"],
)
def test_a_template_that_no_event_could_use_is_named_with_its_rule(
    ruled: Shell, template: str | None, says: str
) -> None:
    if template is None:
        (ruled.directory / "t.md").unlink()
    else:
        (ruled.directory / "t.md").write_text(template)
    code, out, err = ruled("events", "check")
    assert code == 64
    assert "rule ci: " in err
    assert says in err
    assert out.startswith("WRONG")
    code, found = ruled.json("events", "check")
    assert (code, found["ok"]) == (64, False)
    assert says in "\n".join(found["rules"][0]["findings"])


def test_without_rules_that_is_said(shell: Shell) -> None:
    code, _, err = shell("events", "check")
    assert code == 0
    assert "no rules" in err


@pytest.mark.parametrize(
    ("options", "says"), [(["--at", "25:00"], "write it like 06:30"), (["--tz", "Nowhere/Land"], "not a time zone")]
)
def test_a_time_that_is_none_is_refused_before_anything_is_scheduled(
    shell: Shell, options: list[str], says: str
) -> None:
    code, _, err = shell("outcomes", "schedule", *options)
    assert code == 64
    assert says in err


def test_scheduling_needs_a_server(shell: Shell) -> None:
    code, _, err = shell("outcomes", "schedule")
    assert code == 69
    assert "thirdshift up" in err


def test_doctor_looks_at_the_templates(ruled: Shell) -> None:
    def intake() -> dict[str, object]:
        return next(one for one in ruled.json("doctor")[1]["findings"] if one["name"] == "intake")

    assert intake()["ok"]
    (ruled.directory / "t.md").unlink()
    assert not intake()["ok"]
    assert "events check" in str(intake()["remedy"])
