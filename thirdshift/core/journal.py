"""The journal: what happened to a job, line by line."""

from __future__ import annotations

from datetime import datetime

from thirdshift.core.frozen import Frozen


class JournalEntry(Frozen):
    """One line of a job's progress, written in the same transaction as what it tells of.

    ``text`` is one line for people. ``data`` is for machines. Every entry has the job's money as it then stands:
    ``cost_nano`` (metered and settled), ``imputed_nano``, ``held_nano``, ``unknown_nano`` and ``budget_nano`` (with
    raises; None without a budget). By ``kind`` it has besides (lists are comma-separated ids):

    ========== ===========================================================================================
    job        title task risk repository
    plan       bytes
    attempt    owner attempt role tier model effort reason
    step       owner attempt role tier model step call state (settled, or unknown: answered at unknown cost)
               stop call_cost_nano call_hold_nano input_tokens cached_tokens output_tokens
    call       owner attempt role tier model step call state (unknown, released) call_hold_nano: no answer
    waiting    owner attempt role tier model step scope needed_nano: the call stands in line for money held by others
    reconciled owner attempt role tier model step call state (settled, released) call_cost_nano, by the vendor's bill
    tools      owner attempt role tier model step call tools count changed finished tree seconds
    verdict    owner attempt verdict passed checks_passed checks_failed checks_not_run out_of_scope tampering tree
    attempt_end owner attempt end verdict attempt_charged_nano
    budget     by_nano reviewer: a raise
    night      night night_limit_nano priority: from now on that night pays for its calls; with an empty night,
               left_night left_by: from now on none does
    parked     night: it waits for its shift's next window
    unparked   night unparked_by parked_seconds: it goes on
    delivery   done delivery (branch, merge, push, pull-request) onto url branch commit
    stop       stop_reason branch commit tree remedy
    outcome    outcome (accepted, edited, rejected, reverted) commit share (thousandths) how source
    ========== ===========================================================================================

    ``attempt`` is 0 for the plan and for a loop's baseline verdict. Other kinds are whatever ``note`` was given.
    """

    seq: int
    job_id: str
    at: datetime
    kind: str
    text: str
    data: dict[str, str | int | float | bool | None]
