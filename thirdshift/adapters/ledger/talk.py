"""Conversations: rows that are only ever added, in an order that keeps the sent prefix byte for byte the same.

Within a step the order is: the answer, its tools' results, then what a person or the loop said afterwards. So words
that arrive while tools run come after the results, where every vendor wants them. Who comes first takes the place
of a step's answer; a second answer to the same step (a worker that was thought dead) is charged and not used.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, func, insert, not_, select, update

from thirdshift.adapters.ledger.dialect import wait_for
from thirdshift.adapters.ledger.tables import attempts, call_keys, calls, messages
from thirdshift.adapters.ledger.transitions import usage_of
from thirdshift.core.allowance import RECENT_ANSWERS
from thirdshift.core.conversation import Message
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Rung
from thirdshift.core.ledger import AttemptRow, CallState, Conversation
from thirdshift.core.ports import ToolSpec

ANSWER, RESULTS, SAID, OPENING = "answer", "results", "said", "opening"
_RANK = {OPENING: 0, ANSWER: 1, RESULTS: 2, SAID: 3}
_REMEMBERED = 64


@dataclass(frozen=True)
class _Line:
    step: int
    rank: int
    seq: int
    bytes: int
    message: Message

    @property
    def place(self) -> tuple[int, int, int]:
        return (self.step, self.rank, self.seq)


@dataclass(frozen=True)
class _Remembered:
    attempt_id: int
    attempt: AttemptRow
    last_seq: int = -1
    lines: tuple[_Line, ...] = ()


_STANDING = select(messages.c.call_id).where(
    messages.c.attempt_id == bindparam("id"), messages.c.step == bindparam("step"), messages.c.slot == ANSWER
)
_TAKEN = select(messages.c.message_id).where(
    messages.c.attempt_id == bindparam("id"), messages.c.step == bindparam("step"), messages.c.slot == bindparam("slot")
)
_COUNT = select(attempts.c.message_count).where(attempts.c.attempt_id == bindparam("id"))
_COUNTED = update(attempts).where(attempts.c.attempt_id == bindparam("id")).values(message_count=bindparam("count"))
_SENT = (
    select(func.count())
    .select_from(messages)
    .where(
        messages.c.attempt_id == bindparam("id"),
        messages.c.step < bindparam("step"),
        not_((messages.c.step == bindparam("step") - 1) & messages.c.slot.startswith(SAID)),
    )
)
_TAIL = (
    select(messages.c.seq, messages.c.step, messages.c.slot, messages.c.bytes, messages.c.body)
    .where(messages.c.attempt_id == bindparam("id"), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq)
)
_LAST_USAGE = (
    select(calls, call_keys.c.sent_messages)
    .join(call_keys, call_keys.c.call_id == calls.c.call_id)
    .where(calls.c.attempt_id == bindparam("id"), calls.c.step < bindparam("before"), calls.c.input_tokens.is_not(None))
    .order_by(calls.c.step.desc(), calls.c.call_id.desc())
    .limit(RECENT_ANSWERS)
)
_LATEST_STEP = select(func.max(messages.c.step)).where(messages.c.attempt_id == bindparam("id"))
_STEP_IN_FLIGHT = select(func.max(calls.c.step)).where(
    calls.c.attempt_id == bindparam("id"), calls.c.state == CallState.HELD.value
)
_SAID_BEFORE = select(messages.c.message_id).where(
    messages.c.attempt_id == bindparam("id"),
    messages.c.step == bindparam("step"),
    messages.c.who == bindparam("who"),
    messages.c.body == bindparam("body"),
)


def standing_answer(connection: Connection, attempt_id: int, step: int) -> int | None:
    """The call whose answer the conversation has at that step."""
    found = connection.execute(_STANDING, {"id": attempt_id, "step": step}).scalar_one_or_none()
    return None if found is None else int(found)


def messages_sent_at_least(connection: Connection, attempt_id: int, step: int) -> int:
    """How many messages a request for that step carried for certain, when its sender did not say.

    Words said after the last results may have come too late for it, so they do not count.
    """
    return int(connection.execute(_SENT, {"id": attempt_id, "step": step}).scalar_one())


def append(
    connection: Connection, attempt_id: int, step: int, slot: str, message: Message, *, call_id: int | None, who: str
) -> bool:
    """Add a turn; False if that place of that step is taken. ``said`` and ``opening`` have room for many."""
    seq = connection.execute(wait_for(connection, _COUNT), {"id": attempt_id}).scalar_one()
    place = f"{slot}-{seq}" if slot in (SAID, OPENING) else slot
    if connection.execute(_TAKEN, {"id": attempt_id, "step": step, "slot": place}).first() is not None:
        return False
    body = message.model_dump_json()
    row = {
        "attempt_id": attempt_id,
        "seq": seq,
        "step": step,
        "slot": place,
        "who": who,
        "call_id": call_id,
        "body": body,
        "bytes": len(body.encode()),
    }
    connection.execute(insert(messages), row)
    connection.execute(_COUNTED, {"id": attempt_id, "count": seq + 1})
    return True


def say(connection: Connection, attempt_id: int, message: Message, who: str) -> None:
    """Append somebody's words after the step that is answered or in flight; the same words twice are one turn."""
    answered = connection.execute(_LATEST_STEP, {"id": attempt_id}).scalar_one_or_none() or 0
    in_flight = connection.execute(_STEP_IN_FLIGHT, {"id": attempt_id}).scalar_one_or_none() or 0
    step = max(answered, in_flight)
    body = message.model_dump_json()
    before = connection.execute(_SAID_BEFORE, {"id": attempt_id, "step": step, "who": who, "body": body})
    if before.first() is None:
        append(connection, attempt_id, step, SAID, message, call_id=None, who=who)


