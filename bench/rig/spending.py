"""One process of ``bench/overspend.py``: several loops that spend as fast as they may, at a vendor that fails.

The vendor keeps its own bill in a file: a line is there once a request was taken, whatever becomes of its answer or
of this process. That bill, and not the ledger, says what was spent.
"""

from __future__ import annotations

import fcntl
import os
import random  # noqa: TID251 - a repeatable plan of calls and faults
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from activities.placing import Placed, place
from activities.quoting import Priced
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.core.conversation import Message, Text
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import (
    Answered,
    AttemptRow,
    CallKey,
    CallOpening,
    DoesNotFit,
    Held,
    LoopRow,
    MustWait,
    Scope,
    ScopeKind,
)
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.pricing import Band, Rates, cost_nano, hold_nano
from thirdshift.core.usage import Usage

USD = 1_000_000_000
RATES = Rates(
    bands=(
        Band(
            input=USD,
            cache_read=USD // 10,
            cache_write_5m=USD * 5 // 4,
            cache_write_1h=2 * USD,
            output=10 * USD,
            reasoning=10 * USD,
        ),
    )
)
RUNG = Rung(model="bench/model", tier=Tier.ECONOMY)
FLOOR_TOKENS = 256
CUT, TIMED_OUT, REFUSED = 0.08, 0.04, 0.08
"""Shares of the requests that end so."""


@dataclass(frozen=True)
class Errand:
    """What one process is to do."""

    url: str
    run: str
    loops: tuple[int, ...]
    life: int
    """0 for the first process, 1 for the one that replaces it after a kill."""
    limit_nano: int
    bill: str
    counter: str


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a benchmark's clock


class Counter:
    """A number in a file that processes share: the naive way, correct in itself."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def add(self, amount: int) -> int:
        """Add, and return the sum."""
        with self._path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            total = int(file.read() or 0) + amount
            file.seek(0)
            file.write(str(total))
            file.truncate()
            return total


def bill(path: str, nano: int) -> None:
    """The vendor writes down what it will ask for."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, f"{nano}\n".encode())
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Wanted:
    """A call as a loop means it: how large it may be, and how large it will be. Unequal by two orders of magnitude."""

    bound_tokens: int
    most_tokens: int
    usage: Usage
    fate: float
    """Below the faults' shares: that fault."""

    def answered_within(self, most_tokens: int) -> Usage:
        """What the vendor makes of it when it was asked for less output."""
        return self.usage.model_copy(update={"output_tokens": min(self.usage.output_tokens, most_tokens)})


def wanted(dice: random.Random) -> Wanted:
    real = dice.randint(300, 20_000)
    cached = dice.choice((0, 0, real * 9 // 10))
    most = dice.choice((512, 1024, 4096))
    usage = Usage(
        input_tokens=real - cached, cache_read_tokens=cached, output_tokens=dice.choice((most, dice.randint(10, most)))
    )
    return Wanted(real + dice.randint(0, real // 4), most, usage, dice.random())


def run_errand(errand: Errand) -> None:
    """Every loop of this process, each in a thread, until the shared limit lets none of them go on."""
    ledger = open_ledger(errand.url)
    threads = [threading.Thread(target=_loop, args=(ledger, errand, number)) for number in errand.loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()


def _loop(ledger: SqlLedger, errand: Errand, number: int) -> None:
    loop = f"{errand.run}-loop-{number}"
    ledger.open_loop(LoopRow(loop_id=loop, job_id=errand.run, packet=loop, base_tree="t", checks=(), opened_at=now()))
    ledger.open_attempt(_attempt(errand.run, loop))
    dice = random.Random(f"{loop}/{errand.life}")  # noqa: S311 - a repeatable plan, not a secret
    for step in count(1):
        if not _step(ledger, errand, loop, step, dice):
            break
    _check_after(errand, dice)


def _attempt(job: str, loop: str) -> AttemptRow:
    return AttemptRow(
        owner_id=loop,
        job_id=job,
        number=1,
        role="code",
        rung=RUNG,
        reason=ReasonCode.FIRST,
        start_tree="t",
        start_commit="c",
        host="bench",
        opened_at=now(),
        system="",
        tools=(),
        opening=(),
    )


def _step(ledger: SqlLedger, errand: Errand, loop: str, step: int, dice: random.Random) -> bool:
    """One step, retried through faults as the engine would; False once the budget refuses it."""
    for attempt in count(1 + 1000 * errand.life):
        want = wanted(dice)
        priced, placed = _placed(ledger, errand, loop, step, attempt, want)
        match placed:
            case Answered():
                return True
            case DoesNotFit():
                return False
            case Held() if _sent(ledger, errand, placed.call_id, priced, want):
                return True
            case _:
                continue
    raise AssertionError("endless")


def _placed(
    ledger: SqlLedger, errand: Errand, loop: str, step: int, attempt: int, want: Wanted
) -> tuple[Priced, Placed]:
    """The product's own placing; waiting as the engine would, only sooner."""
    while True:
        key = CallKey(workflow_id=loop, run_id="1", activity_id=str(step), attempt=attempt)
        request = ModelRequest(model="model", system="", messages=(), max_output_tokens=want.most_tokens)
        opening = CallOpening(
            key=key,
            job_id=errand.run,
            owner_id=loop,
            attempt_number=1,
            step=step,
            role="code",
            model=RUNG.model,
            tier=RUNG.tier,
            reason=ReasonCode.FIRST,
            request_hash="-",
            hold_nano=hold_nano(RATES, want.bound_tokens, want.most_tokens),
            input_bound_tokens=want.bound_tokens,
            max_output_tokens=want.most_tokens,
            price_snapshot="bench",
            scopes=(Scope(kind=ScopeKind.TEAM_DAY, key=errand.run, limit_nano=errand.limit_nano),),
            opened_at=now(),
            sent_messages=0,
            may_wait=True,
        )
        priced = Priced(request, opening, RATES, measured=True)
        placed = place(ledger, priced, FLOOR_TOKENS)
        if not isinstance(placed, MustWait):
            return priced, placed
        time.sleep(0.01)


def _sent(ledger: SqlLedger, errand: Errand, call_id: int, priced: Priced, want: Wanted) -> bool:
    """Send to the vendor; whether there is an answer."""
    if want.fate < REFUSED:
        ledger.release(call_id, "429", now())
        return False
    usage = want.answered_within(priced.opening.max_output_tokens)
    cost = cost_nano(RATES, usage)
    bill(errand.bill, cost)
    time.sleep(0.002)
    if want.fate < REFUSED + CUT + TIMED_OUT:
        why = "cut stream" if want.fate < REFUSED + CUT else "timed out"
        ledger.mark_unknown(call_id, why, now())
        return False
    answer = ModelAnswer(
        message=Message(role="assistant", parts=(Text(text="."),)),
        stop=StopKind.TOOLS,
        usage=usage,
        served_model="model",
    )
    ledger.settle(call_id, answer, cost, 0.002, now())
    return True


def _check_after(errand: Errand, dice: random.Random) -> None:
    """The same loops at a counter that is looked at before a call and added to after it: every charge is counted."""
    counter = Counter(errand.counter)
    while counter.add(0) < errand.limit_nano:
        want = wanted(dice)
        time.sleep(0.002)
        if want.fate >= REFUSED:
            counter.add(cost_nano(RATES, want.usage))
