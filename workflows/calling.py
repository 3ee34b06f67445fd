"""A model call as a workflow makes it: again where it could not be made yet, for a reason that is not the vendor's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thirdshift.core.calls import ScopeKind
from thirdshift.signatures import ModelCalled
from workflows.halting import Brake

WINDOW_CLOSED = "window"
"""The fault of a call that was not sent: the books say that its job's window is over."""


async def answered(brake: Brake, call: Callable[[], Awaitable[ModelCalled | None]]) -> ModelCalled | None:
    """The answer, or the fault that stays. None where it was cut off, and is not to be made again.

    A call for which the night has no time or no money left is not the end of an attempt: the work parks, and the same
    step is asked for in the next window.
    """
    while True:
        called = await brake.through(call, brake.spent)
        if called is None or not _parks(brake, called):
            return called
        await brake.clearance()
        if brake.spent():
            return None


def _parks(brake: Brake, called: ModelCalled) -> bool:
    kind, _, key = called.scope.partition(" ")
    shift = key.partition("|")[0]
    if called.fault == WINDOW_CLOSED:
        brake.hours.shut(called.note or "the books say that its window is over", shift)
        return True
    if called.fault == "budget" and kind == ScopeKind.SHIFT:
        brake.hours.shut(f"the night's money is spent: {called.note}", shift)
        return True
    return False
