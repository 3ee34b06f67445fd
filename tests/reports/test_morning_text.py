from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from inline_snapshot import snapshot

from tests.reports.facts import USD
from tests.reports.night_facts import CLOSES, TOLD, asked, busy, listed, morning, record, worked
from thirdshift.core.morning_facts import NightFacts, Purse
from thirdshift.core.mornings import tell_night
from thirdshift.core.night_book import LineState
from thirdshift.reports.morning_text import morning_notice, render_morning

EVIL = "\x1b[31mred\u202e\u200b\r\n  8. thirdshift stop --all"


def test_the_report_says_what_to_decide_first_and_fits_eighty_columns() -> None:
    text = render_morning(morning())
    assert all(len(row) <= 80 for row in text.splitlines() if "://" not in row)
    assert text == snapshot("""\
night     nightly, Sat 21 Nov 2026
          22:00 to 06:00 Europe/Berlin; ended Sun 06:00
list      2 accepted, 1 waiting for a person, 1 parked, 2 stopped, 1 refused, 2
          passed over, 1 done before
money     $12.50 of $40.00 (31%): settled $12.00, unknown $0.50
each      $6.00 for each of 2 accepted outcomes, failures included; the same as
          $6.00 in the trailing month (2 nights, 2 accepted)
          Imputed: $1.0000 at list price, paid by a subscription; not in the
          cost.

TO DECIDE NOW
  1. provider: Provider birch refuses its key.
     2 calls failed so; until it is mended, the next night fares the same
     thirdshift doctor
  2. budget gate 1, open 30 hours, for anybody: Work of old
     risk high asks a person
     thirdshift decide old
     http://127.0.0.1:8233/workflows/loop-old
  3. merge gate 1, open 3 hours, for ada: Work of w-1
     risk high asks a person
     thirdshift decide w-1
     http://127.0.0.1:8233/workflows/loop-w-1
  4. out of budget: Work of s-1
     job s-1: limit $3, settled $2.9
     thirdshift resume s-1 --budget-usd 6.00
  5. a spec to mend: Work of new tax
     line 12: no check covers AC-2
     thirdshift check 'specs/new tax.md'
  6. stopped: Work of s-2
     no_progress: 5 attempts, no check newly passing
     thirdshift resume s-2
  7. unknown money: Calls that may have been billed hold $0.50 of the night's
     budget.
     compare them with the vendor's bill
     thirdshift ledger reconcile

ACCEPTED (2)
  Work of a-1
    $2.00, a-1
    thirdshift/a-1
  Work of a-2
    $2.00, a-2
    https://git.example.com/acme/shop/pulls/7

WAITING FOR A PERSON (2)
      open  gate  kind    for      title         cost
  30 hours     1  budget  anybody  Work of old  $2.00
   3 hours     1  merge   ada      Work of w-1  $2.00
  and 2 of other jobs: thirdshift gates

PARKED, FIRST TO GO ON IN THE NEXT NIGHT (1)
  Work of p-1
    the window was closing
    $5.00 ($2.00 tonight), p-1

STOPPED (2)
  Work of s-1
    budget: job s-1: limit $3, settled $2.9
    $2.00, s-1
    thirdshift resume s-1 --budget-usd 6.00
  Work of s-2
    no_progress: 5 attempts, no check newly passing
    $2.00, s-2
    thirdshift resume s-2

REFUSED (1)
  Work of new tax
    line 12: no check covers AC-2

PASSED OVER (2)
  Work of o-1
    its like take 52 minutes, and 31 were left
  Work of o-2
    4 of 4 places were taken

WHERE THE MONEY WENT
  bucket      metered
  no outcome    $8.00  67%
  productive    $4.00  33%
  Of no outcome, $4.00 is of jobs not finished yet.

PROVIDER TROUBLE
  acme: rate_limited, 10 calls, 22:00 to 01:00, waited 11 min 40 s in all
  birch: unauthorized, 2 calls, at 22:00, 1 may have been billed

EVENTS
  43 events since Sat 06:00: 1 went to a shift, 40 were suppressed as a storm, 2
  ARE NOT DECIDED YET\
""")


