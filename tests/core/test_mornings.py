"""What the morning report concludes from the facts of a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.reports.facts import USD
from tests.reports.night_facts import CLOSES, NIGHT, TOLD, asked, busy, listed, morning, record, worked
from thirdshift.core.morning_decisions import DecideOn
from thirdshift.core.morning_facts import NightFacts, Purse, WorkedJob
from thirdshift.core.mornings import Fate, tell_night
from thirdshift.core.night_book import LineState, NightLine
from thirdshift.core.outcomes import OutcomeState
from thirdshift.core.questions import Money
from thirdshift.core.waste import Cause


def fate(job: WorkedJob, line: NightLine | None = None, *, gate: bool = False) -> Fate:
    gates = (asked(job.job_id, 1),) if gate else ()
    facts = NightFacts(record(), Purse(USD), lines=(line,) if line else (), jobs=(job,), gates=gates)
    return tell_night(facts, TOLD).jobs[0].fate


@pytest.mark.parametrize(
    ("job", "line", "gate", "expected"),
    [
        (worked("j"), listed("j"), False, Fate.ACCEPTED),
        (worked("j", outcome=OutcomeState.REVERTED), listed("j"), False, Fate.REJECTED),
        (worked("j", "rejected"), listed("j"), False, Fate.REJECTED),
        (worked("j", "budget"), listed("j"), False, Fate.STOPPED),
        (worked("j", "circuit_breaker"), listed("j"), False, Fate.STOPPED),
        (worked("j", "undelivered"), listed("j"), False, Fate.STOPPED),
        (worked("j", ""), listed("j"), True, Fate.WAITING),
        (worked("j", "", parked_at=CLOSES), listed("j", LineState.PARKED), True, Fate.WAITING),
        (worked("j", "", parked_at=CLOSES), listed("j", LineState.PARKED), False, Fate.PARKED),
        (worked("j", "", parked_at=CLOSES), listed("j"), False, Fate.PARKED),
        (worked("j", ""), listed("j", LineState.PARKED), False, Fate.PARKED),
        (worked("j", ""), listed("j"), False, Fate.RUNNING),
        (worked("j", ""), None, False, Fate.RUNNING),
        (worked("j", "", night=""), listed("j"), False, Fate.RUNNING),
        (worked("j", "accepted", night=""), listed("j"), False, Fate.ACCEPTED),
        (worked("j", "accepted", night="nightly|2026-11-22"), listed("j", LineState.PARKED), False, Fate.PARKED),
        (worked("j", "", night="nightly|2026-11-22"), listed("j"), False, Fate.PARKED),
    ],
)
def test_what_became_of_a_job_follows_from_its_end_its_gate_and_its_line(
    job: WorkedJob, line: NightLine | None, gate: bool, expected: Fate
) -> None:
    assert fate(job, line, gate=gate) is expected


def test_every_line_of_the_list_is_counted_once() -> None:
    told = morning()
    assert {fate.value: number for fate, number in told.counts.items() if number} == {
        "accepted": 2,
        "waiting": 1,
        "parked": 1,
        "stopped": 2,
        "refused": 1,
        "passed_over": 2,
        "done_before": 1,
    }
    assert sum(told.counts.values()) == len(busy().lines)


def test_decisions_come_by_urgency_and_gates_by_age() -> None:
    told = morning()
    assert [(one.on, one.command) for one in told.decisions] == [
        (DecideOn.PROVIDER, "thirdshift doctor"),
        (DecideOn.GATE, "thirdshift decide old"),
        (DecideOn.GATE, "thirdshift decide w-1"),
        (DecideOn.JOB_BUDGET, "thirdshift resume s-1 --budget-usd 6.00"),
        (DecideOn.SPEC, "thirdshift check 'specs/new tax.md'"),
        (DecideOn.STOPPED, "thirdshift resume s-2"),
        (DecideOn.UNKNOWN, "thirdshift ledger reconcile"),
    ]
    assert told.decisions[1].waited_seconds == 30 * 3600 + 60
    assert told.decisions[1].link == "http://127.0.0.1:8233/workflows/loop-old"


def test_a_tripped_breaker_is_decided_on_before_anything_else() -> None:
    told = morning(replace(busy(), record=record("tripped", "4.2 times the planned rate")))
    first = told.decisions[0]
    assert (first.on, first.why) == (DecideOn.BREAKER, "4.2 times the planned rate")
    assert first.command == "thirdshift shift pause nightly"


def test_many_stopped_jobs_are_one_decision() -> None:
    jobs = tuple(worked(f"s-{n}", "no_progress" if n % 2 else "tampering", evidence="e") for n in range(5))
    told = tell_night(NightFacts(record(), Purse(USD), jobs=jobs), TOLD)
    (only,) = told.decisions
    assert only.what.startswith("5 jobs stopped.")
    assert only.why == "no_progress 2, tampering 3"
    assert only.command == "thirdshift shift report nightly --night 2026-11-21"


def test_money_that_ran_out_is_a_decision_only_where_specs_were_left() -> None:
    full = Purse(10 * USD, 9 * USD, 0, USD)
    lines = (listed("o", LineState.PASSED_OVER, "the night's money"),)
    asked_for = tell_night(NightFacts(record(), full, lines=lines), TOLD).decisions
    assert DecideOn.NIGHT_BUDGET in {one.on for one in asked_for}
    assert DecideOn.NIGHT_BUDGET not in {one.on for one in tell_night(NightFacts(record(), full), TOLD).decisions}
    half = Purse(10 * USD, 5 * USD)
    assert not tell_night(NightFacts(record(), half, lines=lines), TOLD).decisions


def test_a_command_quotes_the_path_of_a_spec() -> None:
    evil = listed("x", LineState.REFUSED, spec_path="specs/$(reboot); rm -rf ~.md")
    (only,) = tell_night(NightFacts(record(), Purse(USD), lines=(evil,)), TOLD).decisions
    assert only.command == "thirdshift check 'specs/$(reboot); rm -rf ~.md'"


def test_a_command_has_nothing_in_it_that_acts_on_a_terminal() -> None:
    evil = listed("x", LineState.REFUSED, spec_path="a\x1b[2J\nthirdshift stop --all\u202e.md")
    (only,) = tell_night(NightFacts(record(), Purse(USD), lines=(evil,)), TOLD).decisions
    assert only.command == "thirdshift check 'a<U+001B>[2J<U+000A>thirdshift stop --all<U+202E>.md'"


def test_the_night_is_compared_with_the_month_before_it_and_not_with_itself() -> None:
    compared = morning().compared
    assert (compared.tonight_nano, compared.accepted) == (6 * USD, 2)
    # Six dollars of a night that brought nothing are part of what an outcome cost.
    assert (compared.month_nano, compared.month_nights, compared.month_accepted) == (6 * USD, 2, 2)
    assert compared.change_percent == 0


def test_a_first_night_and_a_night_without_an_outcome_are_compared_with_nothing() -> None:
    empty = tell_night(NightFacts(record(), Purse(USD)), TOLD).compared
    assert (empty.tonight_nano, empty.month_nano, empty.change_percent) == (None, None, None)


@pytest.mark.parametrize(("nano", "told"), [(553_000, "$0.0006"), (1, "$0.0001"), (10_000_000, "$0.01")])
def test_unknown_money_of_less_than_a_cent_is_not_told_as_nothing(nano: int, told: str) -> None:
    (only,) = tell_night(NightFacts(record(), Purse(USD, 0, 0, nano)), TOLD).decisions
    assert (only.on, told in only.what) == (DecideOn.UNKNOWN, True)


def test_metered_imputed_and_unknown_money_stay_apart() -> None:
    told = morning()
    assert told.spent == Money(12 * USD, USD, USD // 2)
    assert told.waste.total == Money(12 * USD, USD, USD // 2)
    assert told.waste.by_cause[Cause.PRODUCTIVE] == Money(4 * USD, USD, USD // 2)
    assert told.waste.under_way == Money(4 * USD)


def test_provider_trouble_is_summed_by_provider_and_kind() -> None:
    first, second = morning().troubles
    assert (first.provider, first.kind, first.calls, first.waited_seconds) == ("acme", "rate_limited", 10, 700.0)
    assert first.last - first.first == timedelta(hours=3)
    assert (second.provider, second.kind, second.calls, second.unknown) == ("birch", "unauthorized", 2, 1)


def test_a_job_that_a_later_night_took_over_says_what_came_of_it() -> None:
    job = worked("j", "accepted", night="nightly|2026-11-22")
    facts = NightFacts(record(), Purse(USD), lines=(listed("j", LineState.PARKED, "the window"),), jobs=(job,))
    (told,) = tell_night(facts, TOLD).jobs
    assert (told.why, told.since) == ("the window", "accepted")


def test_a_night_under_way_goes_up_to_the_moment_of_telling() -> None:
    told = morning(replace(busy(), record=record("")), CLOSES - timedelta(hours=2))
    assert told.under_way
    assert told.until == CLOSES - timedelta(hours=2)
    assert told.record.row.night.id == NIGHT


def test_a_night_that_began_no_job_did_not_run() -> None:
    assert not tell_night(NightFacts(record(), Purse(USD), lines=(listed("x", LineState.DONE_BEFORE),)), TOLD).ran
