"""Placing a call's hold: all that is asked for, else as much as can be had, down to the floor."""

from __future__ import annotations

from dataclasses import dataclass

from activities.quoting import Priced, price_call
from activities.services import Services
from thirdshift.core.ledger import Answered, CallOpening, Conversation, DoesNotFit, Held, Ledger, MustWait

Placed = Held | Answered | DoesNotFit | MustWait


def place(ledger: Ledger, priced: Priced, floor_tokens: int) -> Placed:
    """Hold for the output that is asked for; where that can never fit, for as much of it as can, down to the floor.

    ``MustWait`` where it fits as soon as others give back what they hold. ``priced`` is changed to what was placed.
    """
    placed = ledger.place_hold(priced.opening)
    while isinstance(placed, DoesNotFit):
        smaller = priced.lowered_to(placed.free_nano, floor_tokens)
        if smaller is None:
            return placed
        priced.take(smaller)
        placed = ledger.place_hold(priced.opening)
    return placed


@dataclass(frozen=True)
class WholePlaced:
    """A second hold for a step whose first answer was cut off."""

    held: Held
    priced: Priced


def place_whole(services: Services, conversation: Conversation, cut: CallOpening) -> WholePlaced | None:
    """Hold for the rung's whole output, without waiting; None where that is no more than before, or does not fit."""
    if cut.max_output_tokens >= conversation.attempt.rung.max_output_tokens:
        return None
    priced = price_call(services, conversation, cut.key, cut.step, cut=True)
    placed = services.ledger.place_hold(priced.opening)
    return WholePlaced(placed, priced) if isinstance(placed, Held) else None
