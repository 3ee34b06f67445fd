"""Which event of a fingerprint stands for the others."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.event_book import EventBook, EventRecord
from thirdshift.core.triage import Rule, standing_of

_READ_AT_ONCE = 200
"""Events that are looked through at a time."""


def foremost(book: EventBook, rules: Sequence[Rule], newest: EventRecord) -> EventRecord:
    """Of those undecided that the earliest rule wants, the newest; the newest of all where no rule wants any. Blocks.

    They are about the same thing and may differ in facts, of which a stranger may choose some: what no rule wants,
    however new, is not to hide what one does.
    """
    best, best_standing, after = newest, standing_of(rules, newest.event), 0
    while best_standing > 0:
        page = book.undecided(newest.event.repository, newest.event.fingerprint, _READ_AT_ONCE, after=after)
        for older in page:
            standing = standing_of(rules, older.event)
            newer_of_the_same = standing == best_standing and best is not newest
            if older.number < newest.number and (standing < best_standing or newer_of_the_same):
                best, best_standing = older, standing
        if len(page) < _READ_AT_ONCE or page[-1].number >= newest.number:
            break
        after = page[-1].number
    return best
