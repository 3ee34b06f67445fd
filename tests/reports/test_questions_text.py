from __future__ import annotations

from inline_snapshot import snapshot

from tests.reports.facts import EAGLE, answers, job, line
from thirdshift.core.periods import Period
from thirdshift.core.questions import Facts
from thirdshift.core.reckoning import Dimension, breakdown
from thirdshift.reports.questions_text import render_answers, render_breakdown


def test_the_report_answers_every_question_in_eighty_columns() -> None:
    text = render_answers(answers())
    assert all(len(row) <= 80 for row in text.splitlines())
    assert text == snapshot("""\
period    from the beginning to now, UTC
runs      4, ended: 1 accepted, 1 edited, 1 reverted, 1 none
metered   $9.0000 for 50 calls
          $4.5000 for each of 2 accepted outcomes, failures included
          Imputed: $3.0000 at list price, paid by a subscription; not in the
          cost.
          Unknown: calls that may have been billed, at most $0.5000; not in the
          cost, but charged to the budget until reconciled.

1. WHO USED THE MOST
  model          tier        role  calls       in   cached    out  metered
  acme/eagle     frontier    code     10   90,000   60,000  2,000  $4.0000
  local/sparrow  economy     code     30  270,000  180,000  6,000  $3.0000
  acme/heron     specialist  code     10   90,000   60,000  2,000  $2.0000

2. WHAT DROVE THE SPEND: REPOSITORIES
  repository     runs  accepted   tokens  metered
  /srv/invoices     3         2  368,000  $5.0000
  /srv/shop         1         0   92,000  $4.0000

SPECS
  spec            runs  accepted   tokens  metered
  specs/round.md     4         2  460,000  $9.0000

WORKFLOWS
  workflow  runs  accepted   tokens  metered
  job-2        1         0   92,000  $4.0000
  job-1        1         1  184,000  $3.0000
  job-3        1         0   92,000  $2.0000
  job-4        1         1   92,000  $0.0000

3. WHAT CAME OF IT
  task     accepted  edited  reverted  none
  bugfix          1       1         0     1
  feature         0       0         1     0
  all             1       1         1     1
  Git has shown 1 of 2 accepted ones on their base branch.

4. WHICH TIERS HANDLED WHICH RISKS
  risk  tier        runs  calls       in   cached    out  metered
  high  frontier       1     10   90,000   60,000  2,000  $4.0000
  low   economy        3     30  270,000  180,000  6,000  $3.0000
  low   specialist     1     10   90,000   60,000  2,000  $2.0000
  Every one of 10 frontier calls has its reason code: verification_failed 10.

5. WHICH POLICY STOPPED WHAT
  policy     jobs  attempts  avoided, at least  at most
  budget        1         0            $2.0000  unknown
  repeating     0         1            $0.1000  unknown
  Avoided money is an estimate: at least one more attempt (or call) like those
  before it; at most what was left of the job's budget, where that would have
  been the next limit.
  budget stopped job-3 after 10 calls and $2.0000
  repeating stopped attempt 1 of job-1 after 10 calls and $1.0000

COST OF AN ACCEPTED OUTCOME, BY TASK
  task     runs  accepted  metered   per accepted
  bugfix      3         2  $5.0000        $2.5000
  feature     1         0  $4.0000  none accepted

COST OF AN ACCEPTED OUTCOME, BY TIER PATH
  tier-path             runs  accepted  metered   per accepted
  frontier                 1         0  $4.0000  none accepted
  economy > specialist     1         1  $3.0000        $3.0000
  economy                  2         1  $2.0000        $2.0000

COST OF AN ACCEPTED OUTCOME, BY REPOSITORY
  repository     runs  accepted  metered   per accepted
  /srv/invoices     3         2  $5.0000        $2.5000
  /srv/shop         1         0  $4.0000  none accepted

COST OF AN ACCEPTED OUTCOME, BY WEEK
  week              runs  accepted  metered   per accepted
  2026-W10 (Mar 2)     3         2  $7.0000        $3.5000
  2026-W11 (Mar 9)     1         0  $2.0000  none accepted

WHERE THE MONEY WENT
  bucket            metered        imputed        unknown
  no outcome        $6.0000   67%  $0.0000    0%  $0.0000    0%
  excess retry      $0.0000    0%  $0.0000    0%  $0.0000    0%
  long context      $0.0000    0%  $0.0000    0%  $0.0000    0%
  wasted tool       $0.0000    0%  $0.0000    0%  $0.0000    0%
  unnecessary call  $0.0000    0%  $0.0000    0%  $0.0000    0%
  productive        $3.0000   33%  $3.0000  100%  $0.5000  100%
  all               $9.0000  100%  $3.0000  100%  $0.5000  100%

RUNS, NEWEST FIRST
  run    task     risk  tiers     output    stopped by   tokens  metered
  job-3  bugfix   low   eco       none      budget       92,000  $2.0000
  job-4  bugfix   low   eco       accepted               92,000  $0.0000
  job-2  feature  high  front     reverted               92,000  $4.0000
  job-1  bugfix   low   eco>spec  edited                184,000  $3.0000\
""")


def test_an_empty_ledger_says_so() -> None:
    text = render_answers(answers(Facts()))
    assert text == "period    from the beginning to now, UTC\nnothing in the ledger for this period"
    assert render_breakdown(answers(Facts()), Dimension.TASK, []) == text


def test_a_frontier_call_without_its_reason_is_shouted() -> None:
    bad = Facts(jobs=[job()], lines=[line(1, **{**EAGLE, "reason": "because"})])
    assert "10 of 10 frontier calls LACK A REASON CODE, in job-1." in render_answers(answers(bad))


def test_long_lists_are_cut_and_say_where_the_rest_is() -> None:
    many = Facts(
        jobs=[job(f"job-{number:03}", spec_path=f"specs/{number}.md") for number in range(30)],
        lines=[line(number, f"job-{number:03}") for number in range(30)],
    )
    text = render_answers(answers(many))
    assert "and 22 more; all of them with --json" in text
    assert "and 10 more; all of them, with every field, with --csv -" in text


def test_hostile_names_are_shown_and_harmless() -> None:
    evil = "rm\x1b[2J\u202egpj"
    text = render_answers(answers(Facts(jobs=[job(repository=evil, task=evil, spec_path=evil)], lines=[line(1)])))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<U+001B>" in text


def test_one_breakdown_is_shown_whole() -> None:
    found = answers()
    groups = breakdown(Dimension.REPOSITORY, found.cells, found.runs, Period())
    assert render_breakdown(found, Dimension.REPOSITORY, groups) == snapshot("""\
period    from the beginning to now, UTC
  repository     calls       in   cached    out  metered
  /srv/invoices     40  360,000  240,000  8,000  $5.0000
  /srv/shop         10   90,000   60,000  2,000  $4.0000
  Imputed: $3.0000 at list price, paid by a subscription; not in the cost.
  Unknown: calls that may have been billed, at most $0.5000; not in the cost,
  but charged to the budget until reconciled.\
""")


def test_no_person_is_named_in_the_text() -> None:
    text = render_answers(answers())
    assert not any(name in text for name in ("ada", "grace", "linus"))
