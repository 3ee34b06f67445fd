"""Gates, pure: who may answer one, when it is decided, and what happens when nobody answers.

A gate is bound to its number and to one tree. It is decided by answers alone; time can remind, ask others, park or
reject, and never approves. A reviewer's name in an answer is a claim, so names are compared and not trusted.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from thirdshift.core.frozen import Frozen
from thirdshift.core.money import format_usd, parse_usd
from thirdshift.core.spec import GateKind
from thirdshift.core.text import one_line

LONGEST_NOTE = 4000
LONGEST_NAME = 80
SHORT_TREE = 12
"""How much of a tree's hash is in the name of the update that approves it."""


class GateVerdict(StrEnum):
    """What a reviewer can say."""

    APPROVE = "approve"
    REWORK = "rework"
    REJECT = "reject"


class GateEnd(StrEnum):
    """How a gate closed."""

    APPROVED = "approved"
    REWORK = "rework"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Its deadline passed, and its terms say that this rejects."""
    WITHDRAWN = "withdrawn"
    """It was no longer needed: the work was stopped, or the tree changed."""


class OnExpiry(StrEnum):
    """What an unanswered gate does at its deadline. There is no way to approve."""

    PARK = "park"
    REJECT = "reject"


Seconds = Annotated[float, Field(gt=0)]


class GateTerms(Frozen):
    """Who is asked, how many of them, and for how long."""

    reviewers: tuple[str, ...] = ()
    """Empty: anybody who gives a name."""
    needed: Annotated[int, Field(ge=1, le=20)] = 1
    """Approvals by different people. One rework or reject decides at once."""
    submitter: str = ""
    separation: bool = False
    """Whether the submitter's approval is worth nothing unless somebody else's stands beside it."""
    deadline_seconds: Seconds | None = None
    remind_every_seconds: Seconds | None = None
    escalate_to: tuple[str, ...] = ()
    """Asked too when the deadline has passed once; it then begins anew, once."""
    on_expiry: OnExpiry = OnExpiry.PARK
    notify: bool = False
    """Whether there is a notifier to tell."""


class Decision(Frozen):
    """What a reviewer sends: the payload of the update ``decide``."""

    gate: int
    verdict: GateVerdict
    tree: str
    reviewer: str = ""
    note: str = ""
    usd: str = ""
    """For a budget gate: by how much to raise the cap, as a decimal string."""


class GateAnswer(Frozen):
    """A decision that was recorded."""

    verdict: GateVerdict
    reviewer: str
    note: str = ""
    usd_nano: int = 0
    at: datetime
    verified_as: str = ""
    """The name under which the server has authenticated whoever gave it; empty where it has not."""


class GateState(Frozen):
    """A gate as it stands."""

    seq: int
    kind: GateKind
    tree: str
    since: datetime
    reason: str = ""
    may_rework: bool = True
    answers: tuple[GateAnswer, ...] = ()
    reminded: int = 0
    escalated: bool = False
    parked: bool = False
    end: GateEnd | None = None

    @property
    def short_tree(self) -> str:
        """As much of the hash as names of updates carry."""
        return self.tree[:SHORT_TREE]

    @property
    def approve_name(self) -> str | None:
        """The update that approves this gate alone; none where an approval needs more than a name."""
        return None if self.kind is GateKind.BUDGET else f"approve-g{self.seq}-{self.short_tree}"

    def raised_nano(self) -> int:
        """What the approvals agree on raising the cap by: the least of their amounts."""
        return min((a.usd_nano for a in self.answers if a.verdict is GateVerdict.APPROVE), default=0)


class Alarm(StrEnum):
    """What time does to an open gate."""

    REMIND = "remind"
    ESCALATE = "escalate"
    EXPIRE = "expire"


def not_recorded(what: str, remedy: str) -> str:
    """A refusal: that nothing was recorded, why, and what to do."""
    return f"NOT RECORDED. {what} {remedy}"


def same_person(one: str, other: str) -> bool:
    """Whether two names mean one person: case, spacing and ways of writing a letter do not count."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def answered(state: GateState, decision: Decision, at: datetime) -> GateState:
    """The gate with this decision, which ``validate`` let pass, recorded."""
    answer = GateAnswer(
        verdict=decision.verdict,
        reviewer=" ".join(decision.reviewer.split()),
        note=decision.note.strip(),
        usd_nano=parse_usd(decision.usd.strip()) if decision.usd.strip() else 0,
        at=at,
    )
    return state.model_copy(update={"answers": (*state.answers, answer)})


def outcome(state: GateState, terms: GateTerms) -> GateEnd | None:
    """How the gate is decided; None while it is not. Nothing but enough approvals approves."""
    if state.end is not None:
        return state.end
    given = [answer.verdict for answer in state.answers]
    if GateVerdict.REJECT in given:
        return GateEnd.REJECTED
    if GateVerdict.REWORK in given:
        return GateEnd.REWORK
    approvals = [answer for answer in state.answers if answer.verdict is GateVerdict.APPROVE]
    others = [a for a in approvals if not (terms.separation and same_person(a.reviewer, terms.submitter))]
    return GateEnd.APPROVED if len(approvals) >= terms.needed and others else None


def next_alarm(state: GateState, terms: GateTerms) -> tuple[datetime, Alarm] | None:
    """What time will do next to an open gate, and when; None when it is waited for without end.

    Reminders come every ``remind_every_seconds`` until the deadline; a parked gate is left in peace.
    """
    if state.parked or state.end is not None:
        return None
    found: list[tuple[datetime, Alarm]] = []
    if terms.deadline_seconds is not None:
        rounds = 2 if state.escalated else 1
        again = bool(terms.escalate_to) and not state.escalated
        due = state.since + timedelta(seconds=terms.deadline_seconds * rounds)
        found.append((due, Alarm.ESCALATE if again else Alarm.EXPIRE))
    if terms.remind_every_seconds is not None:
        due = state.since + timedelta(seconds=terms.remind_every_seconds * (state.reminded + 1))
        found.append((due, Alarm.REMIND))
    return min(found, key=lambda alarm: alarm[0], default=None)


def after_alarm(state: GateState, terms: GateTerms, alarm: Alarm, now: datetime) -> GateState:
    """The gate once an alarm has gone off."""
    match alarm:
        case Alarm.REMIND:
            # Reminders that came due while no worker was up are one reminder, not a burst of them.
            every = timedelta(seconds=terms.remind_every_seconds or 1)
            return state.model_copy(update={"reminded": max(state.reminded + 1, (now - state.since) // every)})
        case Alarm.ESCALATE:
            return state.model_copy(update={"escalated": True})
        case Alarm.EXPIRE if terms.on_expiry is OnExpiry.REJECT:
            return state.model_copy(update={"end": GateEnd.EXPIRED})
        case Alarm.EXPIRE:
            return state.model_copy(update={"parked": True})


def log_line(state: GateState, answer: GateAnswer) -> str:
    """One line of the decision log. The name is a claim, and shown as such."""
    usd = f", raises by ${format_usd(answer.usd_nano)}" if answer.usd_nano else ""
    note = f": {one_line(answer.note, 160)}" if answer.note else ""
    name = one_line(answer.reviewer, LONGEST_NAME)
    return f"{answer.at:%Y-%m-%d %H:%M} g{state.seq} {state.kind} {answer.verdict} by {name} (claimed){usd}{note}"
