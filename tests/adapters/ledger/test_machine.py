"""Holds, settles, releases, unknowns, raises and crashes in any order: conserved at every step, over no limit ever."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sqlalchemy import event, select

from tests.adapters.ledger.books import NOW, answer, attempt_row, job_row, key, later, loop_row, opening
from thirdshift.adapters.ledger.opening import open_database
from thirdshift.adapters.ledger.sql_ledger import SqlLedger
from thirdshift.adapters.ledger.tables import scopes
from thirdshift.core.ledger import Answered, CallOpening, DoesNotFit, Held, MustWait, Raise, Scope, ScopeKind

LOOPS = ("loop-a", "loop-b", "loop-c")
JOB_OF = {"loop-a": "job-x", "loop-b": "job-x", "loop-c": "job-y"}
TEAM_LIMIT, JOB_LIMIT, LOOP_LIMIT = 6000, 4000, 3000


@dataclass
class Call:
    """What the machine knows of a call."""

    loop: str
    step: int
    attempt: int
    hold: int
    state: str = "held"
    cost: int = 0

    @property
    def charged(self) -> int:
        return {"held": self.hold, "unknown": self.hold, "settled": self.cost, "released": 0}[self.state]


class PowerCut(Exception):
    """The process dies here."""


class Money(RuleBasedStateMachine):
    calls = Bundle("calls")
    template: ClassVar[Path | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.known: dict[int, Call] = {}
        self.raised: dict[tuple[str, str], int] = defaultdict(int)
        self.raises = 0
        self.clock = 0.0
        self.statements_left: int | None = None

    @initialize()
    def begin(self) -> None:
        path = self.directory / "ledger.sqlite"
        if Money.template is None:
            self._open()
            for job in ("job-x", "job-y"):
                self.ledger.open_job(job_row(job))
            for loop, job in JOB_OF.items():
                self.ledger.open_loop(loop_row(loop, job))
                self.ledger.open_attempt(attempt_row(loop, 1, job))
            self.ledger.close()
            Money.template = Path(tempfile.mkdtemp()) / "ledger.sqlite"
            shutil.copyfile(path, Money.template)
        shutil.copyfile(Money.template, path)
        self._open()

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.directory)

    def _open(self) -> None:
        database = open_database(f"sqlite:///{self.directory / 'ledger.sqlite'}?synchronous=normal")

        @event.listens_for(database.engine, "before_cursor_execute")
        def count(*_: Any) -> None:
            if self.statements_left is not None:
                self.statements_left -= 1
                if self.statements_left < 0:
                    raise PowerCut

        self.database, self.ledger = database, SqlLedger(database)

    def _opening(self, loop: str, step: int, hold: int, attempt: int, *, may_wait: bool = False) -> CallOpening:
        limits = [
            Scope(kind=ScopeKind.TEAM_DAY, key="team", limit_nano=TEAM_LIMIT),
            Scope(kind=ScopeKind.JOB, key=JOB_OF[loop], limit_nano=JOB_LIMIT),
            Scope(kind=ScopeKind.LOOP, key=loop, limit_nano=LOOP_LIMIT),
        ]
        self.clock += 1
        return opening(
            hold,
            step=step,
            key=key(f"step-{step}", attempt, workflow=loop),
            job_id=JOB_OF[loop],
            owner_id=loop,
            scopes=tuple(limits),
            may_wait=may_wait,
            opened_at=later(self.clock),
        )

    def _expected(self, loop: str) -> dict[tuple[str, str], int]:
        """What is left in each scope of a loop."""
        names = {("team_day", "team"): TEAM_LIMIT, ("job", JOB_OF[loop]): JOB_LIMIT, ("loop", loop): LOOP_LIMIT}
        return {name: limit + self.raised[name] - self._charged(name) for name, limit in names.items()}

    def _charged(self, name: tuple[str, str]) -> int:
        kind, of = name
        found = 0
        for call in self.known.values():
            if of in {"team_day": ("team",), "job": (JOB_OF[call.loop],), "loop": (call.loop,)}[kind]:
                found += call.charged
        return found

    def _lost_in_flight(self, given: CallOpening) -> None:
        for call in self.known.values():
            same = (call.loop, call.step) == (given.owner_id, given.step)
            if same and call.state == "held" and call.attempt < given.key.attempt:
                call.state = "unknown"

    def _placed(self, given: CallOpening, placed: Held | Answered | DoesNotFit | MustWait) -> Any:
        """What the machine learns from an outcome, checked against what it expected."""
        if isinstance(placed, Answered):
            assert self.known[placed.call_id].step == given.step
            return multiple()
        self._lost_in_flight(given)
        room = min(self._expected(given.owner_id).values())
        match placed:
            case Held():
                assert given.hold_nano <= room
                self.known[placed.call_id] = Call(given.owner_id, given.step, given.key.attempt, given.hold_nano)
                return placed.call_id
            case DoesNotFit():
                assert given.hold_nano > room
            case MustWait():
                assert given.may_wait
        return multiple()

    @rule(
        target=calls,
        loop=st.sampled_from(LOOPS),
        step=st.integers(1, 6),
        hold=st.integers(1, 3500),
        attempt=st.integers(1, 3),
        may_wait=st.booleans(),
    )
    def place(self, loop: str, step: int, hold: int, attempt: int, may_wait: bool) -> Any:
        given = self._opening(loop, step, hold, attempt, may_wait=may_wait)
        return self._placed(given, self.ledger.place_hold(given))

    @rule(call_id=calls, share=st.integers(0, 100))
    def settle(self, call_id: int, share: int) -> None:
        call = self.known[call_id]
        cost = call.hold * share // 100 if call.state != "released" else 0
        self.ledger.settle(call_id, answer(f"{call_id}"), cost, 1.0, NOW)
        if call.state != "settled":
            call.state, call.cost = "settled", cost

    @rule(call_id=calls)
    def settle_unused(self, call_id: int) -> None:
        call = self.known[call_id]
        if call.state == "held":
            self.ledger.settle_unused(call_id, answer("cut"), call.hold, 1.0, NOW)
            call.state, call.cost = "settled", call.hold

    @rule(call_id=calls)
    def lose(self, call_id: int) -> None:
        self.ledger.mark_unknown(call_id, "cut", NOW)
        if self.known[call_id].state == "held":
            self.known[call_id].state = "unknown"

    @rule(call_id=consumes(calls))
    def release(self, call_id: int) -> None:
        self.ledger.release(call_id, "429", NOW)
        if self.known[call_id].state in ("held", "unknown"):
            self.known[call_id].state = "released"

    @rule(where=st.sampled_from([("team_day", "team"), ("job", "job-x"), ("loop", "loop-a")]), by=st.integers(1, 900))
    def raise_limit(self, where: tuple[str, str], by: int) -> None:
        self.raises += 1
        told = Raise(
            raise_id=f"r{self.raises}", kind=ScopeKind(where[0]), key=where[1], by_nano=by, reviewer="ada", at=NOW
        )
        self.ledger.raise_limit(told)
        self.ledger.raise_limit(told)
        self.raised[where] += by

    @rule()
    def crash(self) -> None:
        self.ledger.close()
        self._open()

    @rule(target=calls, after=st.integers(0, 14), loop=st.sampled_from(LOOPS), step=st.integers(1, 6))
    def crash_while_placing(self, after: int, loop: str, step: int) -> Any:
        given = self._opening(loop, step, 500, 3)
        done: list[Any] = []
        if self._dies(after, lambda: done.append(self.ledger.place_hold(given))):
            return multiple()
        return self._placed(given, done[0])

    @rule(after=st.integers(0, 14), call_id=calls)
    def crash_while_settling(self, after: int, call_id: int) -> None:
        call = self.known[call_id]
        cost = min(call.hold, 7) if call.state != "released" else 0
        died = self._dies(after, lambda: self.ledger.settle(call_id, answer(f"{call_id}"), cost, 1.0, NOW))
        if not died and call.state != "settled":
            call.state, call.cost = "settled", cost

    def _dies(self, after: int, work: Callable[[], object]) -> bool:
        """Whether the process died after so many statements of the work; then it is begun anew."""
        self.statements_left = after
        try:
            work()
        except PowerCut:
            died = True
        else:
            died = False
        self.statements_left = None
        if died:
            self.crash()
        return died

    @invariant()
    def every_nano_dollar_is_where_it_belongs(self) -> None:
        with self.database.read() as connection:
            rows = connection.execute(select(scopes)).mappings().all()
        for row in rows:
            name = (row["kind"], row["key"])
            if row["billing"] != "metered" or row["kind"] == "attempt":
                continue
            total = row["settled_nano"] + row["held_nano"] + row["unknown_nano"]
            assert total == self._charged(name)
            if row["limit_nano"] is not None:
                assert row["raised_nano"] == self.raised[name]
                assert total <= row["limit_nano"] + row["raised_nano"]
        audit = self.ledger.verify()
        assert audit.adds_up, audit.differences
        assert not audit.over_limit


Money.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestMoney = Money.TestCase
