from __future__ import annotations

import re

import pytest
from inline_snapshot import snapshot

from tests.reports.views import attempt, climb, job, verdict
from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.ports import CommandEnd
from thirdshift.core.verdict import CheckOutcome
from thirdshift.core.views import JobState, Spend
from thirdshift.reports.job_report import render_job

LINK = "http://127.0.0.1:8233/namespaces/default/workflows/job-billing-round-4be2"


def stopped(reason: StopReason = StopReason.BUDGET, **fields: object) -> str:
    values = {
        "state": JobState.STOPPED,
        "stop_reason": reason,
        "evidence": "job: limit $1.50, settled $1.49, held $0.00, needed $0.02",
        "branch": "thirdshift/job-billing-round-4be2-unfinished",
        "tree": "2" * 40,
        "remedy": "thirdshift raise-budget job-billing-round-4be2 --usd 1",
    }
    return render_job(job(climb()[:3], **{**values, **fields}), "")


def test_the_report_of_an_accepted_job() -> None:
    assert render_job(job(climb()), LINK) == snapshot("""\
ACCEPTED: Round invoice totals half up
job       job-billing-round-4be2
spec      specs/round.md (bugfix, risk low)
repo      /srv/my invoices
cost      $0.0534 of $1.50 (3%)
took      3 min 5 s

ATTEMPTS
  try   tier        model                steps  checks  outcome     cost
  plan  economy     local/sparrow            1          planned  $0.0041
  1     economy     local/sparrow            7  1 of 3  failed   $0.0041
  2     economy     local/sparrow            7  1 of 3  failed   $0.0040
        retry_with_evidence: the same rung again, told what failed
        the stream was cut once
        and 1 call of unknown cost, at most $0.0009
  3     specialist  vendor/heron (high)      7  3 of 3  passed   $0.0412
        escalated economy -> specialist: verification_failed, unit, cents still
        failing

COST BY TIER
  tier        calls  tokens in   cached    out     cost
  economy        15    183,702  150,000  7,035  $0.0122
  specialist      7     61,234   50,000  2,345  $0.0412
  total          22    244,936  200,000  9,380  $0.0534
  Unknown: calls that may have been billed, at most $0.0009; not in the cost,
  but charged to the budget until reconciled.

branch    thirdshift/job-billing-round-4be2
commit    cccccccccccccccccccccccccccccccccccccccc
Temporal  http://127.0.0.1:8233/namespaces/default/workflows/job-billing-round-4be2

NEXT
  git -C '/srv/my invoices' diff abcdef012345 thirdshift/job-billing-round-4be2
  git -C '/srv/my invoices' merge thirdshift/job-billing-round-4be2\
""")


def test_the_report_of_a_stopped_job_says_why_what_is_best_and_how_to_go_on() -> None:
    assert stopped() == snapshot("""\
STOPPED: Round invoice totals half up
job       job-billing-round-4be2
spec      specs/round.md (bugfix, risk low)
repo      /srv/my invoices
cost      $0.0122 of $1.50 (0%)
took      3 min 5 s
stopped   budget
          job: limit $1.50, settled $1.49, held $0.00, needed $0.02

ATTEMPTS
  try   tier     model          steps  checks  outcome     cost
  plan  economy  local/sparrow      1          planned  $0.0041
  1     economy  local/sparrow      7  1 of 3  failed   $0.0041
  2     economy  local/sparrow      7  1 of 3  failed   $0.0040
        retry_with_evidence: the same rung again, told what failed
        the stream was cut once
        and 1 call of unknown cost, at most $0.0009

COST BY TIER
  tier     calls  tokens in   cached    out     cost
  economy     15    183,702  150,000  7,035  $0.0122
  Unknown: calls that may have been billed, at most $0.0009; not in the cost,
  but charged to the budget until reconciled.

branch    thirdshift/job-billing-round-4be2-unfinished
commit    cccccccccccccccccccccccccccccccccccccccc
best tree 2222222222222222222222222222222222222222 (1 of 3 checks pass)

NEXT
  thirdshift raise-budget job-billing-round-4be2 --usd 1\
""")


def test_a_job_that_leaves_no_branch_names_no_best_tree() -> None:
    assert "best tree" in stopped()
    assert "best tree" not in stopped(branch="", commit="")


