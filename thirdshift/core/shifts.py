"""A shift as ops state it: which specs, in which window, on which nights, for how much money."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from thirdshift.core.frozen import Frozen
from thirdshift.core.spec import Delivery


class Weekday(StrEnum):
    """The day on whose evening, or at whose hour, a window opens."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class BreakerTerms(Frozen):
    """When a night stops itself. Each share is looked at only once there is enough to judge by."""

    spend_rate_times: Annotated[float, Field(gt=1)] = 4.0
    """Money spent, over what an even spending of the budget over the window would have spent by now."""
    spend_share_at_least: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Of the budget; below it no rate is judged."""
    failed_verdicts_share: Annotated[float, Field(gt=0, le=1)] = 0.95
    verdicts_at_least: Annotated[int, Field(ge=1)] = 20
    faulted_calls_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    calls_at_least: Annotated[int, Field(ge=1)] = 40


class ShiftPlan(Frozen):
    """A shift, whole: what its Temporal Schedule starts ``Shift`` with. Times are wall-clock times of ``zone``."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    root: str
    """Absolute directory that the globs count from. It has to be there on every host that serves shifts."""
    specs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Globs of spec files, such as ``specs/**/*.md``, read anew each night."""
    opens: time
    closes: time
    """At or before ``opens`` means on the next day."""
    zone: str
    """IANA name, such as Europe/Berlin."""
    weekdays: tuple[Weekday, ...] = tuple(Weekday)
    holidays: tuple[date, ...] = ()
    """Dates on which no window opens."""
    budget_nano: Annotated[int, Field(gt=0)]
    """Of one night; a hold scope of its own."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 1
    deliver: Delivery = Delivery.BRANCH
    """The most that is delivered without a person: a spec that asks for more gets a merge gate."""
    jitter_seconds: Annotated[float, Field(ge=0)] = 0.0
    catch_up_seconds: Annotated[float, Field(ge=10, le=24 * 3600)] = 600.0
    repeat: bool = False
    """Whether a spec that was accepted is worked on again once its base has moved, as a recurring chore is."""
    drain_seconds: Annotated[float, Field(ge=0)] = 300.0
    """So long before the window's end no step is begun any more."""
    breaker: BreakerTerms = BreakerTerms()
    submitter: str
    """Who made the shift; its jobs are theirs."""
