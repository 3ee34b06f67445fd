"""From the books to the answers of a report."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from thirdshift.core.periods import Period
from thirdshift.core.questions import FactBook
from thirdshift.core.reckoning import Answers, reckon


def answers_for(books: FactBook, period: Period, job_id: str | None = None) -> Answers:
    """What the books say about a period; of one job, where one is named. Blocks for a second on a million calls."""
    with nothing_collected():
        return reckon(books.facts(period, job_id), period)


@contextmanager
def nothing_collected() -> Iterator[None]:
    """A hundred thousand rows are made and kept; looking for garbage among them again and again takes half a second."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
