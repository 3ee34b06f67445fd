"""The budget scopes of a call: what they are called, and which apply."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Annotated

from pydantic import Field

from thirdshift.core.calls import Scope, ScopeKind
from thirdshift.core.frozen import Frozen

Limit = Annotated[int, Field(ge=0)] | None


class BudgetLimits(Frozen):
    """Limits in nano-dollars for each kind of scope; None is counted and not limited."""

    call_nano: Limit = None
    attempt_nano: Limit = None
    loop_nano: Limit = None
    job_nano: Limit = None
    shift_nano: Limit = None
    repository_day_nano: Limit = None
    repository_month_nano: Limit = None
    team_day_nano: Limit = None
    team_month_nano: Limit = None


class Payer(Frozen):
    """Whose money a call is."""

    job_id: str
    owner_id: str
    """The loop, or the job for its plan."""
    attempt_number: int
    repository: str
    team: str = "default"
    shift: str | None = None


def attempt_scope_key(owner_id: str, number: int) -> str:
    """The key of an attempt's scope."""
    return f"{owner_id}#{number}"


def scopes_of(payer: Payer, limits: BudgetLimits, now: datetime, zone: tzinfo) -> tuple[Scope, ...]:
    """Every scope that a call made ``now`` counts against, days and months being those of ``zone``.

    A call belongs to the day on which it was opened, also when it is settled after midnight.
    """
    local = now.astimezone(zone)
    day, month = local.strftime("%Y-%m-%d"), local.strftime("%Y-%m")
    attempt = attempt_scope_key(payer.owner_id, payer.attempt_number)
    found = [
        Scope(kind=ScopeKind.CALL, key="", limit_nano=limits.call_nano),
        Scope(kind=ScopeKind.ATTEMPT, key=attempt, limit_nano=limits.attempt_nano),
        Scope(kind=ScopeKind.JOB, key=payer.job_id, limit_nano=limits.job_nano),
        Scope(kind=ScopeKind.REPOSITORY_DAY, key=f"{payer.repository}|{day}", limit_nano=limits.repository_day_nano),
        Scope(
            kind=ScopeKind.REPOSITORY_MONTH, key=f"{payer.repository}|{month}", limit_nano=limits.repository_month_nano
        ),
        Scope(kind=ScopeKind.TEAM_DAY, key=f"{payer.team}|{day}", limit_nano=limits.team_day_nano),
        Scope(kind=ScopeKind.TEAM_MONTH, key=f"{payer.team}|{month}", limit_nano=limits.team_month_nano),
    ]
    if payer.owner_id != payer.job_id:
        found.append(Scope(kind=ScopeKind.LOOP, key=payer.owner_id, limit_nano=limits.loop_nano))
    if payer.shift is not None:
        found.append(Scope(kind=ScopeKind.SHIFT, key=payer.shift, limit_nano=limits.shift_nano))
    return tuple(found)