def test_a_quiet_night_has_nothing_to_decide_and_no_empty_parts() -> None:
    facts = NightFacts(record(), Purse(40 * USD, USD), lines=(listed("a"),), jobs=(worked("a"),))
    assert render_morning(tell_night(facts, TOLD)) == snapshot("""\
night     nightly, Sat 21 Nov 2026
          22:00 to 06:00 Europe/Berlin; ended Sun 06:00
list      1 accepted
money     $1.00 of $40.00 (2%)
each      nothing was accepted, so there is no cost per accepted outcome; no
          earlier night in the trailing month

TO DECIDE NOW
  Nothing. No gate is open, and nothing that stopped needs an answer.

ACCEPTED (1)
  Work of a
    $2.00 ($0.00 tonight), a\
""")


def test_a_night_that_nobody_ran_says_so() -> None:
    text = render_morning(tell_night(NightFacts(record(), Purse(40 * USD)), TOLD))
    assert text == snapshot("""\
night     nightly, Sat 21 Nov 2026
          22:00 to 06:00 Europe/Berlin; ended Sun 06:00
list      the list was empty
          Nobody ran: the night began no job.
money     $0.00 of $40.00 (0%)

TO DECIDE NOW
  Nothing. No gate is open, and nothing that stopped needs an answer.\
""")


def test_what_broke_the_night_off_is_the_first_line() -> None:
    tripped = record("tripped", "4.2 times the planned rate", closed_at=CLOSES - timedelta(hours=3))
    first = render_morning(morning(replace(busy(), record=tripped))).splitlines()[0]
    assert first == "THE CIRCUIT BREAKER STOPPED THIS NIGHT at 03:00: 4.2 times the planned rate"
    stopped = record("stopped", "grace: deploy freeze")
    first = render_morning(morning(replace(busy(), record=stopped))).splitlines()[0]
    assert first == "A PERSON STOPPED THIS NIGHT at 06:00: grace: deploy freeze"


def test_a_night_under_way_says_so_far() -> None:
    text = render_morning(morning(replace(busy(), record=record("")), CLOSES - timedelta(hours=2)))
    assert text.splitlines()[0] == "night     nightly, Sat 21 Nov 2026, so far"
    assert "it is Sun 04:00, and the night goes on" in text


def test_hostile_words_stay_on_their_line_and_are_shown() -> None:
    facts = NightFacts(
        record("stopped", EVIL),
        Purse(USD),
        lines=(listed("x", LineState.REFUSED, EVIL, title=EVIL),),
        jobs=(worked("s", "tampering", title=EVIL, evidence=EVIL, branch=EVIL),),
        gates=(asked("g", 1, reason=EVIL, reviewers=(EVIL,)),),
    )
    told = tell_night(facts, TOLD)
    for text in (render_morning(told), morning_notice(told, "page").body):
        assert not {"\x1b", "\u202e", "\u200b", "\r"} & set(text)
        assert not any(row.lstrip().startswith("8. thirdshift") for row in text.splitlines())
        assert "<U+202E>" in text


def test_long_lists_are_cut_and_say_so() -> None:
    jobs = tuple(worked(f"job-{n}") for n in range(30))
    gates = tuple(asked(f"g-{n}", n) for n in range(30))
    text = render_morning(tell_night(NightFacts(record(), Purse(USD), jobs=jobs, gates=gates), TOLD))
    assert "  and 10 more; all of them with --json" in text
    assert "  and 18 more; all of them with --json" in text


def test_the_notice_holds_the_few_lines_that_matter_and_the_page() -> None:
    notice = morning_notice(morning(), "/home/ops/mornings/nightly-2026-11-21.html")
    assert notice.title == snapshot(
        "[thirdshift] nightly 2026-11-21: 7 to decide; 2 accepted, 1 waiting for a person, 1 parked, 2 sto..."
    )
    assert notice.body == snapshot("""\
Money: $12.50 of $40.00 (31%): settled $12.00, unknown $0.50.
Cost: $6.00 for each of 2 accepted outcomes, failures included;
the same as $6.00 in the trailing month (2 nights, 2 accepted).

To decide now:
- provider: Provider birch refuses its key.
thirdshift doctor
- budget gate 1, open 30 hours, for anybody: Work of old
thirdshift decide old
- merge gate 1, open 3 hours, for ada: Work of w-1
thirdshift decide w-1
- out of budget: Work of s-1
thirdshift resume s-1 --budget-usd 6.00
- a spec to mend: Work of new tax
thirdshift check 'specs/new tax.md'
- and 2 more

Report: /home/ops/mornings/nightly-2026-11-21.html
thirdshift shift report nightly --night 2026-11-21\
""")
