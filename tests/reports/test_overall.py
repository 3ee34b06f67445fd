from __future__ import annotations

from inline_snapshot import snapshot

from tests.reports.views import line, summary
from thirdshift.core.history import StopReason
from thirdshift.core.ladder import Tier
from thirdshift.core.views import JobState, Spend
from thirdshift.reports.listing import render_jobs
from thirdshift.reports.overall import render_overall


def failed(number: int) -> str:
    return f"job-a-rather-long-repository-name-with-a-long-spec-name-{number:08x}"


def test_the_report_over_all_jobs() -> None:
    rows = [
        summary(),
        summary(failed(7), state=JobState.STOPPED, stop_reason=StopReason.NO_PROGRESS, title="Another " * 5),
        summary("job-3", state=JobState.RUNNING, stop_reason=None),
    ]
    lines = [
        line(),
        line(tier=Tier.FRONTIER, model="vendor/eagle", spend=Spend(settled_nano=2_345_600_000, unknown_nano=10**9)),
        line(role="plan", spend=Spend(settled_nano=1_000)),
    ]
    assert render_overall(rows, lines) == snapshot("""\
jobs      1 running, 1 accepted, 1 stopped
cost      $2.3956
          $2.3956 for each of 1 accepted job, failures included
          Unknown: calls that may have been billed, at most $1.0000; not in the
          cost, but charged to the budget until reconciled.

COST BY TIER, MODEL AND ROLE
  tier      model          role  calls  tokens in  cached    out      cost
  frontier  vendor/eagle   code     10    100,000  80,000  3,000   $2.3456
  economy   local/sparrow  code     10    100,000  80,000  3,000   $0.0500
  economy   local/sparrow  plan     10    100,000  80,000  3,000  <$0.0001

JOBS, NEWEST FIRST
job                  title                 state     why          tries     cost
job-1                Round half up         accepted                   3  $0.0500
..pec-name-00000007  Another Another An..  stopped   no_progress      3  $0.0500
job-3                Round half up         running                    3  $0.0500\
""")


def test_no_jobs_says_how_to_begin() -> None:
    assert render_overall([], []) == "no job was submitted yet; `thirdshift init` writes a first spec"


def test_a_long_list_is_cut_and_the_cut_is_said() -> None:
    text = render_overall([summary(f"job-{number}") for number in range(25)], [])
    assert text.endswith("and 5 more; all of them with --json")


def test_a_list_stays_within_eighty_columns_and_keeps_the_ends_of_ids() -> None:
    text = render_jobs([summary(failed(number), title="wide \u6f22\u5b57 " * 9) for number in range(3)])
    assert all(len(row) <= 80 for row in text.splitlines())
    assert "-00000002" in text
