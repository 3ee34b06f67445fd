"""What becomes of a call after it was sent, or was not: every path keeps each charge exactly once.

::

    held ──▶ settled      the answer and its cost are known
    held ──▶ unknown ──▶ settled | released   it may have been billed; a late answer or a reconciliation decides
    held ──▶ released ─▶ settled   never billed; should an answer turn up after all, its charge is not lost

Settled is final. Every other repetition leaves the books as they are.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select

from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.tables import answers
from thirdshift.adapters.ledger.talk import ANSWER, append, standing_answer
from thirdshift.adapters.ledger.told import dollars, tell_answered, tell_lost
from thirdshift.adapters.ledger.transitions import CallChange, change_call, lock_call
from thirdshift.core.ledger import CallState
from thirdshift.core.ports import ModelAnswer

CUT = "cut off at the tokens that it was allowed; charged, not used, and asked for again with more"

_ANSWER = select(answers.c.body).where(answers.c.call_id == bindparam("id"))


def settle(
    connection: Connection, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime
) -> int:
    """Store the answer and replace the hold by the cost; the call whose answer stands in the conversation."""
    if cost_nano < 0:
        raise ValueError(f"a cost of {cost_nano} nano-dollars for call {call_id}")
    row = lock_call(connection, call_id)
    if row["state"] == CallState.SETTLED.value:
        return _standing(connection, row)
    notes = [f"was {row['state']}"] if row["state"] != CallState.HELD.value else []
    if cost_nano > row["hold_nano"]:
        notes.append(f"cost {dollars(cost_nano - row['hold_nano'])} more than its hold")
    if _keep_answer(connection, row, answer) != call_id:
        notes.append("another call had answered this step; this answer is charged and not used")
    change = _change(CallState.SETTLED, answer, seconds, "; ".join(notes), cost_nano)
    change_call(connection, row, change, at)
    tell_answered(connection, row, answer, CallState.SETTLED, cost_nano, at)
    return _standing(connection, row)


def settle_unused(
    connection: Connection, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime
) -> None:
    """Replace the hold by the cost of an answer that the conversation is not to have."""
    row = lock_call(connection, call_id)
    if row["state"] == CallState.SETTLED.value:
        return
    add_if_new(connection, answers, {"call_id": call_id, "body": answer.model_dump_json()})
    change_call(connection, row, _change(CallState.SETTLED, answer, seconds, CUT, cost_nano), at)
    tell_answered(connection, row, answer, CallState.SETTLED, cost_nano, at)


def keep_unpriced(
    connection: Connection, call_id: int, answer: ModelAnswer, why: str, seconds: float, at: datetime
) -> int:
    """Store an answer whose cost is not known; the call whose answer stands in the conversation."""
    row = lock_call(connection, call_id)
    if row["state"] == CallState.SETTLED.value or _has_answer(connection, call_id):
        return _standing(connection, row)
    _keep_answer(connection, row, answer)
    change_call(connection, row, _change(CallState.UNKNOWN, answer, seconds, why), at)
    tell_answered(connection, row, answer, CallState.UNKNOWN, 0, at)
    return _standing(connection, row)


def mark_unknown(connection: Connection, call_id: int, why: str, at: datetime) -> None:
    """A held call may have been billed and has no answer: its hold stays charged."""
    _lose(connection, call_id, CallState.UNKNOWN, why, at)


def release(connection: Connection, call_id: int, why: str, at: datetime) -> None:
    """A call was certainly not billed: its hold is given back. One that was answered keeps its charge."""
    _lose(connection, call_id, CallState.RELEASED, why, at)


def _lose(connection: Connection, call_id: int, state: CallState, why: str, at: datetime) -> None:
    row = lock_call(connection, call_id)
    may_leave = {CallState.UNKNOWN: (CallState.HELD,), CallState.RELEASED: (CallState.HELD, CallState.UNKNOWN)}[state]
    if row["state"] not in {before.value for before in may_leave} or _has_answer(connection, call_id):
        return
    change_call(connection, row, CallChange(state, note=why), at)
    tell_lost(connection, row, state, why, at)


def _change(state: CallState, answer: ModelAnswer, seconds: float, note: str, cost_nano: int = 0) -> CallChange:
    return CallChange(
        state,
        cost_nano=cost_nano,
        usage=answer.usage,
        milliseconds=round(seconds * 1000),
        note=note,
        served_model=answer.served_model,
        stop=answer.stop.value,
    )


def _keep_answer(connection: Connection, row: RowMapping, answer: ModelAnswer) -> int:
    body = {"call_id": row["call_id"], "body": answer.model_dump_json()}
    add_if_new(connection, answers, body)
    append(connection, row["attempt_id"], row["step"], ANSWER, answer.message, call_id=row["call_id"], who=row["model"])
    return _standing(connection, row)


def _standing(connection: Connection, row: RowMapping) -> int:
    standing = standing_answer(connection, row["attempt_id"], row["step"])
    return int(row["call_id"]) if standing is None else standing


def _has_answer(connection: Connection, call_id: int) -> bool:
    return connection.execute(_ANSWER, {"id": call_id}).first() is not None


def stored_answer(connection: Connection, call_id: int) -> ModelAnswer:
    """The answer of a call, or KeyError."""
    body = connection.execute(_ANSWER, {"id": call_id}).scalar_one_or_none()
    if body is None:
        raise KeyError(f"call {call_id} has no answer in the ledger")
    return ModelAnswer.model_validate_json(body)
