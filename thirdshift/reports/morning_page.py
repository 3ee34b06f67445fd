"""The morning report as one HTML page that opens offline: no script, no file beside it, nothing fetched.

The order is that of need: what broke, what to decide, how it went, and only then why and at what cost. Links lead to
the Web UI and to pull requests, if they are web addresses; everything else is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from thirdshift.core.gate_summary import time_in_words
from thirdshift.core.morning_decisions import Decide
from thirdshift.core.mornings import Compared, Fate, JobLine, Morning, Waits
from thirdshift.core.text import visible
from thirdshift.reports.charts import safe
from thirdshift.reports.figures import numbered, share
from thirdshift.reports.morning_money import outcome_chart, per_accepted_section, spend_chart, waste_section
from thirdshift.reports.morning_style import MORNING_STYLE
from thirdshift.reports.morning_words import (
    NOTHING_TO_DECIDE,
    alarm_words,
    clock,
    cost_words,
    decide_words,
    dollars,
    event_words,
    for_whom,
    heading,
    month_words,
    short_words,
    trouble_words,
    window_words,
)
from thirdshift.reports.page_style import STYLE
from thirdshift.reports.page_tables import Cell, html_table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_DECISIONS = 12
_SHOWN = 50


def render_morning_page(morning: Morning) -> str:
    """The whole page, well under a megabyte whatever the night: long lists are cut, and say so."""
    name = heading(morning)
    parts = (
        _alarm(morning),
        _decisions(morning.decisions),
        _tiles(morning),
        _charts(morning),
        _accepted(morning),
        _waiting(morning),
        _jobs(morning, Fate.PARKED, "Parked, first to go on in the next night"),
        _jobs(morning, Fate.STOPPED, "Stopped"),
        _jobs(morning, Fate.REJECTED, "Rejected"),
        _jobs(morning, Fate.RUNNING, "Still running"),
        _lines(morning, Fate.REFUSED, "Refused: specs to mend"),
        _lines(morning, Fate.PASSED_OVER, "Passed over: on the next night's list"),
        _lines(morning, Fate.LISTED, "Not begun yet"),
        per_accepted_section(morning),
        waste_section(morning),
        _troubles(morning),
        _events(morning),
    )
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        f"<title>Night report: {safe(name)}</title><style>{STYLE}\n{MORNING_STYLE}</style></head><body><main>"
        f'<h1>{safe(name)}</h1><p class="soft">{safe(window_words(morning))}</p>'
        f'<p class="short">{safe(short_words(morning))}</p>'
        f"{''.join(parts)}</main></body></html>\n"
    )


def link(address: str, words: str) -> str:
    """A link, if it is a web address; else its words alone. Both are hostile."""
    try:
        good = urlsplit(address).scheme in ("http", "https") and visible(address) == address
    except ValueError:
        good = False
    shown = safe(words, 120)
    return f'<a href="{escape(address)}" rel="noreferrer">{shown}</a>' if good else shown


def _alarm(morning: Morning) -> str:
    words = alarm_words(morning)
    return f'<section class="alarm" role="alert">{safe(words, 600)}</section>' if words else ""


def _decisions(decisions: Sequence[Decide]) -> str:
    if not decisions:
        return f'<section class="first"><h2>To decide now</h2><p>{safe(NOTHING_TO_DECIDE)}</p></section>'
    items = "".join(_decision(decide) for decide in decisions[:_DECISIONS])
    more = len(decisions) - _DECISIONS
    rest = f'<p class="soft">and {more:,} more; all of them with --json</p>' if more > 0 else ""
    return f'<section class="first"><h2>To decide now</h2><ol class="decide">{items}</ol>{rest}</section>'


def _decision(decide: Decide) -> str:
    page = f" {link(decide.link, 'open in the Web UI')}" if decide.link else ""
    why = f'<span class="soft">{safe(decide.why, 240)}</span>' if decide.why else ""
    return (
        f'<li><span class="kind">{safe(decide_words(decide))}</span> <b>{safe(decide.what, 200)}</b>{why}'
        f'<span class="do"><code>{safe(decide.command, 300)}</code>{page}</span></li>'
    )


def _tiles(morning: Morning) -> str:
    counts, purse, compared = morning.counts, morning.purse, morning.compared
    listed = sum(counts.values())
    if not morning.ran:
        return ""
    each = compared.tonight_nano
    tiles = [
        (f"{counts[Fate.ACCEPTED]:,}", f"accepted, of {listed:,} on the list"),
        (f"{len(morning.waiting):,}", "waiting for a person"),
        (dollars(purse.used_nano), f"used of {dollars(purse.limit_nano)} ({share(purse.used_nano, purse.limit_nano)})"),
        ("none" if each is None else dollars(each), f"for each accepted outcome: {_beside_month(compared)}"),
    ]
    for nano, words in (
        (purse.unknown_nano, "of that unknown: may have been billed, at most"),
        (purse.held_nano, "of that held for calls in flight"),
        (purse.imputed_nano, "imputed: a subscription's calls at list price; in no other figure"),
    ):
        if nano:
            tiles.append((dollars(nano), words))
    return f'<div class="tiles">{"".join(_tile(figure, words) for figure, words in tiles)}</div>'


def _beside_month(compared: Compared) -> str:
    change, month = compared.change_percent, compared.month_nano
    if change is None or month is None:
        return month_words(compared)
    than = f"the trailing month's {dollars(month)}"
    return f"as {than}" if change == 0 else f"{abs(change)}% {'more' if change > 0 else 'less'} than {than}"


def _tile(figure: str, words: str) -> str:
    return f'<div class="tile"><b>{safe(figure)}</b><span>{safe(words)}</span></div>'


def _charts(morning: Morning) -> str:
    if not morning.counts or not any(morning.counts.values()):
        return ""
    spend = spend_chart(morning)
    drawn = f"<div><h2>Money over the night</h2>{spend}</div>" if spend else ""
    return f'<section class="pair">{drawn}<div><h2>What came of the list</h2>{outcome_chart(morning)}</div></section>'


def _section(name: str, number: int, body: str, shown: int = _SHOWN) -> str:
    more = number - shown
    rest = f'<p class="soft">and {more:,} more; all of them with --json</p>' if more > 0 else ""
    return f"<section><h2>{safe(name)} <small>{number:,}</small></h2>{body}{rest}</section>"


def _accepted(morning: Morning) -> str:
    found = morning.of(Fate.ACCEPTED)
    if not found:
        return ""
    return _section("Accepted", len(found), _items([_accepted_item(line) for line in found[:_SHOWN]]))


def _accepted_item(line: JobLine) -> str:
    job = line.job
    where = [link(job.url, job.url)] if job.url else []
    where += [f"<code>{safe(job.branch, 200)}</code>"] if job.branch else []
    return _item(line.title, cost_words(line), where)


def _items(items: Sequence[str]) -> str:
    return f'<ul class="jobs">{"".join(items)}</ul>'


def _item(title: str, cost: str, below: Sequence[str]) -> str:
    """``below`` is markup already."""
    lines = "".join(f"<div>{line}</div>" for line in below if line)
    return f'<li><div class="head"><b>{safe(title, 200)}</b><span class="cost">{safe(cost)}</span></div>{lines}</li>'


def _waiting(morning: Morning) -> str:
    if not morning.waiting and not morning.other_gates:
        return ""
    rows = [_wait_row(wait) for wait in morning.waiting[:_SHOWN]]
    table = html_table(("title", "gate", "for"), ("open", "cost"), rows) if rows else ""
    other = ""
    if morning.other_gates:
        gates = numbered(morning.other_gates, "gate")
        other = f'<p class="soft">{gates} of other jobs: <code>thirdshift gates</code></p>'
    return _section("Waiting for a person", len(morning.waiting), table + other)


def _wait_row(wait: Waits) -> list[Cell]:
    gate = wait.gate
    earlier = "" if wait.tonight else "left by an earlier night"
    return [
        Cell(wait.title, (earlier,)),
        Cell(f"{gate.seq} ({gate.kind})", (gate.job_id,)),
        Cell(for_whom(wait)),
        Cell(time_in_words(wait.waited_seconds), figure=True),
        Cell(dollars(wait.cost_nano), figure=True),
    ]


def _jobs(morning: Morning, fate: Fate, name: str) -> str:
    found = morning.of(fate)
    return _section(name, len(found), _items([_job_item(line) for line in found[:_SHOWN]])) if found else ""


def _job_item(line: JobLine) -> str:
    reason = line.job.fact.stop_reason
    why = safe(line.why, 400)
    if line.fate is Fate.STOPPED:
        why = f'<span class="kind">{safe(reason)}</span> {why}'
    since = f"since then: {safe(line.since)}" if line.since else ""
    command = f"<code>{safe(line.command, 300)}</code>" if line.command else ""
    return _item(line.title, cost_words(line), (why, since, command))


def _lines(morning: Morning, fate: Fate, name: str) -> str:
    found = morning.lines.get(fate, ())
    if not found:
        return ""
    rows = [
        [Cell(line.title or line.spec_path or line.key, (line.spec_path,)), Cell(line.why)] for line in found[:_SHOWN]
    ]
    return _section(name, len(found), html_table(("spec", "why"), (), rows))


def _troubles(morning: Morning) -> str:
    if not morning.troubles:
        return ""
    rows = [
        [
            Cell(trouble.provider),
            Cell(trouble.kind.replace("_", " ")),
            Cell(trouble_words(trouble, morning)),
            Cell(f"{trouble.calls:,}", figure=True),
        ]
        for trouble in morning.troubles[:_SHOWN]
    ]
    table = html_table(("provider", "what", "when"), ("calls",), rows)
    return f"<section><h2>Provider trouble</h2>{table}</section>"


def _events(morning: Morning) -> str:
    words = event_words(morning)
    said = "".join(f"<p>{safe(sentence)}</p>" for sentence in words)
    told = f'<p class="soft">As known on {safe(clock(morning.told_at, morning, day=True))}.</p>'
    return f"<section><h2>Events in</h2>{said}</section>{told}" if words else told
