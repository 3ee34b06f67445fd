"""The words of a morning report, the same in a terminal, on the page and in the notice."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from thirdshift.core.event_book import Decided
from thirdshift.core.gate_summary import time_in_words
from thirdshift.core.money import NANO_PER_USD
from thirdshift.core.morning_decisions import Decide, DecideOn
from thirdshift.core.mornings import Compared, Fate, JobLine, Morning, Trouble, Waits
from thirdshift.core.text import one_line
from thirdshift.core.words import counted
from thirdshift.reports.figures import duration, money, numbered, share

FATES = {
    Fate.ACCEPTED: "accepted",
    Fate.WAITING: "waiting for a person",
    Fate.PARKED: "parked",
    Fate.STOPPED: "stopped",
    Fate.REJECTED: "rejected",
    Fate.RUNNING: "running",
    Fate.REFUSED: "refused",
    Fate.PASSED_OVER: "passed over",
    Fate.LISTED: "not begun yet",
    Fate.DONE_BEFORE: "done before",
}
"""Fates as people read them."""

_EVENTS = {
    Decided.JOB: "started a job",
    Decided.SHIFT: "went to a shift",
    Decided.DUPLICATE: "were duplicates",
    Decided.STORM: "were suppressed as a storm",
    Decided.CAPPED: "came after their rule's cap",
    Decided.UNMATCHED: "matched no rule",
    Decided.REFUSED: "were refused",
    None: "ARE NOT DECIDED YET",
}
NOTHING_TO_DECIDE = "Nothing. No gate is open, and nothing that stopped needs an answer."
NOBODY_RAN = "Nobody ran: the night began no job."


def dollars(nano: int) -> str:
    """Dollars and cents; of less than ten cents, hundredths of a cent."""
    return money(nano, 4 if 0 < nano < NANO_PER_USD // 10 else 2)


def zone_of(morning: Morning) -> tzinfo:
    """The zone whose clock the shift goes by."""
    return ZoneInfo(morning.record.row.zone)


def clock(moment: datetime, morning: Morning, *, day: bool = False) -> str:
    """The time on the shift's clock: ``03:12``, or ``Sun 03:12``."""
    local = moment.astimezone(zone_of(morning))
    return f"{local:%a %H:%M}" if day else f"{local:%H:%M}"


def night_name(morning: Morning) -> str:
    """What ``--night`` takes: the date, with the time of a night that was started by hand."""
    return morning.record.row.night.id.partition("|")[2]


def heading(morning: Morning) -> str:
    """Which shift and which night, and whether it is over."""
    night = morning.record.row.night
    name = f"{night.shift}, {night.day:%a} {night.day.day} {night.day:%b %Y}"
    by_hand = ", started by hand" if night.by_hand else ""
    return f"{name}{by_hand}{', so far' if morning.under_way else ''}"


def window_words(morning: Morning) -> str:
    """The window on the shift's clock, and when the night really began and ended."""
    row = morning.record.row
    night = row.night
    words = f"{clock(night.opens_at, morning)} to {clock(night.closes_at, morning)} {row.zone}"
    late = (row.opened_at - night.opens_at).total_seconds()
    if late >= 60:
        words += f", begun {duration(late)} late"
    if morning.under_way:
        return f"{words}; it is {clock(morning.told_at, morning, day=True)}, and the night goes on"
    words += f"; ended {clock(morning.until, morning, day=True)}"
    age = (morning.told_at - morning.until).total_seconds()
    return f"{words}, {time_in_words(age)} ago" if age >= 86_400 else words


def alarm_words(morning: Morning) -> str:
    """What broke the night off; empty where it ended as planned."""
    record = morning.record
    at = clock(morning.until, morning)
    match record.how:
        case "tripped":
            return f"THE CIRCUIT BREAKER STOPPED THIS NIGHT at {at}: {record.why or 'no reason is in the books'}"
        case "stopped":
            return f"A PERSON STOPPED THIS NIGHT at {at}: {record.why or 'no reason was given'}"
        case _:
            return ""


def came_words(morning: Morning) -> str:
    """What became of the list, in one line."""
    said = [f"{number:,} {FATES[fate]}" for fate, number in morning.counts.items() if number]
    return ", ".join(said) or "the list was empty"


