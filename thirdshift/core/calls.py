"""Calls and their money: who asks, what is set aside, where it is booked, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from thirdshift.core.frozen import Frozen
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Tier
from thirdshift.core.usage import Usage

Role = Literal["plan", "code", "review", "verify"]


class CallState(StrEnum):
    """Where the money of a call stands."""

    HELD = "held"
    SETTLED = "settled"
    UNKNOWN = "unknown"
    RELEASED = "released"


class ScopeKind(StrEnum):
    """What a budget can be set on."""

    CALL = "call"
    ATTEMPT = "attempt"
    LOOP = "loop"
    JOB = "job"
    SHIFT = "shift"
    REPOSITORY_DAY = "repository_day"
    REPOSITORY_MONTH = "repository_month"
    TEAM_DAY = "team_day"
    TEAM_MONTH = "team_month"


class Scope(Frozen):
    """One budget that a call counts against. ``limit_nano`` None: counted, not limited."""

    kind: ScopeKind
    key: str
    limit_nano: int | None


class CallKey(Frozen):
    """Who asks for a call. A Temporal reset changes ``run_id``; a retry changes ``attempt``."""

    workflow_id: str
    run_id: str
    activity_id: str
    attempt: int


class CallOpening(Frozen):
    """A call about to be sent. ``request_hash`` covers everything the vendor would see."""

    key: CallKey
    job_id: str
    owner_id: str
    attempt_number: int
    step: int
    role: Role
    model: str
    tier: Tier
    reason: ReasonCode
    request_hash: str
    hold_nano: int
    input_bound_tokens: int
    max_output_tokens: int
    price_snapshot: str
    scopes: tuple[Scope, ...]
    billing: Literal["metered", "imputed"] = "metered"
    opened_at: datetime
    sent_messages: int | None = None
    """How many messages of the conversation the request carries; None: the least that it can be."""
    may_wait: bool = False
    """Whether to stand in line for money that others hold and may give back, rather than be refused."""
    priority: int = 0
    """Place in that line: the highest first, then who came first."""


class Held(Frozen):
    """The hold fits every scope; the call may be sent."""

    call_id: int
    tries_before: int = 0
    """Calls that the same activity opened for this step before this one."""


class Answered(Frozen):
    """This call was answered before; its stored answer is to be used and nothing is sent."""

    call_id: int


class DoesNotFit(Frozen):
    """A scope has no room for the hold; no money was set aside. ``free_nano`` is what is left in the tightest.

    ``scope.limit_nano`` is the limit with every raise. What is held may come back, what is settled will not. To a call
    that may wait, ``free_nano`` counts what others hold as free: it would not fit even if all of that came back.
    """

    scope: Scope
    settled_nano: int
    held_nano: int
    unknown_nano: int = 0
    free_nano: int


class MustWait(Frozen):
    """A scope has no room now, and has it if what others hold comes back: ask again soon, the place in line is kept.

    A place that is not asked for again within ``WAITER_FORGOTTEN_SECONDS`` is lost.
    """

    scope: Scope
    settled_nano: int
    held_nano: int
    unknown_nano: int
    needed_nano: int
    ahead: int
    """How many calls stand before this one in that scope's line."""


WAITER_FORGOTTEN_SECONDS = 30.0


class ScopeTotals(Frozen):
    """A budget as it stands: metered money alone. ``limit_nano`` has every raise; None is no limit."""

    limit_nano: int | None
    settled_nano: int
    held_nano: int
    unknown_nano: int

    @property
    def free_nano(self) -> int | None:
        """What a call may still hold now."""
        if self.limit_nano is None:
            return None
        return self.limit_nano - self.settled_nano - self.held_nano - self.unknown_nano


class Raise(Frozen):
    """A person raises a limit. ``raise_id`` names the raise itself, so that telling of it twice raises once."""

    raise_id: str
    kind: ScopeKind
    key: str
    by_nano: Annotated[int, Field(gt=0)]
    reviewer: str
    at: datetime


class CallRow(Frozen):
    """A call as it stands in the books."""

    call_id: int
    job_id: str
    owner_id: str
    attempt_number: int
    step: int
    role: Role
    model: str
    served_model: str
    tier: Tier
    reason: ReasonCode
    state: CallState
    hold_nano: int
    cost_nano: int
    """The true cost when settled, the hold while held or unknown, 0 when released."""
    usage: Usage | None
    stop: str
    seconds: float
    note: str
    """Why it is unknown or released, or what was odd about its answer."""
    opened_at: datetime
    closed_at: datetime | None
