"""Gates in the books: opened once, answered once by each person, closed once; each told in the journal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.dialect import add_if_new, wait_for
from thirdshift.adapters.ledger.gate_tables import gate_answers
from thirdshift.adapters.ledger.gate_tables import gates as gate_rows
from thirdshift.adapters.ledger.journal import write_entry
from thirdshift.adapters.ledger.tables import jobs
from thirdshift.core.gate_book import AnswerRecord, GateOpening, GateRecord
from thirdshift.core.gates import GateAnswer, GateEnd, same_person
from thirdshift.core.money import format_usd
from thirdshift.core.text import one_line


class GateBook:
    """Implements ``core.gate_book.GateBook``; a part of ``SqlLedger``."""

    _database: Database

    def open_gate(self, opening: GateOpening) -> int:
        """See the port."""
        with self._database.write() as connection:
            return open_gate(connection, opening)

    def decide_gate(
        self, job_id: str, seq: int, answers: Sequence[GateAnswer], end: GateEnd | None, at: datetime
    ) -> None:
        """See the port."""
        with self._database.write() as connection:
            decide_gate(connection, job_id, seq, answers, end, at)

    def gates(self, job_id: str | None = None, *, only_open: bool = False) -> tuple[GateRecord, ...]:
        """See the port."""
        with self._database.read() as connection:
            return read_gates(connection, job_id, only_open)


_NEWEST = select(func.coalesce(func.max(gate_rows.c.seq), 0)).where(gate_rows.c.job_id == bindparam("job"))


def open_gate(connection: Connection, opening: GateOpening) -> int:
    """Keep a gate under the next number of its job. KeyError if there is no such job."""
    # The job's row is locked, so that two loops of a job cannot take one number.
    job = select(jobs.c.job_id).where(jobs.c.job_id == opening.job_id)
    if connection.execute(wait_for(connection, job)).first() is None:
        raise KeyError(f"no job {opening.job_id} in the ledger")
    known = select(gate_rows.c.seq).where(gate_rows.c.open_key == opening.open_key)
    before = connection.execute(known).scalar_one_or_none()
    if before is not None:
        return int(before)
    seq = int(connection.execute(_NEWEST, {"job": opening.job_id}).scalar_one()) + 1
    row = {**opening.model_dump(mode="python"), "seq": seq, "reviewers": json.dumps(opening.reviewers)}
    row["kind"] = opening.kind.value
    add_if_new(connection, gate_rows, row)
    data = {"gate": seq, "kind": opening.kind.value, "tree": opening.tree, "owner": opening.owner_id}
    text = f"gate {seq} ({opening.kind}) waits for a person: {one_line(opening.reason, 300)}"
    write_entry(connection, opening.job_id, "gate", text, data, opening.opened_at)
    return seq


def decide_gate(
    connection: Connection, job_id: str, seq: int, answers: Sequence[GateAnswer], end: GateEnd | None, at: datetime
) -> None:
    """Keep answers and an end, each once. KeyError if there is no such gate."""
    here = (gate_rows.c.job_id == job_id) & (gate_rows.c.seq == seq)
    found = connection.execute(wait_for(connection, select(gate_rows.c.kind, gate_rows.c.end).where(here))).first()
    if found is None:
        raise KeyError(f"no gate {seq} of job {job_id} in the ledger")
    for answer in answers:
        row = {
            "job_id": job_id,
            "seq": seq,
            "reviewer": answer.verified_as or answer.reviewer,
            "identity": _identity(answer),
            "verdict": answer.verdict.value,
            "note": _note(answer),
            "usd_nano": answer.usd_nano,
            "at": answer.at,
        }
        if add_if_new(connection, gate_answers, row):
            _tell_answer(connection, job_id, seq, answer)
    if end is not None and found.end is None:
        connection.execute(update(gate_rows).where(here).values(end=end.value, closed_at=at))
        data = {"gate": seq, "kind": found.kind, "end": end.value}
        write_entry(connection, job_id, "gate_end", f"gate {seq} ({found.kind}): {end.value}", data, at)


def _tell_answer(connection: Connection, job_id: str, seq: int, answer: GateAnswer) -> None:
    usd = f", raises by ${format_usd(answer.usd_nano)}" if answer.usd_nano else ""
    note = f": {one_line(_note(answer), 300)}" if _note(answer) else ""
    name, identity = answer.verified_as or answer.reviewer, _identity(answer)
    text = f"gate {seq}: {answer.verdict} by {one_line(name)} ({identity}){usd}{note}"
    data = {"gate": seq, "verdict": answer.verdict.value, "reviewer": name, "identity": identity}
    write_entry(connection, job_id, "gate_answer", text, data, answer.at)


def _identity(answer: GateAnswer) -> str:
    return "verified" if answer.verified_as else "claimed"


def _note(answer: GateAnswer) -> str:
    """The note; it begins with the name that was claimed, where the server knows better."""
    if not answer.verified_as or same_person(answer.verified_as, answer.reviewer):
        return answer.note
    return f"[claimed to be {answer.reviewer}] {answer.note}".rstrip()


def read_gates(connection: Connection, job_id: str | None, only_open: bool) -> tuple[GateRecord, ...]:
    """Gates with their answers, oldest first."""
    wanted = select(gate_rows).order_by(gate_rows.c.opened_at, gate_rows.c.gate_id)
    wanted = wanted.where(gate_rows.c.job_id == job_id) if job_id is not None else wanted
    wanted = wanted.where(gate_rows.c.end.is_(None)) if only_open else wanted
    rows = connection.execute(wanted).mappings().all()
    given: dict[tuple[str, int], list[AnswerRecord]] = defaultdict(list)
    of_them = select(gate_answers).order_by(gate_answers.c.answer_id)
    of_them = of_them.where(gate_answers.c.job_id == job_id) if job_id is not None else of_them
    for row in connection.execute(of_them).mappings() if rows else ():
        answer = GateAnswer(
            verdict=row["verdict"],
            reviewer=row["reviewer"],
            note=row["note"],
            usd_nano=row["usd_nano"],
            at=row["at"],
            verified_as=row["reviewer"] if row["identity"] == "verified" else "",
        )
        given[(row["job_id"], row["seq"])].append(AnswerRecord(answer=answer, identity=row["identity"]))
    return tuple(
        GateRecord(
            job_id=row["job_id"],
            seq=row["seq"],
            owner_id=row["owner_id"],
            kind=row["kind"],
            tree=row["tree"],
            reason=row["reason"],
            reviewers=tuple(json.loads(row["reviewers"])),
            opened_at=row["opened_at"],
            end=row["end"],
            closed_at=row["closed_at"],
            answers=tuple(given[(row["job_id"], row["seq"])]),
        )
        for row in rows
    )