def short_words(morning: Morning) -> str:
    """How it went, in one line: for the top of the page."""
    if not morning.ran:
        return NOBODY_RAN
    purse = morning.purse
    return f"{came_words(morning)}; {dollars(purse.used_nano)} of {dollars(purse.limit_nano)}"


def budget_words(morning: Morning) -> str:
    """What the night used of its limit: settled, held and unknown."""
    purse = morning.purse
    words = f"{dollars(purse.used_nano)} of {dollars(purse.limit_nano)} ({share(purse.used_nano, purse.limit_nano)})"
    parts = [f"settled {dollars(purse.settled_nano)}"]
    parts += [f"held {dollars(purse.held_nano)}"] if purse.held_nano else []
    parts += [f"unknown {dollars(purse.unknown_nano)}"] if purse.unknown_nano else []
    return f"{words}: {', '.join(parts)}" if len(parts) > 1 else words


def compared_words(compared: Compared) -> str:
    """What an accepted outcome cost, beside the trailing month."""
    return f"{each_words(compared)}; {month_words(compared)}"


def each_words(compared: Compared) -> str:
    """What an accepted outcome of this night cost."""
    if compared.tonight_nano is None:
        return "nothing was accepted, so there is no cost per accepted outcome"
    accepted = numbered(compared.accepted, "accepted outcome")
    return f"{dollars(compared.tonight_nano)} for each of {accepted}, failures included"


def month_words(compared: Compared) -> str:
    """The trailing month, and how the night compares with it."""
    if not compared.month_nights:
        return "no earlier night in the trailing month"
    nights = counted(compared.month_nights, "night")
    if compared.month_nano is None:
        return f"nothing was accepted in {nights} of the trailing month"
    month = f"{dollars(compared.month_nano)} in the trailing month ({nights}, {compared.month_accepted:,} accepted)"
    change = compared.change_percent
    if change is None:
        return month
    if change == 0:
        return f"the same as {month}"
    return f"{abs(change)}% {'more' if change > 0 else 'less'} than {month}"


def decide_words(decide: Decide) -> str:
    """What kind of decision it is, and for how long it has waited."""
    match decide.on:
        case DecideOn.GATE:
            waited = time_in_words(decide.waited_seconds or 0.0)
            whom = ", ".join(one_line(name, 40) for name in decide.reviewers) or "anybody"
            return f"{decide.kind} gate {decide.gate}, open {waited}, for {whom}"
        case DecideOn.JOB_BUDGET:
            return "out of budget"
        case DecideOn.NIGHT_BUDGET:
            return "the night's budget"
        case DecideOn.SPEC:
            return "a spec to mend"
        case DecideOn.UNKNOWN:
            return "unknown money"
        case DecideOn.BREAKER:
            return "circuit breaker"
        case _:
            return decide.on.value


def for_whom(waits: Waits) -> str:
    """Who may answer a gate."""
    return ", ".join(waits.gate.reviewers) or "anybody"


def cost_words(line: JobLine) -> str:
    """What a job cost in all, and in this night where that is less."""
    whole, tonight = line.job.whole.metered, line.tonight.metered
    return dollars(whole) if whole == tonight else f"{dollars(whole)} ({dollars(tonight)} tonight)"


def trouble_words(trouble: Trouble, morning: Morning) -> str:
    """When it was, how long it was waited for, and what may have been billed."""
    first, last = clock(trouble.first, morning), clock(trouble.last, morning)
    when = f"at {first}" if first == last else f"{first} to {last}"
    waited = f", waited {duration(trouble.waited_seconds)} in all" if trouble.waited_seconds >= 1 else ""
    billed = f", {trouble.unknown:,} may have been billed" if trouble.unknown else ""
    return f"{when}{waited}{billed}"


def event_words(morning: Morning) -> list[str]:
    """How many events came, and what was decided on them."""
    events = morning.events
    if events is None or not events.total:
        return []
    since = clock(events.since, morning, day=True)
    decided = ", ".join(f"{number:,} {_EVENTS[what]}" for what, number in events.counts.items() if number)
    return [f"{numbered(events.total, 'event')} since {since}: {decided}"]
