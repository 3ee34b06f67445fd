"""Telling people that something waits for them: the port, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from thirdshift.core.errors import ThirdshiftError
from thirdshift.core.frozen import Frozen
from thirdshift.core.spec import GateKind
from thirdshift.core.text import one_line


class NoticeNotSent(ThirdshiftError):
    """Some or all of the services would not take a notice; the text names no address, since addresses hold keys."""


class Notice(Frozen):
    """Plain words, without markup."""

    title: str
    body: str


class Notifier(Protocol):
    """A way to reach people."""

    def send(self, notice: Notice, to: Sequence[str]) -> None:
        """Blocking. ``to`` are names of reviewers; none: whoever hears of every gate. Raises NoticeNotSent."""
        ...


_WHAT = {
    "opened": "waits for your decision",
    "reminder": "still waits for your decision",
    "escalated": "was not answered in time, and you are asked instead",
    "parked": "was not answered in time; it is parked, and an answer still counts",
    "expired": "was not answered in time and counts as rejected",
}


def gate_notice(job_title: str, job_id: str, seq: int, kind: GateKind, what: str, links: Sequence[str]) -> Notice:
    """The notice of a gate, with the direct link to it first."""
    title = one_line(f"[thirdshift] gate {seq} ({kind}): {job_title}", 120)
    lines = [f"Gate {seq} ({kind}) of {job_id} {_WHAT[what]}.", one_line(job_title, 200), "", *links]
    return Notice(title=title, body="\n".join(lines))
