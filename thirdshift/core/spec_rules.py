"""What must hold between the parts of a spec: each rule adds a finding for everything that breaks it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thirdshift.core.spec_body import Body
from thirdshift.core.spec_kinds import BAD, Place, Reading, shown_place
from thirdshift.core.text import one_line

_CHECK_LISTS = ("checks", "holdout")


@dataclass(frozen=True)
class _Entry:
    """A check or a packet as far as rules look at it: names with the lines they stand on."""

    id: str
    line: int
    covers: tuple[tuple[str, int], ...]
    needs: tuple[tuple[str, int], ...]


def check_rules(values: dict[str, Any], body: Body, reading: Reading) -> None:
    """Apply every rule that the readable parts allow."""
    checks = [entry for name in _CHECK_LISTS for entry in _entries(values, name, reading)]
    packets = _entries(values, "packets", reading)
    _some_check(values, reading)
    _unique(checks, "check", reading)
    _unique(packets, "packet", reading)
    known = tuple(located.criterion.id for located in body.criteria)
    # Where no criterion could be read, that has been said; complaining about every mention of one adds nothing.
    if known:
        _covers_known([*checks, *packets], known, reading)
        _criteria_covered(checks, body, reading)
    if packets:
        _packets_cover(packets, body, reading)
        _needs_known(packets, reading)
        _no_circle(packets, reading)
    _globs_stay_inside(values, reading)


def _entries(values: dict[str, Any], name: str, reading: Reading) -> list[_Entry]:
    entries = values.get(name, BAD)
    if entries is BAD:
        return []
    found = []
    for index, entry in enumerate(entries):
        if entry is BAD or entry.get("id", BAD) is BAD:
            continue
        place: Place = (name, index)
        line = reading.lines.get((*place, "id"), reading.lines[place])
        covers = _names(entry, (*place, "covers"), reading)
        found.append(_Entry(entry["id"], line, covers, _names(entry, (*place, "needs"), reading)))
    return found


def _names(entry: dict[str, Any], place: Place, reading: Reading) -> tuple[tuple[str, int], ...]:
    names = entry.get(str(place[-1]), ())
    if names is BAD:
        return ()
    return tuple((name, reading.lines[(*place, index)]) for index, name in enumerate(names) if name is not BAD)


def _some_check(values: dict[str, Any], reading: Reading) -> None:
    if any(reading.is_bad((name,)) for name in _CHECK_LISTS):
        return
    if not any(values.get(name) for name in _CHECK_LISTS):
        line = reading.lines.get(("checks",), 1)
        reading.findings.add(line, "no checks: a spec needs one at least, like `checks: [{id: unit, run: pytest -q}]`")


def _unique(entries: Sequence[_Entry], what: str, reading: Reading) -> None:
    first: dict[str, int] = {}
    for entry in entries:
        if entry.id in first:
            message = f"{what} id `{entry.id}` is used twice, first on line {first[entry.id]}: rename one"
            reading.findings.add(entry.line, message)
        first.setdefault(entry.id, entry.line)


def _covers_known(entries: Sequence[_Entry], known: tuple[str, ...], reading: Reading) -> None:
    for entry in entries:
        for name, line in entry.covers:
            if name not in known:
                message = f"`{entry.id}` covers {name}, which is no criterion here; there are {_listed(known)}"
                reading.findings.add(line, message)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:7])} and {len(names) - 7} more"


def _criteria_covered(checks: Sequence[_Entry], body: Body, reading: Reading) -> None:
    if any(_covers_unsure(name, reading) for name in _CHECK_LISTS):
        return
    covered = {name for check in checks for name, _ in check.covers}
    for located in body.criteria:
        criterion = located.criterion
        if criterion.id not in covered and not criterion.by_review:
            message = (
                f"criterion {criterion.id} is covered by no check: add it to a check's `covers`, "
                f"or write `- {criterion.id} (by: review): ...`"
            )
            reading.findings.add(located.line, message)


def _covers_unsure(name: str, reading: Reading) -> bool:
    """Whether what the list covers could not be read in full, so that nothing follows from what is missing."""
    return any(place[0] == name and (len(place) <= 2 or place[2] in ("covers", "id")) for place in reading.bad)


def _packets_cover(packets: Sequence[_Entry], body: Body, reading: Reading) -> None:
    if _covers_unsure("packets", reading):
        return
    for packet in packets:
        if not packet.covers:
            reading.findings.add(packet.line, f"packet `{packet.id}` covers no criterion: name some, or remove it")
    covered = {name for packet in packets for name, _ in packet.covers}
    for located in body.criteria:
        if located.criterion.id not in covered:
            name = located.criterion.id
            reading.findings.add(located.line, f"criterion {name} is in no packet: add it to a packet's `covers`")


def _needs_known(packets: Sequence[_Entry], reading: Reading) -> None:
    known = tuple(packet.id for packet in packets)
    for packet in packets:
        for name, line in packet.needs:
            if name not in known:
                message = f"packet `{packet.id}` needs `{name}`, which is no packet here; there are {_listed(known)}"
                reading.findings.add(line, message)


def _no_circle(packets: Sequence[_Entry], reading: Reading) -> None:
    """Follow needs from every packet; a packet met again on its own way is a circle, named once."""
    by_id = {packet.id: packet for packet in packets}
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            circle = (*way[way.index(name) :], name)
            line = by_id[way[-1]].needs[[need for need, _ in by_id[way[-1]].needs].index(name)][1]
            reading.findings.add(line, f"packets need one another in a circle: {' -> '.join(circle)}; remove one need")
            return
        if name in done or name not in by_id:
            return
        for need, _ in by_id[name].needs:
            follow(need, (*way, name))
        done.add(name)

    for packet in packets:
        follow(packet.id, ())


def _globs_stay_inside(values: dict[str, Any], reading: Reading) -> None:
    scope = values.get("scope", BAD)
    globs = scope.get("write", BAD) if scope is not BAD else BAD
    if globs is BAD:
        return
    place: Place = ("scope", "write")
    if not globs:
        message = f"`{shown_place(place)}` is empty, so nothing may change: name globs, or remove it"
        reading.findings.add(reading.lines[place], message)
    for index, glob in enumerate(globs):
        if glob is not BAD and (trouble := _glob_trouble(glob)):
            message = f"`{shown_place(place)}`: `{one_line(glob, 60)}` {trouble}"
            reading.findings.add(reading.lines[(*place, index)], message)


def _glob_trouble(pattern: str) -> str | None:
    glob = pattern.removeprefix("!")
    if glob.startswith(("/", "~")) or re.match(r"[A-Za-z]:", glob):
        return "is absolute; write it relative to the repository, like src/**"
    # A backslash before a wildcard takes it literally, as in git's patterns; anywhere else it is another system's /.
    if re.search(r"\\(?:\w|\*\*|$)", glob):
        return "holds a backslash; separate the parts with /"
    parts = glob.split("/")
    if ".." in parts:
        return "leaves the repository: '..' is not allowed"
    if ".git" in (part.casefold() for part in parts):
        return "is inside .git, which no change may touch"
    return None
