"""A shift as people write it, in a file's keys or in options, read as a ``ShiftPlan``; every finding at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from pydantic import ValidationError

from thirdshift.core.findings import closest
from thirdshift.core.money import parse_usd
from thirdshift.core.nights import usual_length
from thirdshift.core.shift_words import span
from thirdshift.core.shifts import BreakerTerms, ShiftPlan, Weekday
from thirdshift.core.spec import Delivery
from thirdshift.core.text import one_line

Complain = Callable[[str, str], None]
"""Key, and what is wrong with it, with the remedy."""

KEYS = (
    "name", "root", "specs", "window", "tz", "budget_usd", "concurrency", "deliver", "weekdays", "holidays", "jitter",
    "catch_up", "drain", "repeat", "breaker",
)  # fmt: skip
REQUIRED = {
    "specs": "the specs of a night, like specs/**/*.md",
    "window": "when a night opens and closes, like 22:00-06:00",
    "tz": "the zone of the window's times, like Europe/Berlin",
    "budget_usd": "the most that a night may cost, like 40",
}
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST_SPECS, _MOST_HOLIDAYS = 100, 2000
_LEAST_CATCH_UP, _MOST_CATCH_UP = 10, 24 * 3600


def read_shift(
    given: Mapping[str, Any], submitter: str, zone_remedy: Callable[[str], str], complain: Complain
) -> ShiftPlan | None:
    """The plan; None where anything is wrong, all of which ``complain`` has been told.

    ``given`` has ``KEYS`` with the values that TOML gives, or text for each. ``zone_remedy`` says what to write in
    place of a zone that is not known, and nothing where it is.
    """
    reading = _Reading(given, zone_remedy, complain)
    for key in given:
        if key not in KEYS:
            meant = closest(key, list(KEYS))
            reading.refuse(key, f"unknown key; {f'did you mean `{meant}`?' if meant else 'known: ' + ', '.join(KEYS)}")
    opens, closes = reading.window()
    values = {
        "name": reading.name(),
        "root": str(given.get("root", "")),
        "specs": reading.specs(),
        "opens": opens,
        "closes": closes,
        "zone": reading.zone(),
        "weekdays": reading.weekdays(),
        "holidays": reading.holidays(),
        "budget_nano": reading.budget_nano(),
        "concurrency": reading.concurrency(),
        "deliver": reading.deliver(),
        "jitter_seconds": reading.seconds("jitter", 0.0),
        "catch_up_seconds": reading.seconds("catch_up", 600.0),
        "drain_seconds": reading.seconds("drain", 300.0),
        "repeat": reading.flag("repeat"),
        "breaker": reading.breaker(),
        "submitter": submitter,
    }
    if reading.refused:
        return None
    plan = ShiftPlan.model_validate(values)
    return plan if _fits_window(plan, reading) else None


class _Reading:
    """One reading. A value that is refused reads as something harmless, so that the others are looked at as well."""

    def __init__(self, given: Mapping[str, Any], zone_remedy: Callable[[str], str], complain: Complain) -> None:
        self.refused = False
        self._given = given
        self._zone_remedy = zone_remedy
        self._complain = complain

    def refuse(self, key: str, message: str) -> None:
        self.refused = True
        self._complain(key, message)

    def name(self) -> str:
        name = self._given.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.refuse("name", f"{_shown(name)} is no name of a shift; up to 40 of a-z, 0-9 and -, not - first")
            return ""
        return name

    def specs(self) -> tuple[str, ...]:
        globs = self._texts("specs")
        for glob in globs:
            if not glob.strip() or glob.startswith(("/", "~")) or ".." in glob.split("/"):
                self.refuse("specs", f"{_shown(glob)} is no path below the shift's root; write one like specs/**/*.md")
        return globs

    def window(self) -> tuple[time, time]:
        text = self._text("window")
        opens, _, closes = (text or "").replace(" ", "").partition("-")
        found = _clock(opens), _clock(closes)
        if text is not None and None in found:
            self.refuse("window", f"{_shown(text)} is no window; write two times of the day, like 22:00-06:00")
        return found[0] or time(0), found[1] or time(0)

    def zone(self) -> str:
        zone = self._text("tz")
        if zone is not None and (remedy := self._zone_remedy(zone)):
            self.refuse("tz", f"{_shown(zone)} is no time zone; {remedy}")
        return zone or ""

    def weekdays(self) -> tuple[Weekday, ...]:
        found: set[Weekday] = set()
        order = list(Weekday)
        parts = [part for text in self._texts("weekdays") for part in text.lower().replace(" ", "").split(",")]
        for part in parts:
            first, dash, last = part.partition("-")
            if first not in order or (dash and last not in order):
                self.refuse("weekdays", f"{_shown(part)} is no weekday; write days like mon-fri or mon,wed,sat")
                continue
            at = order.index(Weekday(first))
            steps = (order.index(Weekday(last)) - at) % 7 if dash else 0
            found |= {order[(at + step) % 7] for step in range(steps + 1)}
        return tuple(day for day in order if day in found or "weekdays" not in self._given)

    def holidays(self) -> tuple[date, ...]:
        given = self._given.get("holidays", ())
        entries = given.split(",") if isinstance(given, str) else given
        found: set[date] = set()
        for entry in entries if isinstance(entries, list | tuple) else [entries]:
            day = _date(entry)
            if day is None:
                self.refuse("holidays", f"{_shown(entry)} is no date like 2026-12-24, and no .ics file")
            else:
                found.add(day)
        if len(found) > _MOST_HOLIDAYS:
            self.refuse("holidays", f"names {len(found)} dates; at most {_MOST_HOLIDAYS} are taken")
        return tuple(sorted(found))

    def budget_nano(self) -> int:
        text = self._text("budget_usd", 'money is text, like budget_usd = "40"')
        try:
            nano = parse_usd(text) if text is not None else 1
        except ValueError as error:
            self.refuse("budget_usd", str(error))
            return 1
        if nano == 0:
            self.refuse("budget_usd", "must be more than 0: a night without money does nothing")
        return nano

    def flag(self, key: str) -> bool:
        value = self._given.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, f"{_shown(value)} must be true or false, without quotes")
            return False
        return value

    def concurrency(self) -> int:
        number = self._given.get("concurrency", 1)
        if type(number) is not int or not 1 <= number <= 1000:
            self.refuse("concurrency", f"{_shown(number)} must be a whole number from 1 to 1000: jobs at once")
            return 1
        return number

    def deliver(self) -> Delivery:
        word = self._given.get("deliver", Delivery.BRANCH)
        known = [str(one) for one in Delivery]
        if word not in known:
            meant = closest(word, known) if isinstance(word, str) else None
            remedy = f"did you mean `{meant}`?" if meant else f"it is one of {', '.join(known)}"
            self.refuse("deliver", f"{_shown(word)} is not known; {remedy}")
            return Delivery.BRANCH
        return Delivery(word)

    def seconds(self, key: str, default: float) -> float:
        text = self._given.get(key)
        if text is None:
            return default
        match = _DURATION.fullmatch(text) if isinstance(text, str) else None
        if match is None or not any(match.groups()):
            self.refuse(key, f"{_shown(text)} is no duration; write text with its unit, like 2m, 90s or 1h30m")
            return default
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = float(hours * 3600 + minutes * 60 + seconds)
        if key == "catch_up" and not _LEAST_CATCH_UP <= total <= _MOST_CATCH_UP:
            self.refuse(key, f"{_shown(text)} must be from 10s to 24h: how late a night may still be begun")
            return default
        return total

    def breaker(self) -> BreakerTerms:
        terms = self._given.get("breaker", {})
        known = list(BreakerTerms.model_fields)
        if not isinstance(terms, dict):
            self.refuse("breaker", f"must be a table [breaker] with any of {', '.join(known)}")
            return BreakerTerms()
        try:
            return BreakerTerms.model_validate(terms)
        except ValidationError as error:
            for finding in error.errors(include_url=False, include_context=False, include_input=False):
                key = str(finding["loc"][0])
                meant = closest(key, known)
                unknown = f"unknown key; {f'did you mean `{meant}`?' if meant else 'known: ' + ', '.join(known)}"
                is_unknown = finding["type"] == "extra_forbidden"
                self.refuse(f"breaker.{key}", unknown if is_unknown else finding["msg"].lower())
            return BreakerTerms()

    def _text(self, key: str, remedy: str = "") -> str | None:
        value = self._given.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is None or value == "":
            self.refuse(key, f"is missing: {REQUIRED[key]}")
        else:
            self.refuse(key, f"{_shown(value)} is no text; {remedy or 'write ' + REQUIRED[key]}")
        return None

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._given.get(key)
        texts = [value] if isinstance(value, str) else value
        if value is None and key not in REQUIRED:
            return ()
        if not isinstance(texts, list | tuple) or not texts or not all(isinstance(one, str) for one in texts):
            missing = key in REQUIRED and value in (None, [], ())
            self.refuse(key, f"is missing: {REQUIRED[key]}" if missing else "must be text, or a list of it, not empty")
            return ()
        if len(texts) > _MOST_SPECS:
            self.refuse(key, f"has {len(texts)} entries; at most {_MOST_SPECS} are taken")
        return tuple(texts[:_MOST_SPECS])


def _fits_window(plan: ShiftPlan, reading: _Reading) -> bool:
    length = usual_length(plan)
    fits = True
    for key, seconds in (("drain", plan.drain_seconds), ("jitter", plan.jitter_seconds)):
        if timedelta(seconds=seconds) >= length:
            reading.refuse(
                key, f"{span(seconds)} must be shorter than the window, which is {span(length.total_seconds())} long"
            )
            fits = False
    return fits


def _clock(text: str) -> time | None:
    """A time of the day; 24:00 is midnight."""
    match = _CLOCK.fullmatch(text)
    if match is None or (match[1] == "24" and match[2] != "00"):
        return None
    return time(int(match[1]) % 24, int(match[2]))


def _date(entry: object) -> date | None:
    if isinstance(entry, datetime):
        return None
    if isinstance(entry, date):
        return entry
    text = str(entry).strip()
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def _shown(value: object) -> str:
    return f"`{one_line(str(value), 60)}`"
