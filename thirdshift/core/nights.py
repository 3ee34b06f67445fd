"""Nights: the instants of one window of a shift."""

from __future__ import annotations

from datetime import date, datetime

from thirdshift.core.frozen import Frozen


class Night(Frozen):
    """One window of a shift, as instants. ``id`` is also the key of the night's budget scope."""

    id: str
    """``<shift>|<date>``; started by hand outside its window, ``<shift>|<date>#<hour>:<minute>:<second>``, in UTC."""
    shift: str
    day: date
    """The local date on which the window opens."""
    opens_at: datetime
    drains_at: datetime
    """No step is begun from here on."""
    closes_at: datetime
    """Whatever still runs is cut off here."""
    by_hand: bool = False


class NightWindow(Frozen):
    """The part of a night that a job and its loops keep to, and the workflow that wants to hear of them."""

    night: str
    """``Night.id``."""
    shift_workflow: str
    """Id of the ``Shift`` workflow of that night."""
    drains_at: datetime
    closes_at: datetime
