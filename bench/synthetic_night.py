"""A made-up month of nights of one shift, the last of them with a little of everything; written through the ledger.

For looking at the morning report, and for the picture of it in the docs:

    python -m bench.synthetic_night home/ledger.db
    THIRDSHIFT_HOME=home thirdshift shift report --html morning.html
"""

from __future__ import annotations

import random  # noqa: TID251 - seeded: the same nights every time
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.core.conversation import Message, Text, said_by_user
from thirdshift.core.delivery import Delivered
from thirdshift.core.event_book import Decided, Decision, Event
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import (
    AttemptClosing,
    AttemptRow,
    CallKey,
    CallOpening,
    Held,
    JobClosing,
    JobRow,
    LoopRow,
    Scope,
    ScopeKind,
)
from thirdshift.core.night_book import LineState, NightLine, NightRow
from thirdshift.core.nights import Night
from thirdshift.core.outcomes import DeliveryRow
from thirdshift.core.ports import CommandEnd, ModelAnswer, StopKind
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.core.usage import Usage
from thirdshift.core.verdict import CheckOutcome, Verdict

LAST = date(2026, 11, 21)
SHIFT, ZONE = "nightly", "Europe/Berlin"
BUDGET = 40 * 10**9
CENT = 10**7
MINUTE = timedelta(minutes=1)
TITLES = (
    "Round invoice totals half up",
    "Cache the tax table between requests",
    "Drop the second copy of the address form",
    "Make the export resumable",
    "Retry mails that the relay refused for a minute",
    "Name the currency in every amount",
    "Move the price list to its own table",
    "Delete sessions after ninety days",
    "Test the import of empty files",
    "Say which row of a CSV is wrong",
    "Bound the size of uploads",
    "Keep the order of line items",
    "Replace the hand-written date parser",
    "Close the file when a preview fails",
    "Show gross and net beside each other",
)
MODELS = ("acme/sparrow-mini", "acme/heron", "birch/oak-2")