def test_the_best_tree_named_is_the_one_on_the_branch() -> None:
    text = stopped(tree="1" * 40)
    assert f"best tree {'1' * 40} (1 of 3 checks pass)" in text
    assert "best tree" not in stopped(tree="e" * 40), "that tree nothing has judged"


def test_a_running_job_says_how_to_watch_it() -> None:
    text = render_job(job((attempt(1, end=None),), state=JobState.RUNNING, stop_reason=None, ended_at=None), LINK)
    assert "under way" in text
    assert text.endswith("NEXT\n  thirdshift watch job-billing-round-4be2")


def test_a_queued_job_has_no_empty_tables() -> None:
    text = render_job(job(state=JobState.QUEUED, stop_reason=None, ended_at=None, branch="", commit=""), "")
    assert "ATTEMPTS" not in text
    assert "COST BY TIER" not in text


def test_money_of_other_kinds_is_told_apart_and_never_added() -> None:
    spend = Spend(settled_nano=1_000_000, imputed_nano=2_000_000, unknown_nano=4_000_000, held_nano=8_000_000)
    text = render_job(job((attempt(1, spend=spend),)), "")
    for said in ("$0.0010", "Imputed: $0.0020", "at most $0.0040", "Held: $0.0080"):
        assert said in text
    for sum_of_kinds in ("$0.0030", "$0.0050", "$0.0070", "$0.0150"):
        assert sum_of_kinds not in text


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = stopped(evidence="\x1b]0;owned\x07 done \u202e evil")
    assert "\x1b" not in text
    assert "<U+202E>" in text


def test_tables_stay_within_eighty_columns() -> None:
    wide = attempt(1, model="provider/" + "very-long-model-name-" * 6, evidence="word " * 60)
    lines = render_job(job((wide,)), "").splitlines()
    table = lines[lines.index("ATTEMPTS") :]
    assert max(len(row) for row in table[: table.index("")]) <= 80


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"verdict": verdict(1, unit="passed").model_copy(update={"tampering": ("x",)})}, "tampering"),
        ({"verdict": verdict(1, unit="passed").model_copy(update={"out_of_scope": ("x",)})}, "out of scope"),
        ({"end": AttemptEnd.PROVIDER}, "provider"),
        ({"verdict": verdict(1, unit="failed")}, "failed"),
    ],
)
def test_the_outcome_of_an_attempt_is_its_verdict_or_else_its_end(fields: dict[str, object], outcome: str) -> None:
    assert outcome in render_job(job((attempt(1, **fields),)), "")


def test_a_sideways_move_names_its_reason_code() -> None:
    text = render_job(job((attempt(1), attempt(2, reason=ReasonCode.SIDEWAYS_PROVIDER))), "")
    assert "sideways_provider" in text


def test_a_repository_at_a_url_is_not_taken_for_a_directory() -> None:
    view = job(climb())
    there = view.model_copy(update={"job": view.job.model_copy(update={"repository": "https://git.example/x.git"})})
    assert "  git merge thirdshift/job-billing-round-4be2" in render_job(there, "")


def test_a_plan_that_came_to_nothing_is_not_called_planned() -> None:
    assert "no plan" in render_job(job(climb(), plan=None), "")
    waiting = job(climb()[:1], plan=None, state=JobState.RUNNING, stop_reason=None, ended_at=None)
    assert "under way" in render_job(waiting, "")


def test_what_a_failing_check_printed_last_is_shown_and_bounded() -> None:
    printed = "\n".join(f"line {number}" for number in range(30)) + "\n\n" + "x" * 5000 + "\n"
    unit = CheckOutcome(
        id="unit", passed=False, end=CommandEnd.EXITED, exit_code=2, seconds=1.0, output=printed, covers=()
    )
    slow = unit.model_copy(update={"id": "slow", "end": CommandEnd.TIMED_OUT, "output": ""})
    held = unit.model_copy(update={"id": "cents", "holdout": True})
    text = render_job(job(climb(), state=JobState.STOPPED), "", (unit, slow, held))
    assert "FAILING CHECKS\n  unit: exit 2\n    line 21\n" in text
    assert "x" * 197 + "...\n  slow: timed out\n  cents: exit 2\n\n" in text


def test_the_request_that_was_made_is_told_with_its_url() -> None:
    there = render_job(job(climb()), "", (), "https://git.example.org/acme/x/pull/7")
    assert re.search(r"^ *request +https://git\.example\.org/acme/x/pull/7$", there, re.MULTILINE)
    assert "request" not in render_job(job(climb()), "")
