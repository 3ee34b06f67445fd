from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.reports.facts import BEGAN, EAGLE, USD, answers, attempt, facts, job, line
from thirdshift.core.outcomes import OutcomeState
from thirdshift.core.periods import Period
from thirdshift.core.questions import Facts, JobFact, Money
from thirdshift.core.reckoning import Dimension, breakdown, reckon
from thirdshift.core.routing import Output, output_of
from thirdshift.core.waste import Cause


def test_who_used_the_most_is_sorted_by_money_and_the_kinds_stay_apart() -> None:
    found = answers()
    assert [(group.key, group.use.money) for group in found.agents] == [
        (("acme/eagle", "frontier", "code"), Money(4 * USD, 0, 0)),
        (("local/sparrow", "economy", "code"), Money(3 * USD, 3 * USD, 0)),
        (("acme/heron", "specialist", "code"), Money(2 * USD, 0, USD // 2)),
    ]
    assert found.total.money == Money(9 * USD, 3 * USD, USD // 2)


def test_a_run_has_its_route_its_output_and_its_review() -> None:
    run = next(run for run in answers().runs if run.job_id == "job-1")
    assert run.tier_path == "economy > specialist"
    assert run.models == ("local/sparrow", "acme/heron")
    assert run.reasons == ("first", "verification_failed")
    assert (run.output, run.landed, run.attempts, run.tool_calls) == (Output.EDITED, True, 2, 8)
    assert run.review is not None
    assert run.wall_seconds == 300


@pytest.mark.parametrize(
    ("fact", "output"),
    [
        (job(), Output.ACCEPTED),
        (job(edited=True), Output.EDITED),
        (job(outcome=OutcomeState.PENDING), Output.ACCEPTED),
        (job(outcome=OutcomeState.REVERTED, edited=True), Output.REVERTED),
        (job(outcome=OutcomeState.REJECTED), Output.REJECTED),
        (job(stop_reason="rejected"), Output.REJECTED),
        (job(stop_reason="budget"), Output.NONE),
        (job(stop_reason="undelivered", outcome=OutcomeState.ACCEPTED), Output.ACCEPTED),
        (job(stop_reason="", closed_at=None), Output.UNDER_WAY),
    ],
)
def test_the_output_is_what_git_shows_else_how_the_job_ended(fact: JobFact, output: Output) -> None:
    assert output_of(fact) is output


def test_the_cost_of_an_accepted_outcome_counts_failures_and_not_what_was_reverted() -> None:
    found = answers()
    assert found.accepted == 2
    assert found.cost_per_accepted == Money(9 * USD // 2, 3 * USD // 2, USD // 4)
    by_task = {group.key[0]: group for group in found.by[Dimension.TASK]}
    assert by_task["bugfix"].cost_per_accepted() == Money(5 * USD // 2, 3 * USD // 2, USD // 4)
    assert by_task["feature"].cost_per_accepted() is None


def test_a_week_has_the_spend_of_its_calls_and_the_outcomes_that_ended_in_it() -> None:
    weeks = answers().by[Dimension.WEEK]
    assert [(week.key[0], week.use.metered // USD, week.accepted, week.runs) for week in weeks] == [
        ("2026-W10 (Mar 2)", 7, 2, 3),
        ("2026-W11 (Mar 9)", 2, 0, 1),
    ]


def test_days_are_those_of_the_configured_zone() -> None:
    late = Facts(jobs=[job(closed_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))])
    for zone, week in (("UTC", "2026-W09 (Feb 23)"), ("Europe/Berlin", "2026-W10 (Mar 2)")):
        found = reckon(late, Period(zone=ZoneInfo(zone)))
        assert [group.key[0] for group in found.by[Dimension.WEEK]] == [week]


def test_outcomes_outside_the_period_are_not_counted_and_their_spend_within_it_is() -> None:
    found = answers(period=Period(since=BEGAN + timedelta(days=1)))
    assert (found.accepted, found.outputs[Output.NONE], sum(found.outputs.values())) == (0, 1, 1)
    assert found.cost_per_accepted is None


def test_a_frontier_call_without_a_reason_code_is_named() -> None:
    assert not answers().frontier.unexplained
    bad = Facts(jobs=[job()], lines=[line(1, **{**EAGLE, "reason": ""}), line(1, **EAGLE)])
    frontier = reckon(bad, Period()).frontier
    assert (frontier.calls, frontier.by_reason) == (20, {"": 10, "verification_failed": 10})
    assert frontier.unexplained == [("job-1", 10)]


def test_risks_and_tiers_say_how_many_runs_were_there() -> None:
    assert [(group.key, group.runs) for group in answers().risks] == [
        (("high", "frontier"), 1),
        (("low", "economy"), 3),
        (("low", "specialist"), 1),
    ]


def test_waste_sums_to_spend_and_follows_the_fates_of_runs() -> None:
    found = answers()
    assert found.waste.total == found.total.money
    assert found.waste.by_cause[Cause.NO_OUTCOME] == Money(6 * USD, 0, 0)
    assert found.waste.by_cause[Cause.PRODUCTIVE] == Money(3 * USD, 3 * USD, USD // 2)


@pytest.mark.parametrize("dimension", list(Dimension))
def test_every_breakdown_sums_to_the_spend(dimension: Dimension) -> None:
    found = answers()
    groups = breakdown(dimension, found.cells, found.runs, found.period)
    total = Money()
    for group in groups:
        total = total.plus(group.use.money)
    assert total == found.total.money


def test_no_breakdown_is_by_people() -> None:
    names = {dimension.value for dimension in Dimension}
    assert not names & {"submitter", "reviewer", "person", "author", "user"}


def test_a_policy_that_stopped_a_job_is_told_with_its_point_and_its_estimate() -> None:
    rows = Facts(
        jobs=[job(stop_reason="no_progress", charged_nano=3 * USD, budget_nano=5 * USD, evidence="nothing new")],
        attempts=[attempt(1, 1), attempt(2, 2), attempt(3, 3)],
        lines=[line(1), line(2), line(3)],
    )
    (stop,) = reckon(rows, Period()).stops
    assert (stop.policy, stop.attempt, stop.attempts, stop.calls) == ("no_progress", None, 3, 30)
    assert (stop.spent_nano, stop.at_least_nano, stop.at_most_nano) == (3 * USD, USD, 2 * USD)


def test_an_estimate_is_never_more_than_what_the_budget_would_have_let_through() -> None:
    rows = Facts(jobs=[job(stop_reason="repeating", charged_nano=9 * USD)], attempts=[attempt(1)])
    (stop,) = reckon(rows, Period()).stops
    assert (stop.at_least_nano, stop.at_most_nano) == (USD, USD)


def test_nothing_but_the_budget_would_have_stopped_what_the_budget_stopped() -> None:
    stop = next(stop for stop in answers().stops if stop.policy == "budget")
    assert (stop.job_id, stop.at_least_nano, stop.at_most_nano) == ("job-3", 2 * USD, None)


def test_an_attempt_that_a_detector_ended_is_told_unless_it_is_what_stopped_the_job() -> None:
    stops = [(stop.policy, stop.attempt) for stop in answers().stops]
    assert stops == [("budget", None), ("repeating", 1)]
    same = Facts(jobs=[job(stop_reason="repeating")], attempts=[attempt(1, end="repeating")])
    assert [stop.attempt for stop in reckon(same, Period()).stops] == [None]


def test_a_person_or_an_outage_is_no_policy() -> None:
    for reason in ("stopped_by_person", "provider_unavailable", "rejected", "accepted", ""):
        assert not reckon(Facts(jobs=[job(stop_reason=reason)], attempts=[attempt(1)]), Period()).stops


def test_totals_of_policies_keep_stops_without_an_upper_end_apart() -> None:
    totals = {total.policy: total for total in answers(facts()).stop_totals}
    assert (totals["budget"].jobs, totals["budget"].without_most, totals["budget"].at_most_nano) == (1, 1, 0)
    assert (totals["repeating"].attempts, totals["repeating"].at_least_nano) == (1, USD // 10)


def test_empty_facts_are_said_to_be_empty() -> None:
    found = reckon(Facts(), Period())
    assert found.empty
    assert found.total.calls == 0