class ConversationBook:
    """Reads conversations, parsing each message once for each process.

    Message rows are never changed or removed, so what is remembered is right for ever, and each read asks the
    database for what came after it. Nothing here can be stale.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], _Remembered] = OrderedDict()
        self._guard = threading.Lock()

    def read(self, connection: Connection, owner_id: str, number: int, before_step: int | None) -> Conversation:
        """The conversation, or its part before a step. KeyError if the attempt was never opened."""
        with self._guard:
            known = self._known.get((owner_id, number))
        if known is None:
            attempt_id, attempt = read_attempt(connection, owner_id, number)
            known = _Remembered(attempt_id, attempt)
        known = _with_tail(connection, known)
        with self._guard:
            self._known[(owner_id, number)] = known
            self._known.move_to_end((owner_id, number))
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return _assemble(connection, known, before_step)


def _with_tail(connection: Connection, known: _Remembered) -> _Remembered:
    rows = connection.execute(_TAIL, {"id": known.attempt_id, "after": known.last_seq}).all()
    if not rows:
        return known
    new = [
        _Line(row.step, _RANK[row.slot.partition("-")[0]], row.seq, row.bytes, Message.model_validate_json(row.body))
        for row in rows
    ]
    lines = tuple(sorted((*known.lines, *new), key=lambda line: line.place))
    return _Remembered(known.attempt_id, known.attempt, rows[-1].seq, lines)


def _assemble(connection: Connection, known: _Remembered, before_step: int | None) -> Conversation:
    before = before_step if before_step is not None else 1 << 30
    lines = [line for line in known.lines if line.step < before]
    answered = connection.execute(_LAST_USAGE, {"id": known.attempt_id, "before": before}).mappings().all()
    row = answered[0] if answered else None
    sent = 0 if row is None else row["sent_messages"]
    return Conversation(
        attempt=known.attempt,
        messages=tuple(line.message for line in lines),
        last_usage=None if row is None else usage_of(row),
        bytes_since_usage=sum(line.bytes for line in lines[sent:]),
        steps=sum(line.rank == _RANK[ANSWER] for line in lines),
        recent_outputs=tuple(found["output_tokens"] for found in answered),
    )


_ATTEMPT = select(attempts).where(
    attempts.c.owner_id == bindparam("owner_id"), attempts.c.number == bindparam("number")
)


def read_attempt(connection: Connection, owner_id: str, number: int) -> tuple[int, AttemptRow]:
    """An attempt as it was opened, with its row number. KeyError if there is none."""
    row = connection.execute(_ATTEMPT, {"owner_id": owner_id, "number": number}).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no attempt {number} of {owner_id} in the ledger")
    opening = connection.execute(
        select(messages.c.body)
        .where(messages.c.attempt_id == row["attempt_id"], messages.c.slot.startswith(OPENING))
        .order_by(messages.c.seq)
    ).scalars()
    return row["attempt_id"], AttemptRow(
        owner_id=owner_id,
        job_id=row["job_id"],
        number=number,
        role=row["role"],
        rung=Rung.model_validate_json(row["rung"]),
        reason=ReasonCode(row["reason"]),
        start_tree=row["start_tree"],
        start_commit=row["start_commit"],
        host=row["host"],
        opened_at=row["opened_at"],
        system=row["system"],
        tools=TypeAdapter(tuple[ToolSpec, ...]).validate_json(row["tools"]),
        opening=tuple(Message.model_validate_json(body) for body in opening),
    )
