"""The morning report in a terminal: eighty columns, what to decide first, and empty parts left out."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.gate_summary import time_in_words
from thirdshift.core.morning_decisions import Decide
from thirdshift.core.mornings import Fate, JobLine, Morning
from thirdshift.core.night_book import NightLine
from thirdshift.core.notices import Notice
from thirdshift.core.text import one_line
from thirdshift.core.views import Spend
from thirdshift.core.waste import Cause
from thirdshift.reports.columns import Column, field, table, wrapped
from thirdshift.reports.figures import beside, share
from thirdshift.reports.morning_words import (
    NOBODY_RAN,
    NOTHING_TO_DECIDE,
    alarm_words,
    budget_words,
    came_words,
    compared_words,
    cost_words,
    decide_words,
    dollars,
    each_words,
    event_words,
    for_whom,
    heading,
    month_words,
    night_name,
    trouble_words,
    window_words,
)
from thirdshift.reports.questions_text import CAUSES

_DECISIONS = 12
_SHOWN = 20


def render_morning(morning: Morning) -> str:
    """The report as text of at most eighty columns, but for commands and links, which are never broken."""
    parts = [
        _alarm(morning),
        _head(morning),
        _decisions(morning.decisions),
        _accepted(morning),
        _waiting(morning),
        _parked(morning),
        _stopped(morning),
        _left(morning),
        _waste(morning),
        _troubles(morning),
        _events(morning),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _alarm(morning: Morning) -> list[str]:
    words = alarm_words(morning)
    return wrapped(one_line(words, 400), indent="") if words else []


def _head(morning: Morning) -> list[str]:
    said = [field("night", heading(morning)), *_field("", window_words(morning)), *_field("list", came_words(morning))]
    if not morning.ran:
        said += _field("", NOBODY_RAN)
    said += _field("money", budget_words(morning))
    if morning.ran:
        said += _field("each", compared_words(morning.compared))
    apart = Spend(imputed_nano=morning.purse.imputed_nano)
    return [*said, *(line for sentence in beside(apart) for line in wrapped(sentence, indent=" " * 10))]


def _field(name: str, value: str) -> list[str]:
    first, *rest = wrapped(value, indent=" " * 10)
    return [field(name, first.strip()), *rest]


def _decisions(decisions: Sequence[Decide]) -> list[str]:
    if not decisions:
        return ["TO DECIDE NOW", f"  {NOTHING_TO_DECIDE}"]
    lines = ["TO DECIDE NOW"]
    for number, decide in enumerate(decisions[:_DECISIONS], start=1):
        first, *rest = wrapped(f"{decide_words(decide)}: {one_line(decide.what, 200)}", indent="     ")
        lines += [f"{number:>3}. {first.strip()}", *rest]
        if decide.why:
            lines += wrapped(one_line(decide.why, 200), indent="     ")
        lines.append(f"     {decide.command}")
        if decide.link:
            lines.append(f"     {decide.link}")
    more = len(decisions) - _DECISIONS
    return [*lines, f"  and {more:,} more; all of them with --json"] if more > 0 else lines


def _titled(name: str, number: int) -> str:
    return f"{name} ({number:,})"


def _rest(more: int) -> list[str]:
    return [f"  and {more:,} more; all of them with --json"] if more > 0 else []


def _job(line: JobLine, *below: str) -> list[str]:
    said = [f"  {one_line(line.title, 76)}"]
    for words in below:
        said += wrapped(one_line(words, 320), indent="    ") if words else []
    return said


def _accepted(morning: Morning) -> list[str]:
    found = morning.of(Fate.ACCEPTED)
    if not found:
        return ["ACCEPTED", "  nothing"] if morning.ran else []
    lines = [_titled("ACCEPTED", len(found))]
    for line in found[:_SHOWN]:
        where = line.job.url or line.job.branch
        lines += _job(line, f"{cost_words(line)}, {line.job_id}")
        lines += [f"    {one_line(where, 400)}"] if where else []
    return [*lines, *_rest(len(found) - _SHOWN)]


def _waiting(morning: Morning) -> list[str]:
    if not morning.waiting and not morning.other_gates:
        return []
    columns = (
        Column("open", figures=True),
        Column("gate", figures=True),
        Column("kind"),
        Column("for", shrinks=True),
        Column("title", shrinks=True),
        Column("cost", figures=True),
    )
    rows = [
        [
            time_in_words(wait.waited_seconds),
            str(wait.gate.seq),
            wait.gate.kind.value,
            for_whom(wait),
            wait.title,
            dollars(wait.cost_nano),
        ]
        for wait in morning.waiting[:_SHOWN]
    ]
    lines = [_titled("WAITING FOR A PERSON", len(morning.waiting))]
    lines += table(columns, rows) if rows else []
    lines += _rest(len(morning.waiting) - _SHOWN)
    if morning.other_gates:
        lines.append(f"  and {morning.other_gates:,} of other jobs: thirdshift gates")
    return lines


def _parked(morning: Morning) -> list[str]:
    found = morning.of(Fate.PARKED)
    if not found:
        return []
    lines = [_titled("PARKED, FIRST TO GO ON IN THE NEXT NIGHT", len(found))]
    for line in found[:_SHOWN]:
        since = f"since then: {line.since}" if line.since else ""
        lines += _job(line, line.why, f"{cost_words(line)}, {line.job_id}", since)
    return [*lines, *_rest(len(found) - _SHOWN)]


def _stopped(morning: Morning) -> list[str]:
    lines: list[str] = []
    for fate, name in ((Fate.STOPPED, "STOPPED"), (Fate.REJECTED, "REJECTED"), (Fate.RUNNING, "STILL RUNNING")):
        found = morning.of(fate)
        if not found:
            continue
        lines += ["", _titled(name, len(found))] if lines else [_titled(name, len(found))]
        for line in found[:_SHOWN]:
            reason = line.job.fact.stop_reason
            why = f"{reason}: {line.why}" if fate is Fate.STOPPED else line.why
            lines += _job(line, why, f"{cost_words(line)}, {line.job_id}")
            lines += [f"    {line.command}"] if line.command else []
        lines += _rest(len(found) - _SHOWN)
    return lines


def _left(morning: Morning) -> list[str]:
    lines: list[str] = []
    for fate, name in ((Fate.REFUSED, "REFUSED"), (Fate.PASSED_OVER, "PASSED OVER"), (Fate.LISTED, "NOT BEGUN YET")):
        found = morning.lines.get(fate, ())
        if found:
            lines += ["", _titled(name, len(found))] if lines else [_titled(name, len(found))]
            lines += [row for line in found[:_SHOWN] for row in _line(line)]
            lines += _rest(len(found) - _SHOWN)
    return lines


def _line(line: NightLine) -> list[str]:
    name = one_line(line.title or line.spec_path or line.key, 76)
    return [f"  {name}", *(wrapped(one_line(line.why, 320), indent="    ") if line.why else [])]


def _waste(morning: Morning) -> list[str]:
    total = morning.waste.total.metered
    if not total:
        return []
    rows = [
        [CAUSES[cause], dollars(found.metered), share(found.metered, total)]
        for cause in Cause
        if (found := morning.waste.by_cause[cause]).metered
    ]
    lines = ["WHERE THE MONEY WENT", *table((Column("bucket"), Column("metered", True), Column("", True)), rows)]
    under_way = morning.waste.under_way.metered
    return lines + (wrapped(f"Of no outcome, {dollars(under_way)} is of jobs not finished yet.") if under_way else [])


def _troubles(morning: Morning) -> list[str]:
    if not morning.troubles:
        return []
    lines = ["PROVIDER TROUBLE"]
    for trouble in morning.troubles[:_SHOWN]:
        what = f"{trouble.provider}: {trouble.kind}, {trouble.calls:,} calls, {trouble_words(trouble, morning)}"
        lines += wrapped(one_line(what, 300))
    return [*lines, *_rest(len(morning.troubles) - _SHOWN)]


def _events(morning: Morning) -> list[str]:
    """Events in a few lines; nothing where none came."""
    words = event_words(morning)
    return ["EVENTS", *(line for sentence in words for line in wrapped(sentence))] if words else []


_IN_A_NOTICE = 5


def morning_notice(morning: Morning, page: str) -> Notice:
    """The few lines that matter, for mail and chat; ``page`` is where the report is."""
    night = morning.record.row.night
    waits = f"{len(morning.decisions)} to decide; " if morning.decisions else ""
    title = one_line(f"[thirdshift] {night.shift} {night_name(morning)}: {waits}{came_words(morning)}", 100)
    lines = [alarm_words(morning), f"Money: {budget_words(morning)}."]
    if morning.ran:
        lines += [f"Cost: {each_words(morning.compared)};", f"{month_words(morning.compared)}."]
    shown = morning.decisions[:_IN_A_NOTICE]
    if shown:
        lines += ["", "To decide now:"]
    for decide in shown:
        lines += [f"- {decide_words(decide)}: {one_line(decide.what, 100)}", f"  {decide.command}"]
    more = len(morning.decisions) - len(shown)
    lines += [f"- and {more} more"] if more > 0 else []
    lines += [
        "",
        f"Report: {page}" if page else "",
        f"thirdshift shift report {night.shift} --night {night_name(morning)}",
    ]
    return Notice(title=title, body="\n".join(one_line(line, 400) if line.strip() else "" for line in lines).strip())