@dataclass
class Scribe:
    """Writes nights into a ledger, one job after the other."""

    ledger: SqlLedger
    chance: random.Random = field(default_factory=lambda: random.Random(21))  # noqa: S311 - nothing secret
    jobs: int = 0

    def night(self, day: date) -> Night:
        """Open a night; its list comes later."""
        opens = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
        night = Night(
            id=f"{SHIFT}|{day}", shift=SHIFT, day=day, opens_at=opens,
            drains_at=opens + timedelta(hours=7, minutes=55), closes_at=opens + timedelta(hours=8),
        )  # fmt: skip
        self.ledger.open_night(
            NightRow(
                night=night, workflow_id=f"shift-{SHIFT}-{day}", budget_nano=BUDGET, concurrency=4, deliver="branch",
                zone=ZONE, opened_at=opens + timedelta(seconds=7),
            )
        )  # fmt: skip
        return night

    def begin(self, night: Night, title: str, at: datetime) -> str:
        """Submit a job and give it to the night."""
        self.jobs += 1
        job_id = f"shop-{'-'.join(title.lower().split()[:3])}-{self.jobs:04x}"
        path = f"specs/{'-'.join(title.lower().split()[:3])}.md"
        self.ledger.open_job(
            JobRow(
                job_id=job_id, spec_id="made-up", spec_path=path, title=title, task="bugfix", risk="low",
                repository="/srv/git/shop", base_commit="c" * 40, base_tree="0" * 40, budget_nano=3 * 10**9,
                submitter="ops", submitted_at=at,
            )
        )  # fmt: skip
        self.ledger.open_loop(
            LoopRow(loop_id=f"loop-{job_id}-main", job_id=job_id, packet="main", base_tree="0" * 40,
                    checks=("unit",), opened_at=at)
        )  # fmt: skip
        self.ledger.assign_night(job_id, night.id, BUDGET, 0, night.closes_at)
        self.line(night, job_id, path, title, LineState.ADMITTED, "", at)
        return job_id

    def line(self, night: Night, job_id: str, path: str, title: str, state: LineState, why: str, at: datetime) -> None:
        """Put a line on the night's list, or change it."""
        self.ledger.put_lines(
            [
                NightLine(night=night.id, key=path or job_id, job_id=job_id, spec_path=path, title=title, state=state,
                          why=why, first_seen_at=at, at=at)
            ]
        )  # fmt: skip

    def attempt(
        self, night: Night, job_id: str, at: datetime, cents: int, *, passes: bool, number: int = 1, model: int = 0
    ) -> datetime:
        """An attempt whose calls cost so much together; when it ended."""
        loop = f"loop-{job_id}-main"
        tier, name = (Tier.ECONOMY, Tier.SPECIALIST, Tier.SPECIALIST)[model], MODELS[model]
        reason = ReasonCode.FIRST if number == 1 else ReasonCode.VERIFICATION_FAILED
        self.ledger.open_attempt(
            AttemptRow(
                owner_id=loop, job_id=job_id, number=number, role="code", rung=Rung(model=name, tier=tier),
                reason=reason, start_tree="0" * 40, start_commit="c" * 40, host="here", opened_at=at, system="s",
                tools=(), opening=(said_by_user("Begin."),),
            )
        )  # fmt: skip
        steps = 6
        for step in range(1, steps + 1):
            call = self.hold(night, job_id, at, number=number, step=step, model=model)
            self.ledger.settle(call, _answer(step), cents * CENT // steps, 20.0, at + MINUTE)
            at += timedelta(seconds=self.chance.randrange(90, 420))
        tree = f"{self.jobs:020x}{number:020x}"
        verdict = self.ledger.put_verdict(loop, number, _verdict(tree, passes), at)
        self.ledger.close_attempt(
            AttemptClosing(owner_id=loop, number=number, end=AttemptEnd.FINISHED, evidence="", verdict_id=verdict,
                           closed_at=at)
        )  # fmt: skip
        return at

    def hold(self, night: Night, job_id: str, at: datetime, *, number: int, step: int, model: int = 0) -> int:
        """A call that is under way."""
        loop, turn = f"loop-{job_id}-main", self.chance.randrange(10**9)
        scopes = (
            Scope(kind=ScopeKind.ATTEMPT, key=f"{loop}#{number}", limit_nano=None),
            Scope(kind=ScopeKind.LOOP, key=loop, limit_nano=None),
            Scope(kind=ScopeKind.JOB, key=job_id, limit_nano=3 * 10**9),
            Scope(kind=ScopeKind.SHIFT, key=night.id, limit_nano=BUDGET),
        )
        placed = self.ledger.place_hold(
            CallOpening(
                key=CallKey(workflow_id=loop, run_id="run", activity_id=f"{number}-{step}-{turn}", attempt=1),
                job_id=job_id, owner_id=loop, attempt_number=number, step=step, role="code", model=MODELS[model],
                tier=(Tier.ECONOMY, Tier.SPECIALIST, Tier.SPECIALIST)[model],
                reason=ReasonCode.FIRST if number == 1 else ReasonCode.VERIFICATION_FAILED,
                request_hash=f"{turn}", hold_nano=30 * CENT, input_bound_tokens=4000, max_output_tokens=1000,
                price_snapshot="p" * 16, scopes=scopes, opened_at=at,
            )
        )  # fmt: skip
        if not isinstance(placed, Held):
            raise TypeError(f"the made-up night has no room for its call: {placed}")
        return placed.call_id

    def end(self, job_id: str, stop: StopReason, at: datetime, evidence: str = "", *, url: str = "") -> None:
        """Close a job, and deliver it if it was accepted."""
        accepted = stop is StopReason.ACCEPTED
        branch = f"thirdshift/{job_id}" + ("" if accepted else "-unfinished")
        self.ledger.close_job(
            JobClosing(
                job_id=job_id, stop_reason=stop, evidence=evidence, branch=branch, commit="d" * 40, tree="e" * 40,
                remedy="" if accepted else f"thirdshift resume {job_id}", closed_at=at,
            )
        )  # fmt: skip
        if accepted:
            kind = Delivery.PULL_REQUEST if url else Delivery.BRANCH
            done = Delivered(done=True, kind=kind, detail="delivered", branch=branch, commit="d" * 40, url=url)
            self.ledger.put_delivery(
                DeliveryRow(job_id=job_id, run_id="run", repository="/srv/git/shop", base_commit="c" * 40,
                            delivered=done, at=at)
            )  # fmt: skip

    def gate(self, job_id: str, kind: GateKind, reason: str, reviewers: tuple[str, ...], at: datetime) -> None:
        """Open a gate."""
        self.ledger.open_gate(
            GateOpening(open_key=f"{job_id}/{kind}", job_id=job_id, owner_id=f"loop-{job_id}-main", kind=kind,
                        tree="e" * 40, reason=reason, reviewers=reviewers, opened_at=at)
        )  # fmt: skip


def _answer(step: int) -> ModelAnswer:
    return ModelAnswer(
        message=Message(role="assistant", parts=(Text(text=f"step {step}"),)), stop=StopKind.END,
        usage=Usage(input_tokens=900, cache_read_tokens=8_000, output_tokens=300), served_model="made-up",
    )  # fmt: skip


def _verdict(tree: str, passes: bool) -> Verdict:
    check = CheckOutcome(
        id="unit", passed=passes, end=CommandEnd.EXITED, exit_code=0 if passes else 1, seconds=2.0, output=""
    )
    return Verdict(tree=tree, checks=(check,))


def make_month(ledger: SqlLedger, nights: int = 24) -> str:
    """Write so many nights up to ``LAST``; the last one's id."""
    scribe = Scribe(ledger)
    for back in range(nights - 1, 0, -1):
        _usual(scribe, LAST - timedelta(days=back))
    return _busy(scribe)


def _usual(scribe: Scribe, day: date) -> None:
    night = scribe.night(day)
    at, chance = night.opens_at + MINUTE, scribe.chance
    for number in range(chance.randrange(3, 7) if day.weekday() < 6 else 1):
        job_id = scribe.begin(night, TITLES[(day.day + number) % len(TITLES)], at)
        good = chance.random() < 0.68 and day.weekday() < 6
        ended = scribe.attempt(night, job_id, at, chance.randrange(60, 260), passes=good)
        reason = StopReason.ACCEPTED if good else StopReason.NO_PROGRESS
        scribe.end(job_id, reason, ended, "" if good else "5 attempts, no check newly passing")
        at += timedelta(minutes=chance.randrange(20, 70))
    scribe.ledger.close_night(night.id, "closed", "its window ended", night.closes_at)


def _busy(scribe: Scribe) -> str:
    """The night that the report is looked at for."""
    ledger = scribe.ledger
    night = scribe.night(LAST)
    first = night.opens_at + MINUTE
    for number, (title, cents) in enumerate(zip(TITLES[:7], (180, 95, 160, 290, 120, 75, 190), strict=True)):
        at = first + timedelta(minutes=38 * number)
        job_id = scribe.begin(night, title, at)
        tried = number in (2, 6)
        if tried:
            at = scribe.attempt(night, job_id, at, cents // 3, passes=False)
        ended = scribe.attempt(night, job_id, at, cents, passes=True, number=2 if tried else 1, model=int(tried))
        url = f"https://git.example.com/acme/shop/pulls/{410 + number}" if number % 2 else ""
        scribe.end(job_id, StopReason.ACCEPTED, ended, url=url)
    _waiting(scribe, night, first)
    _ended_badly(scribe, night, first)
    _left_out(scribe, night, first)
    _provider_trouble(scribe, night, first)
    _machines_spoke(ledger, night)
    ledger.close_night(night.id, "closed", "its window ended", night.closes_at)
    return night.id


def _waiting(scribe: Scribe, night: Night, first: datetime) -> None:
    for number, (title, kind, people, reason) in enumerate(
        (
            (TITLES[7], GateKind.MERGE, ("ada", "grace"), "accepted by its checks; risk high asks a person"),
            (TITLES[8], GateKind.BUDGET, (), "$3.00 of $3.00 is used up; 11 of 12 checks pass"),
            (TITLES[9], GateKind.FRONTIER, ("grace",), "both cheaper tiers failed check `rows`"),
        )
    ):
        at = first + timedelta(minutes=95 * number + 20)
        job_id = scribe.begin(night, title, at)
        ended = scribe.attempt(night, job_id, at, 150 + 60 * number, passes=number == 0)
        scribe.gate(job_id, kind, reason, people, ended)


def _ended_badly(scribe: Scribe, night: Night, first: datetime) -> None:
    for number, (title, stop, evidence) in enumerate(
        (
            (TITLES[10], StopReason.BUDGET, "job shop-bound: limit $3, settled $2.81, held $0, needed $0.3"),
            (TITLES[11], StopReason.NO_PROGRESS, "5 attempts, none passed more than 7 of 9 checks"),
            (TITLES[12], StopReason.TAMPERING, "tests/test_dates.py was weakened: 3 tests are newly skipped"),
        )
    ):
        at = first + timedelta(minutes=80 * number + 5)
        job_id = scribe.begin(night, title, at)
        ended = scribe.attempt(night, job_id, at, 281 - 70 * number, passes=False)
        scribe.end(job_id, stop, ended, evidence)
    at = night.drains_at - timedelta(minutes=45)
    job_id = scribe.begin(night, TITLES[13], at)
    scribe.attempt(night, job_id, at, 66, passes=False)
    why = "the window was closing; attempt 2 begins where attempt 1 ended"
    scribe.ledger.park_job(job_id, why, night.drains_at)
    path = f"specs/{'-'.join(TITLES[13].lower().split()[:3])}.md"
    scribe.line(night, job_id, path, TITLES[13], LineState.PARKED, why, night.drains_at)


def _left_out(scribe: Scribe, night: Night, first: datetime) -> None:
    for path, title, state, why in (
        ("specs/new tax.md", "Add the new tax rate", LineState.REFUSED, "line 12: no check covers AC-2"),
        ("specs/gross-net.md", TITLES[14], LineState.LISTED, "its like take 52 minutes, and 31 were left"),
        ("specs/ledger.md", "Balance the ledger once a day", LineState.LISTED, "4 of 4 places were taken"),
    ):  # fmt: skip
        scribe.line(night, "", path, title, state, why, first)


def _provider_trouble(scribe: Scribe, night: Night, first: datetime) -> None:
    job_id = scribe.begin(night, "Warm the search index before opening", first)
    end = scribe.attempt(night, job_id, first + timedelta(hours=2), 130, passes=True)
    for number in range(14):
        at = first + timedelta(hours=3, minutes=2 * number)
        call = scribe.hold(night, job_id, at, number=1, step=7)
        scribe.ledger.release(call, "rate_limited: 429, try again in 110 s", at + timedelta(seconds=2))
    lost = scribe.hold(night, job_id, first + timedelta(hours=3, minutes=40), number=1, step=7)
    scribe.ledger.mark_unknown(
        lost, "cut_stream: it ended with no terminal event", first + timedelta(hours=3, minutes=41)
    )
    scribe.end(job_id, StopReason.ACCEPTED, end)


def _machines_spoke(ledger: SqlLedger, night: Night) -> None:
    at = night.opens_at + timedelta(hours=2)
    what = [Decided.SHIFT, Decided.JOB, Decided.UNMATCHED, *[Decided.DUPLICATE] * 9, *[Decided.STORM] * 40]
    for number, decided in enumerate(what):
        event = Event(
            source="github", delivery=f"delivery-{number}", kind="workflow_run.failed", repository="acme/shop",
            fingerprint="f", title="unit failed", received_at=at + timedelta(seconds=number),
        )  # fmt: skip
        made, _ = ledger.put_event(event)
        ledger.decide_event(made, Decision(what=decided, why="made up", at=at + timedelta(minutes=2)))


if __name__ == "__main__":
    path = Path(sys.argv[1]).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(open_ledger(f"sqlite:///{path}?synchronous=normal")) as opened:
        print(make_month(opened))
