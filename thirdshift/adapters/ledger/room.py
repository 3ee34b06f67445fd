"""Whether a hold fits its scopes: now, or once what others hold has come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from thirdshift.core.ledger import CallOpening, DoesNotFit, MustWait, Scope, ScopeKind


@dataclass(frozen=True)
class Ahead:
    """The calls that stand in a scope's line before this one, and what they need together."""

    calls: int = 0
    needed_nano: int = 0


@dataclass(frozen=True)
class Room:
    """One limited scope as a call finds it, its row locked."""

    scope_id: int
    scope: Scope
    """With every raise in its limit."""
    settled_nano: int
    held_nano: int
    unknown_nano: int
    ahead: Ahead = Ahead()

    @property
    def _unspent(self) -> int:
        return (self.scope.limit_nano or 0) - self.settled_nano - self.unknown_nano

    @property
    def free_now(self) -> int:
        """Below zero where a limit was lowered after it was spent."""
        return self._unspent - self.held_nano

    @property
    def free_later(self) -> int:
        """What is free if every hold comes back whole."""
        return self._unspent

    @property
    def free_for_me(self) -> int:
        """What is free now and not wanted by those ahead."""
        return self.free_now - self.ahead.needed_nano


def room_in(row: RowMapping, scope: Scope, scope_id: int, ahead: Ahead) -> Room:
    """The room that a scope's row shows."""
    limit = (scope.limit_nano or 0) + row["raised_nano"]
    return Room(
        scope_id=scope_id,
        scope=Scope(kind=scope.kind, key=scope.key, limit_nano=limit),
        settled_nano=row["settled_nano"],
        held_nano=row["held_nano"],
        unknown_nano=row["unknown_nano"],
        ahead=ahead,
    )


def refusal(opening: CallOpening, rooms: Sequence[Room]) -> DoesNotFit | None:
    """Why the hold cannot be had: at once, or, for a call that may wait, at all."""
    tightest: DoesNotFit | None = None
    for scope in opening.scopes:
        if scope.kind is ScopeKind.CALL and scope.limit_nano is not None and opening.hold_nano > scope.limit_nano:
            tightest = DoesNotFit(scope=scope, settled_nano=0, held_nano=0, free_nano=scope.limit_nano)
    for room in rooms:
        free = room.free_later if opening.may_wait else room.free_now
        if opening.hold_nano <= free or (tightest is not None and tightest.free_nano <= free):
            continue
        tightest = DoesNotFit(
            scope=room.scope,
            settled_nano=room.settled_nano,
            held_nano=room.held_nano,
            unknown_nano=room.unknown_nano,
            free_nano=max(0, free),
        )
    return tightest


def wait_needed(opening: CallOpening, rooms: Sequence[Room]) -> MustWait | None:
    """The scope with the least room for a call that fits them all later, and not now."""
    if not opening.may_wait:
        return None
    short = [room for room in rooms if opening.hold_nano > room.free_for_me]
    if not short:
        return None
    room = min(short, key=lambda found: found.free_for_me)
    return MustWait(
        scope=room.scope,
        settled_nano=room.settled_nano,
        held_nano=room.held_nano,
        unknown_nano=room.unknown_nano,
        needed_nano=opening.hold_nano,
        ahead=room.ahead.calls,
    )
