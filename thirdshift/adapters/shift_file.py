"""Shifts under version control: a TOML file for each, and options read by the same rules."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from thirdshift.adapters.holidays import read_holidays
from thirdshift.core.errors import BadInput
from thirdshift.core.findings import Findings
from thirdshift.core.frozen import Frozen
from thirdshift.core.shift_reading import Complain, read_shift
from thirdshift.core.shifts import ShiftPlan

_MAX_BYTES = 1 << 20
_ZONE_NAME = re.compile(r"[A-Za-z0-9+_-]+(/[A-Za-z0-9+_-]+)*")


class Maker(NamedTuple):
    """Who reads a shift, and in which year: yearly holidays are written out from it on."""

    submitter: str
    this_year: int


class ShiftFile(Frozen):
    """A shift, and the file that it stands in."""

    path: str
    """Absolute."""
    plan: ShiftPlan
    remarks: tuple[str, ...] = ()


def read_shift_file(path: Path, maker: Maker) -> ShiftFile:
    """The shift in a file. Raises BadInput with a line for each finding.

    Its name is the file's, unless it states one. Paths in it count from its ``root``, which is the directory of the
    file; for a file in a directory ``shifts``, the one above. A ``root`` that is stated counts from the file.
    """
    text = _read_text(path)
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path}: not valid TOML: {error}") from None
    findings = Findings()

    def complain(key: str, message: str) -> None:
        findings.add(_line_of(text, key), f"`{key}`: {message}")

    stated = given.get("root")
    root = path.parent.parent if path.parent.name == "shifts" else path.parent
    if isinstance(stated, str):
        root = (path.parent / Path(stated).expanduser()).resolve()
    plan, remarks = _read({"name": path.stem, **given}, root, root, maker, complain)
    if plan is None:
        raise BadInput(findings.report(str(path)))
    return ShiftFile(path=str(path), plan=plan, remarks=tuple(remarks))


def read_shift_options(given: Mapping[str, Any], root: Path, here: Path, maker: Maker) -> tuple[ShiftPlan, list[str]]:
    """The shift that a command's options state, and remarks. Raises BadInput with a line for each finding.

    Specs count from ``root``, a file of holidays from ``here``.
    """
    lines: list[str] = []

    def complain(key: str, message: str) -> None:
        lines.append(f"{'NAME' if key == 'name' else '--' + key.replace('_', '-')}: {message}")

    plan, remarks = _read(given, root, here, maker, complain)
    if plan is None:
        raise BadInput("\n".join(lines))
    return plan, remarks


def _read(
    given: Mapping[str, Any], root: Path, here: Path, maker: Maker, complain: Complain
) -> tuple[ShiftPlan | None, list[str]]:
    remarks: list[str] = []
    values = dict(given) | {"root": str(root)}
    sound = True
    if not root.is_dir():
        complain("root", f"no such directory: {root}")
        sound = False
    holidays = values.get("holidays")
    if isinstance(holidays, str) and holidays.strip().lower().endswith(".ics"):
        path = here / Path(holidays.strip()).expanduser()
        values["holidays"] = ()
        try:
            found = read_holidays(path, maker.this_year)
        except BadInput as error:
            complain("holidays", str(error))
            sound = False
        else:
            values["holidays"] = found.dates
            if found.timed:
                remarks.append(f"{path}: {found.timed} of its events have hours, and are not taken for holidays")
            if not found.dates:
                remarks.append(f"{path}: names no all-day event from {maker.this_year} on")
    plan = read_shift(values, maker.submitter, _zone_remedy, complain)
    return plan if sound else None, remarks


def _zone_remedy(name: str) -> str:
    """What to write in place of a zone; nothing where it is known."""
    with suppress(KeyError, OSError, ValueError):  # a name that is none, a directory of zones, a file that is no zone
        if _ZONE_NAME.fullmatch(name):
            ZoneInfo(name)
            return ""
    known = available_timezones()
    by_end = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known)}
    close = by_end.get(name.lower()) or next(iter(get_close_matches(name, sorted(known), n=1, cutoff=0.6)), None)
    return f"did you mean `{close}`?" if close else "write its IANA name, like Europe/Berlin"


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadInput(f"{path}: no such file")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise BadInput(f"{path}: larger than 1 MiB; that is no shift")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8 text") from None


def _line_of(text: str, key: str) -> int:
    """The line on which a key stands; 1 where it is not written in a way that is found."""
    table, _, name = key.rpartition(".")
    inside = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = header[1]
            if inside == key:
                return number
        elif re.match(rf"""\s*["']?{re.escape(name if inside else key)}["']?\s*[.=]""", line) and inside in (table, ""):
            return number
    return 1
