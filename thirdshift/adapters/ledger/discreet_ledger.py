"""The ledger with a doorkeeper: what is written into it has lost its secrets before.

Tool results and outputs of checks are redacted where they come about, since their host shows them too. Specs are kept
as they were submitted, by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.opening import open_database
from thirdshift.adapters.ledger.sql_ledger import SqlLedger
from thirdshift.core.conversation import Message
from thirdshift.core.gates import GateAnswer, GateEnd
from thirdshift.core.ledger import AttemptClosing, JobClosing, ToolRun
from thirdshift.core.outcomes import DeliveryRow
from thirdshift.core.ports import ModelAnswer
from thirdshift.core.redaction import redact_answer, redact_json, redact_message
from thirdshift.core.text import Redactor


def open_discreet_ledger(url: str, redactor: Redactor) -> DiscreetLedger:
    """``open_ledger``, with every answer, note and reason redacted on its way in."""
    return DiscreetLedger(open_database(url), redactor)


class DiscreetLedger(SqlLedger):
    """``SqlLedger`` for a process that knows which values are secret.

    An answer is redacted once, before it is stored; every later request is made from what was stored, so the prefix of
    a conversation stays the same bytes.
    """

    def __init__(self, database: Database, redactor: Redactor) -> None:
        super().__init__(database)
        self._redactor = redactor

    def settle(self, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime) -> int:
        return super().settle(call_id, redact_answer(answer, self._redactor), cost_nano, seconds, at)

    def settle_unused(self, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime) -> None:
        super().settle_unused(call_id, redact_answer(answer, self._redactor), cost_nano, seconds, at)

    def keep_unpriced(self, call_id: int, answer: ModelAnswer, why: str, seconds: float, at: datetime) -> int:
        return super().keep_unpriced(call_id, redact_answer(answer, self._redactor), self._redactor(why), seconds, at)

    def mark_unknown(self, call_id: int, why: str, at: datetime) -> None:
        super().mark_unknown(call_id, self._redactor(why), at)

    def release(self, call_id: int, why: str, at: datetime) -> None:
        super().release(call_id, self._redactor(why), at)

    def say(self, owner_id: str, number: int, message: Message, who: str) -> None:
        super().say(owner_id, number, redact_message(message, self._redactor), who)

    def put_tool_run(self, run: ToolRun, at: datetime) -> None:
        super().put_tool_run(run.model_copy(update={"results": redact_message(run.results, self._redactor)}), at)

    def put_plan(self, job_id: str, plan_json: str, at: datetime) -> None:
        super().put_plan(job_id, self._redactor.values_and_keys(plan_json), at)

    def close_attempt(self, closing: AttemptClosing) -> int:
        return super().close_attempt(closing.model_copy(update={"evidence": self._redactor(closing.evidence)}))

    def close_job(self, closing: JobClosing) -> None:
        super().close_job(closing.model_copy(update={"evidence": self._redactor(closing.evidence)}))

    def put_delivery(self, row: DeliveryRow) -> bool:
        delivered = row.delivered.model_copy(update={"detail": self._redactor(row.delivered.detail)})
        return super().put_delivery(row.model_copy(update={"delivered": delivered}))

    def decide_gate(
        self, job_id: str, seq: int, answers: Sequence[GateAnswer], end: GateEnd | None, at: datetime
    ) -> None:
        kept = [answer.model_copy(update={"note": self._redactor(answer.note)}) for answer in answers]
        super().decide_gate(job_id, seq, kept, end, at)

    def note(
        self, job_id: str, kind: str, text: str, data: dict[str, str | int | float | bool | None], at: datetime
    ) -> None:
        super().note(job_id, kind, self._redactor(text), redact_json(data, self._redactor), at)
