"""A scripted night, read back from each database: every kind of end, its money, its faults, its gates, its events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.adapters.ledger.books import Books, answer, attempt_row, held, job_row, key, loop_row, opening, verdict
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.core.delivery import Delivered
from thirdshift.core.event_book import Decided, Decision, Event
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.ledger import AttemptClosing, JobClosing, Raise, Scope, ScopeKind
from thirdshift.core.morning_decisions import DecideOn
from thirdshift.core.mornings import Fate, tell_night
from thirdshift.core.night_book import LineState, NightLine, NightRow
from thirdshift.core.nights import Night
from thirdshift.core.outcomes import DeliveryRow, Outcome, OutcomeKind
from thirdshift.core.questions import Money
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.core.waste import Cause

OPENS = datetime(2026, 11, 21, 21, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=8)
TOLD = CLOSES + timedelta(hours=1)
NIGHT = "nightly|2026-11-21"
LIMIT = 40_000


def open_night(ledger: SqlLedger, day: date, shift: str = "nightly") -> Night:
    opens = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
    night = Night(
        id=f"{shift}|{day}", shift=shift, day=day, opens_at=opens, drains_at=opens + timedelta(hours=7),
        closes_at=opens + timedelta(hours=8),
    )  # fmt: skip
    row = NightRow(
        night=night, workflow_id=f"shift-{shift}", budget_nano=LIMIT, concurrency=2, deliver="branch",
        zone="Europe/Berlin", opened_at=opens,
    )  # fmt: skip
    assert ledger.open_night(row)
    return night


def put_line(ledger: SqlLedger, night: Night, name: str, state: LineState, why: str = "") -> None:
    begun = state in (LineState.ADMITTED, LineState.PARKED)
    line = NightLine(
        night=night.id, key=f"specs/{name}.md", job_id=name if begun else "", spec_path=f"specs/{name}.md", title=name,
        state=state, why=why, first_seen_at=night.opens_at, at=night.opens_at,
    )  # fmt: skip
    ledger.put_lines([line])


class Nights:
    """Writes jobs of nights: each has one loop, one attempt, and calls that count against its night."""

    def __init__(self, ledger: SqlLedger) -> None:
        self.ledger = ledger
        self.steps = 0

    def begin(self, night: Night, job_id: str, at: datetime | None = None) -> None:
        at = at or night.opens_at
        self.ledger.open_job(job_row(job_id, title=f"Work of {job_id}", submitted_at=at))
        self.ledger.open_loop(loop_row(f"loop-{job_id}", job_id))
        self.ledger.open_attempt(attempt_row(f"loop-{job_id}", 1, job_id, opened_at=at))
        self.ledger.assign_night(job_id, night.id, LIMIT, 0, night.closes_at)
        put_line(self.ledger, night, job_id, LineState.ADMITTED)

    def hold(self, night: Night, job_id: str, at: datetime, *, step: int = 1, billing: str = "metered") -> int:
        self.steps += 1
        names = ((ScopeKind.JOB, job_id, None), (ScopeKind.SHIFT, night.id, LIMIT))
        opened = opening(
            1_000, step=step, opened_at=at, key=key(f"call-{self.steps}"), job_id=job_id, owner_id=f"loop-{job_id}",
            request_hash=f"hash-{self.steps}", billing=billing,
            scopes=tuple(Scope(kind=kind, key=name, limit_nano=limit) for kind, name, limit in names),
        )  # fmt: skip
        return held(self.ledger.place_hold(opened))

    def spend(
        self, night: Night, job_id: str, cost: int, at: datetime, step: int = 1, billing: str = "metered"
    ) -> None:
        call = self.hold(night, job_id, at, step=step, billing=billing)
        self.ledger.settle(call, answer(f"answer {step}"), cost, 1.0, at)

    def end(self, job_id: str, reason: StopReason, at: datetime, evidence: str = "") -> None:
        passed = self.ledger.put_verdict(f"loop-{job_id}", 1, verdict(), at)
        end = AttemptClosing(
            owner_id=f"loop-{job_id}", number=1, end=AttemptEnd.FINISHED, evidence="", verdict_id=passed, closed_at=at
        )
        self.ledger.close_attempt(end)
        self.ledger.close_job(
            JobClosing(
                job_id=job_id, stop_reason=reason, evidence=evidence, branch=f"thirdshift/{job_id}", commit="c",
                tree="n" * 40, remedy="", closed_at=at,
            )
        )  # fmt: skip

    def ask(self, job_id: str, at: datetime) -> None:
        self.ledger.open_gate(
            GateOpening(
                open_key=f"{job_id}/1", job_id=job_id, owner_id=f"loop-{job_id}", kind=GateKind.MERGE, tree="t" * 40,
                reason="risk high", reviewers=("ada",), opened_at=at,
            )
        )  # fmt: skip


@pytest.fixture
def night(books: Books) -> Night:
    """The scripted night, closed."""
    ledger, nights = books.ledger, Nights(books.ledger)
    night = open_night(ledger, date(2026, 11, 21))
    for number, name in enumerate(("accepted", "requested", "waits", "parked", "stopped", "tripped"), start=1):
        nights.begin(night, name, OPENS + timedelta(minutes=number))
        nights.spend(night, name, 100 * number, OPENS + timedelta(minutes=20 * number))
    nights.spend(night, "accepted", 70, OPENS + timedelta(hours=2), step=2, billing="imputed")
    _faults(nights, night)
    nights.end("accepted", StopReason.ACCEPTED, OPENS + timedelta(hours=3))
    nights.end("requested", StopReason.ACCEPTED, OPENS + timedelta(hours=3))
    url = "https://git.example.com/acme/shop/pulls/7"
    done = Delivered(done=True, kind=Delivery.PULL_REQUEST, detail="asked", branch="thirdshift/r", commit="c", url=url)
    ledger.put_delivery(
        DeliveryRow(job_id="requested", run_id="r", repository="/srv", base_commit="c", delivered=done, at=OPENS)
    )
    nights.ask("waits", OPENS + timedelta(hours=4))
    ledger.park_job("parked", "the window was closing", CLOSES)
    put_line(ledger, night, "parked", LineState.PARKED, "the window was closing")
    nights.end("stopped", StopReason.NO_PROGRESS, OPENS + timedelta(hours=5), "5 attempts")
    nights.end("tripped", StopReason.CIRCUIT_BREAKER, OPENS + timedelta(hours=6), "too fast")
    put_line(ledger, night, "refused", LineState.REFUSED, "line 3: unknown field")
    put_line(ledger, night, "left", LineState.LISTED, "31 minutes were left")
    ledger.close_night(night.id, "tripped", "4 times the planned rate", CLOSES)
    return night


def _faults(nights: Nights, night: Night) -> None:
    """Two refusals that were waited out, a stream that was cut, a call that a person stopped, one in flight."""
    at = OPENS + timedelta(hours=1)
    for minute in (0, 2):
        call = nights.hold(night, "waits", at + timedelta(minutes=minute), step=2)
        nights.ledger.release(call, "rate_limited: 429", at + timedelta(minutes=minute, seconds=10))
    nights.spend(night, "waits", 5, at + timedelta(minutes=5), step=2)
    lost = nights.hold(night, "stopped", at + timedelta(minutes=30), step=2)
    nights.ledger.mark_unknown(lost, "cut_stream: no terminal event", at + timedelta(minutes=31))
    cut = nights.hold(night, "stopped", at + timedelta(minutes=32), step=3)
    nights.ledger.release(cut, "stopped while the call was under way", at + timedelta(minutes=33))
    nights.hold(night, "parked", at + timedelta(minutes=40), step=2)


def test_every_kind_of_end_is_told_apart(books: Books, night: Night) -> None:
    told = tell_night(books.ledger.night_facts(night.id, TOLD), TOLD)
    assert {line.job_id: line.fate for line in told.jobs} == {
        "accepted": Fate.ACCEPTED,
        "requested": Fate.ACCEPTED,
        "waits": Fate.WAITING,
        "parked": Fate.PARKED,
        "stopped": Fate.STOPPED,
        "tripped": Fate.STOPPED,
    }
    assert [line.title for line in told.lines[Fate.REFUSED]] == ["refused"]
    assert [(line.title, line.why) for line in told.lines[Fate.PASSED_OVER]] == [("left", "31 minutes were left")]
    assert (told.record.how, told.record.why) == ("tripped", "4 times the planned rate")
    assert [one.on for one in told.decisions] == [
        DecideOn.BREAKER,
        DecideOn.GATE,
        DecideOn.SPEC,
        DecideOn.STOPPED,
        DecideOn.STOPPED,
        DecideOn.UNKNOWN,
    ]


def test_the_money_of_a_night_is_that_of_its_own_calls(books: Books, night: Night) -> None:
    nights = Nights(books.ledger)
    other = open_night(books.ledger, date(2026, 11, 21), shift="weekly")
    nights.begin(other, "elsewhere")
    nights.spend(other, "elsewhere", 999, OPENS)
    facts = books.ledger.night_facts(night.id, TOLD)
    assert facts.purse == (LIMIT, 2105, 1000, 1000, 70)
    told = tell_night(facts, TOLD)
    assert told.spent == told.waste.total == Money(2105, 70, 1000)
    assert told.waste.by_cause[Cause.PRODUCTIVE] == Money(300, 70, 0)
    assert told.waste.under_way == Money(300 + 5 + 400)
    assert {line.job_id: line.tonight.metered for line in told.jobs}["waits"] == 305
    assert [(one.at, one.metered, one.unknown) for one in facts.spends][:3] == [
        (OPENS + timedelta(minutes=15), 100, 0),
        (OPENS + timedelta(minutes=30), 200, 0),
        (OPENS + timedelta(minutes=60), 305, 0),
    ]
    assert sum(one.metered for one in facts.spends) == 2105
    assert sum(one.unknown for one in facts.spends) == 1000


def test_a_raise_is_part_of_the_nights_limit(books: Books, night: Night) -> None:
    books.ledger.raise_limit(
        Raise(raise_id="r", kind=ScopeKind.SHIFT, key=night.id, by_nano=5, reviewer="ada", at=OPENS)
    )
    assert books.ledger.night_facts(night.id, TOLD).purse.limit_nano == LIMIT + 5


def test_faults_are_told_with_their_waits_and_a_stopped_call_is_none(books: Books, night: Night) -> None:
    cut, limited = sorted(books.ledger.night_facts(night.id, TOLD).faults, key=lambda fault: fault.kind)
    assert (limited.kind, limited.calls, limited.unknown) == ("rate_limited", 2, 0)
    assert limited.waited_seconds == 110 + 170
    assert limited.last - limited.first == timedelta(minutes=2)
    assert (cut.kind, cut.calls, cut.unknown, cut.waited_seconds) == ("cut_stream", 1, 1, 0.0), "it was not sent again"


def test_gates_of_the_shift_are_its_own_and_older_ones_stay(books: Books, night: Night) -> None:
    nights = Nights(books.ledger)
    before = open_night(books.ledger, date(2026, 11, 20))
    nights.begin(before, "older")
    nights.ask("older", before.opens_at)
    books.ledger.open_job(job_row("by-day"))
    nights.ask("by-day", OPENS)
    after = open_night(books.ledger, date(2026, 11, 22))
    nights.begin(after, "later")
    nights.ask("later", after.opens_at)
    facts = books.ledger.night_facts(night.id, TOLD)
    assert [(one.gate.job_id, one.tonight, one.cost_nano) for one in facts.gates] == [
        ("older", False, 0),
        ("waits", True, 305),
    ]
    assert facts.other_gates == 2


def test_where_the_work_went_comes_from_its_delivery(books: Books, night: Night) -> None:
    jobs = {job.job_id: job for job in books.ledger.night_facts(night.id, TOLD).jobs}
    assert (jobs["accepted"].branch, jobs["accepted"].url) == ("thirdshift/accepted", "")
    assert jobs["requested"].url == "https://git.example.com/acme/shop/pulls/7"


def test_the_trailing_month_counts_each_outcome_for_the_night_that_finished_it(books: Books, night: Night) -> None:
    nights = Nights(books.ledger)
    for day, spent, ends in (
        (date(2026, 10, 20), 900, StopReason.ACCEPTED),  # More than a month before.
        (date(2026, 11, 10), 400, StopReason.ACCEPTED),
        (date(2026, 11, 11), 600, StopReason.ACCEPTED),  # And reverted since.
        (date(2026, 11, 12), 500, StopReason.BUDGET),
        (date(2026, 11, 23), 700, StopReason.ACCEPTED),  # After it.
    ):
        of = open_night(books.ledger, day)
        nights.begin(of, f"job-{day}")
        nights.spend(of, f"job-{day}", spent, of.opens_at)
        nights.end(f"job-{day}", ends, of.opens_at)
    events = [
        Outcome(job_id="job-2026-11-11", kind=kind, commit="c" * 40, how="patch", at=OPENS)
        for kind in (OutcomeKind.ACCEPTED, OutcomeKind.REVERTED)
    ]
    books.ledger.put_outcomes(events, "git", OPENS)
    facts = books.ledger.night_facts(night.id, TOLD)
    assert [(str(one.day), one.spent.metered, one.accepted) for one in facts.costs] == [
        ("2026-11-10", 400, 1),
        ("2026-11-11", 600, 0),
        ("2026-11-12", 500, 0),
        ("2026-11-21", 2105, 2),
    ]
    compared = tell_night(facts, TOLD).compared
    assert (compared.tonight_nano, compared.month_nano, compared.month_nights) == (1052, 1500, 3)


def test_a_parked_job_is_of_the_night_that_goes_on_with_it(books: Books, night: Night) -> None:
    nights = Nights(books.ledger)
    after = open_night(books.ledger, date(2026, 11, 22))
    books.ledger.unpark_job("parked", "nightly", after.opens_at)
    books.ledger.assign_night("parked", after.id, LIMIT, 0, after.closes_at)
    put_line(books.ledger, after, "parked", LineState.ADMITTED)
    nights.steps = 100
    nights.spend(after, "parked", 50, after.opens_at, step=3)
    nights.end("parked", StopReason.ACCEPTED, after.opens_at + timedelta(hours=1))
    first = tell_night(books.ledger.night_facts(night.id, TOLD), TOLD)
    (left,) = first.of(Fate.PARKED)
    assert (left.job_id, left.since, left.why) == ("parked", "accepted", "the window was closing")
    assert first.counts[Fate.ACCEPTED] == 2
    (done,) = tell_night(books.ledger.night_facts(after.id, TOLD), TOLD).jobs
    assert (done.fate, done.tonight.metered, done.job.whole.metered) == (Fate.ACCEPTED, 50, 450)


def test_events_are_counted_since_the_night_before_ended(books: Books, night: Night) -> None:
    before = open_night(books.ledger, date(2026, 11, 20))
    books.ledger.close_night(before.id, "closed", "", before.closes_at)
    for number, (at, decided) in enumerate(
        (
            (before.closes_at - timedelta(seconds=1), Decided.JOB),
            (before.closes_at, Decided.SHIFT),
            (OPENS, Decided.STORM),
            (OPENS, Decided.STORM),
            (CLOSES - timedelta(seconds=1), None),
            (CLOSES, None),
        )
    ):
        event = Event(
            source="github", delivery=str(number), kind="push", repository="acme/shop", fingerprint="f", title="t",
            received_at=at,
        )  # fmt: skip
        made, _ = books.ledger.put_event(event)
        if decided:
            books.ledger.decide_event(made, Decision(what=decided, why="w", at=at))
    found = books.ledger.night_facts(night.id, TOLD).events
    assert found is not None
    assert found.since == before.closes_at
    assert dict(found.counts) == {Decided.SHIFT: 1, Decided.STORM: 2, None: 1}


def test_a_night_without_a_line_or_a_call_has_facts_too(books: Books) -> None:
    night = open_night(books.ledger, date(2026, 11, 21))
    told = tell_night(books.ledger.night_facts(night.id, TOLD), TOLD)
    assert not told.ran
    assert told.under_way
    assert told.purse == (LIMIT, 0, 0, 0, 0)
    assert not told.decisions


def test_a_night_that_is_not_there_is_a_key_error(books: Books) -> None:
    with pytest.raises(KeyError, match="no night"):
        books.ledger.night_facts("nightly|2026-01-01", TOLD)
