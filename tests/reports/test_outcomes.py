from __future__ import annotations

from datetime import UTC, datetime

from inline_snapshot import snapshot

from thirdshift.core.outcomes import Outcome, OutcomeKind, outcome_view, totals
from thirdshift.core.views import Spend
from thirdshift.reports.outcomes import render_outcomes

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def event(kind: OutcomeKind, share: int = 1000) -> Outcome:
    return Outcome(job_id="job", kind=kind, commit="c0ffee" + "0" * 34, share=share, how="ancestor", at=AT)


def test_where_each_job_stands_and_what_an_accepted_one_cost() -> None:
    accepted, edited = event(OutcomeKind.ACCEPTED), event(OutcomeKind.EDITED, 40)
    views = [
        outcome_view("job-app-round-totals-00000001", [accepted, edited]),
        outcome_view("job-app-a-rather-long-name-of-a-spec-00000002", [accepted, event(OutcomeKind.REVERTED, 330)]),
        outcome_view("job-app-x-00000003", []),
    ]
    spend = Spend(settled_nano=3_000_000_000, imputed_nano=20_000_000)
    shown = render_outcomes(views, totals(views, spend), [accepted])
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown == snapshot("""\
outcomes  1 pending, 2 accepted (1 of the accepted edited)
each      $1.5000 for each accepted and not reverted
Imputed: $0.0200 at list price, paid by a subscription; not in the cost.
new       1 event

  job                 stands                  since       commit        shown by
  ..-totals-00000001  accepted, edited        2026-01-05  c0ffee000000  ancestor
  ..-a-spec-00000002  accepted, 33% back out  2026-01-05  c0ffee000000  ancestor
  job-app-x-00000003  pending\
""")


def test_before_anything_is_delivered_that_is_said() -> None:
    assert render_outcomes([], totals([], Spend()), []) == "nothing was delivered yet, so there is nothing to look for"
