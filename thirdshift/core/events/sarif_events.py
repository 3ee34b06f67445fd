"""A scanner's log in SARIF 2.1.0 (OASIS): one event for each rule and file of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from thirdshift.core.events.drafts import Draft, Drafts, Malformed, Nothing, Reading
from thirdshift.core.events.json_text import first_text, list_at, text_at, value_at

KINDS: Final = ("alert",)
HOOK_EVENTS: Final = "a SARIF 2.1.0 log in each request"
MOST_EVENTS: Final = 100
"""Groups that one upload may bring; the gravest are taken."""
_MOST_RESULTS: Final = 100_000
_TOLD: Final = 10
_GRAVITY: Final = {"error": 0, "warning": 1, "note": 2, "none": 3}
_NOT_FINDINGS: Final = frozenset({"pass", "notApplicable", "informational"})
_HOST: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?[^/:]+[/:]+", re.IGNORECASE)

_Found = tuple[str, str, str, object]
"""Level, rule, path, result."""


def read_sarif(_headers: Mapping[str, str], body: object) -> Reading:
    """The events of a log."""
    if text_at(body, "version") != "2.1.0" or not isinstance(value_at(body, "runs"), list):
        raise Malformed('this is no SARIF 2.1.0 log: `version` is to be "2.1.0", and `runs` a list')
    groups: dict[tuple[int, str, str], list[_Found]] = {}
    runs = list_at(body, "runs")
    looked_at = 0
    for number, run in enumerate(runs):
        for result in list_at(run, "results"):
            looked_at += 1
            if looked_at > _MOST_RESULTS:
                raise Malformed(f"the log has more than {_MOST_RESULTS} results")
            if found := _finding(run, result):
                groups.setdefault((number, found[1], found[2]), []).append(found)
    if not groups:
        return Nothing("the log has no open finding")
    gravest = sorted(groups.items(), key=lambda item: (_worst(item[1]), item[0]))
    drafts = tuple(_draft(runs[key[0]], key, found) for key, found in gravest[:MOST_EVENTS])
    return Drafts(drafts, left_out=max(0, len(gravest) - MOST_EVENTS))


def _finding(run: object, result: object) -> _Found | None:
    kept = text_at(result, "kind") not in _NOT_FINDINGS and text_at(result, "baselineState") != "absent"
    if not kept or list_at(result, "suppressions"):
        return None
    index = value_at(result, "ruleIndex")
    described = value_at(run, "tool", "driver", "rules", index) if isinstance(index, int) else None
    rule = first_text(result, ("ruleId",), ("rule", "id")) or text_at(described, "id")
    level = first_text(result, ("level",)) or text_at(described, "defaultConfiguration", "level") or "warning"
    location = value_at(result, "locations", 0, "physicalLocation", "artifactLocation")
    place = value_at(location, "index")
    artifact = value_at(run, "artifacts", place, "location") if isinstance(place, int) else None
    return level, rule or "unnamed rule", text_at(location, "uri") or text_at(artifact, "uri"), result


def _worst(found: list[_Found]) -> int:
    return min(_GRAVITY.get(level, 1) for level, *_ in found)


def _draft(run: object, key: tuple[int, str, str], found: list[_Found]) -> Draft:
    number, rule, path = key
    tool = text_at(run, "tool", "driver", "name")
    origin = value_at(run, "versionControlProvenance", 0)
    level = min((one[0] for one in found), key=lambda name: _GRAVITY.get(name, 1))
    places = [f"line {_line(one[3]) or '?'}: {text_at(one[3], 'message', 'text')}" for one in found[:_TOLD]]
    more = [f"and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
    return Draft(
        kind="alert",
        repository=_HOST.sub("", text_at(origin, "repositoryUri")[:2000]).removesuffix("/").removesuffix(".git"),
        about=(rule, path),
        title=f"{tool}: {rule} in {path or 'no file'}",
        text="\n".join((*places, *more)),
        facts={
            "tool": tool,
            "rule": rule,
            "path": path,
            "line": _line(found[0][3]),
            "severity": level,
            "results": str(len(found)),
            "branch": text_at(origin, "branch"),
            "commit": text_at(origin, "revisionId"),
            "url": first_text(found[0][3], ("hostedViewerUri",)),
        },
        part=f"{number} {rule} {path}",
    )


def _line(result: object) -> str:
    return text_at(result, "locations", 0, "physicalLocation", "region", "startLine")
