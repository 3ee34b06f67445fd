"""The books on SQLite or PostgreSQL: each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thirdshift.adapters.ledger import cost_views, holds, job_views, price_lists, records, settling
from thirdshift.adapters.ledger import standing as standings
from thirdshift.adapters.ledger.accounts import AccountBook, attempt_id_of
from thirdshift.adapters.ledger.audit_book import AuditBook
from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.event_book import EventBook
from thirdshift.adapters.ledger.gate_book import GateBook
from thirdshift.adapters.ledger.journal import read_entries, write_entry
from thirdshift.adapters.ledger.mornings import MorningBook
from thirdshift.adapters.ledger.night_book import NightBook
from thirdshift.adapters.ledger.opening import open_database
from thirdshift.adapters.ledger.outcome_book import OutcomeBook
from thirdshift.adapters.ledger.questions import QuestionBook
from thirdshift.adapters.ledger.raising import raise_limit
from thirdshift.adapters.ledger.talk import ConversationBook, say
from thirdshift.core.conversation import Message
from thirdshift.core.ledger import (
    Answered,
    AttemptClosing,
    AttemptRow,
    CallOpening,
    CallRow,
    Conversation,
    DoesNotFit,
    Held,
    JobClosing,
    JobRow,
    JournalEntry,
    LoopRow,
    MustWait,
    Raise,
    SpecDoc,
    ToolRun,
)
from thirdshift.core.ports import ModelAnswer
from thirdshift.core.rates import Rates
from thirdshift.core.verdict import Verdict
from thirdshift.core.views import CostLine, JobSummary, JobView


def open_ledger(url: str) -> SqlLedger:
    """Open the books at an SQLAlchemy URL, creating them and bringing their schema up to date.

    Any number of processes may do so at once. Raises SettingsInvalid for a URL that cannot be meant,
    LedgerUnavailable, with the remedy, for a database that cannot be used.
    """
    return SqlLedger(open_database(url))


class SqlLedger(OutcomeBook, GateBook, QuestionBook, AuditBook, NightBook, EventBook, MorningBook):
    """Implements ``core.ledger.Ledger`` for any number of threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts = AccountBook(database)
        self._conversations = ConversationBook()
        self._price_lists: set[str] = set()

    def close(self) -> None:
        """Let go of every connection."""
        self._database.close()

    def put_spec(self, doc: SpecDoc) -> None:
        with self._database.write() as connection:
            records.put_spec(connection, doc)

    def get_spec(self, spec_id: str) -> SpecDoc:
        with self._database.read() as connection:
            return records.get_spec(connection, spec_id)

    def open_job(self, row: JobRow) -> bool:
        with self._database.write() as connection:
            return records.open_job(connection, row)

    def open_loop(self, row: LoopRow) -> None:
        with self._database.write() as connection:
            records.open_loop(connection, row)

    def open_attempt(self, row: AttemptRow) -> None:
        with self._database.write() as connection:
            records.open_attempt(connection, row)

    def read_job(self, job_id: str) -> JobRow:
        with self._database.read() as connection:
            return records.read_job(connection, job_id)

    def read_loop(self, loop_id: str) -> LoopRow:
        with self._database.read() as connection:
            return standings.read_loop(connection, loop_id)

    def standing(self, owner_id: str, number: int) -> tuple[int, str, str]:
        with self._database.read() as connection:
            return standings.standing(connection, owner_id, number)

    def commit_of(self, job_id: str, tree: str) -> str | None:
        with self._database.read() as connection:
            return standings.commit_of(connection, job_id, tree)

    def accepted_packets(self, job_id: str) -> tuple[str, ...]:
        with self._database.read() as connection:
            return standings.accepted_packets(connection, job_id)

    def job_cost_nano(self, job_id: str) -> int:
        with self._database.read() as connection:
            return standings.job_cost_nano(connection, job_id)

    def conversation(self, owner_id: str, number: int, before_step: int | None = None) -> Conversation:
        with self._database.read() as connection:
            return self._conversations.read(connection, owner_id, number, before_step)

    def say(self, owner_id: str, number: int, message: Message, who: str) -> None:
        with self._database.write() as connection:
            say(connection, attempt_id_of(connection, owner_id, number), message, who)

    def put_rates(self, snapshot: str, rates: Rates, source: str, at: datetime) -> None:
        if snapshot not in self._price_lists:
            with self._database.write() as connection:
                price_lists.keep(connection, snapshot, rates, source, at)
            self._price_lists.add(snapshot)

    def place_hold(self, opening: CallOpening) -> Held | Answered | DoesNotFit | MustWait:
        account = self._accounts.find(opening)
        with self._database.write() as connection:
            return holds.place_hold(connection, opening, account)

    def settle(self, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime) -> int:
        with self._database.write() as connection:
            return settling.settle(connection, call_id, answer, cost_nano, seconds, at)

    def settle_unused(self, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime) -> None:
        with self._database.write() as connection:
            settling.settle_unused(connection, call_id, answer, cost_nano, seconds, at)

    def keep_unpriced(self, call_id: int, answer: ModelAnswer, why: str, seconds: float, at: datetime) -> int:
        with self._database.write() as connection:
            return settling.keep_unpriced(connection, call_id, answer, why, seconds, at)

    def mark_unknown(self, call_id: int, why: str, at: datetime) -> None:
        with self._database.write() as connection:
            settling.mark_unknown(connection, call_id, why, at)

    def release(self, call_id: int, why: str, at: datetime) -> None:
        with self._database.write() as connection:
            settling.release(connection, call_id, why, at)

    def raise_limit(self, by: Raise) -> int:
        with self._database.write() as connection:
            return raise_limit(connection, by)

    def answer(self, call_id: int) -> ModelAnswer:
        with self._database.read() as connection:
            return settling.stored_answer(connection, call_id)

    def call(self, call_id: int) -> CallRow:
        with self._database.read() as connection:
            return cost_views.call_row(connection, call_id)

    def tool_run(self, call_id: int) -> ToolRun | None:
        with self._database.read() as connection:
            return records.tool_run(connection, call_id)

    def put_tool_run(self, run: ToolRun, at: datetime) -> None:
        with self._database.write() as connection:
            records.put_tool_run(connection, run, at)

    def put_plan(self, job_id: str, plan_json: str, at: datetime) -> None:
        with self._database.write() as connection:
            if records.put_plan(connection, job_id, plan_json):
                write_entry(connection, job_id, "plan", "the plan is made", {"bytes": len(plan_json.encode())}, at)

    def get_plan(self, job_id: str) -> str | None:
        with self._database.read() as connection:
            return records.get_plan(connection, job_id)

    def put_verdict(self, owner_id: str, number: int, verdict: Verdict, at: datetime) -> int:
        with self._database.write() as connection:
            return records.put_verdict(connection, owner_id, number, verdict, at)

    def get_verdict(self, verdict_id: int) -> Verdict:
        with self._database.read() as connection:
            return records.get_verdict(connection, verdict_id)

    def find_verdict(self, owner_id: str, number: int, tree: str) -> Verdict | None:
        with self._database.read() as connection:
            return records.find_verdict(connection, owner_id, number, tree)

    def attempt_cost_nano(self, owner_id: str, number: int) -> int:
        with self._database.read() as connection:
            return records.attempt_cost_nano(connection, owner_id, number)

    def close_attempt(self, closing: AttemptClosing) -> int:
        with self._database.write() as connection:
            return records.close_attempt(connection, closing)

    def close_job(self, closing: JobClosing) -> None:
        with self._database.write() as connection:
            records.close_job(connection, closing)

    def reopen_job(self, job_id: str, who: str, at: datetime) -> None:
        with self._database.write() as connection:
            standings.reopen_job(connection, job_id, who, at)

    def journal(self, job_id: str, after_seq: int) -> Sequence[JournalEntry]:
        with self._database.read() as connection:
            return read_entries(connection, job_id, after_seq)

    def note(
        self,
        job_id: str,
        kind: str,
        text: str,
        data: dict[str, str | int | float | bool | None],
        at: datetime,
    ) -> None:
        with self._database.write() as connection:
            write_entry(connection, job_id, kind, text, data, at)

    def job_view(self, job_id: str) -> JobView:
        with self._database.read() as connection:
            return job_views.job_view(connection, job_id)

    def list_jobs(self, limit: int) -> tuple[JobSummary, ...]:
        with self._database.read() as connection:
            return job_views.list_jobs(connection, limit)

    def open_jobs(self) -> tuple[JobRow, ...]:
        with self._database.read() as connection:
            return records.open_jobs(connection)

    def cost_lines(self, job_id: str | None) -> tuple[CostLine, ...]:
        with self._database.read() as connection:
            return cost_views.cost_lines(connection, job_id)
