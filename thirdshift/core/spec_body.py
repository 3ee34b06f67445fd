"""The Markdown after a spec's front matter: the goal, the acceptance criteria, and whatever else is written there.

A criterion is a list item ``- AC-1: text`` below the heading Acceptance; ``- AC-2 (by: review): text`` is judged by
a person at the merge gate instead of by a check. Indented or following lines belong to the item before them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from thirdshift.core.findings import Findings, closest
from thirdshift.core.spec import Criterion
from thirdshift.core.spec_fields import MAX_CRITERIA
from thirdshift.core.text import one_line

GOAL = "goal"
ACCEPTANCE = "acceptance"
_ACCEPTANCE_NAMES = frozenset({ACCEPTANCE, "acceptance criteria"})
_LONGEST_CRITERION = 2000
_MOST_HEADINGS = 1000
_BULLET = re.compile(r"(?P<indent> {0,3})[-*+] +(?=\S)")
_CRITERION = re.compile(
    r"(?:\*\*)?(?P<id>AC-\d{1,4})(?:\*\*)? {0,4}(?:\(by: {0,4}(?P<by>[^()]{0,40})\))?(?:\*\*)? {0,4}:"
    r"(?:\*\*)?(?P<text>.*)"
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True)
class Located:
    """A criterion and its line."""

    criterion: Criterion
    line: int


@dataclass(frozen=True)
class Body:
    """What was read. ``goal`` is empty where there was none (a finding says so)."""

    goal: str
    criteria: tuple[Located, ...]
    acceptance_line: int


@dataclass(frozen=True)
class _Section:
    level: int
    title: str
    line: int
    lines: tuple[str, ...]
    """Up to the next heading of any level."""


@dataclass(frozen=True)
class Spot:
    """Where a line of a body stands."""

    fenced: bool
    """Inside a code fence that was opened before it."""
    under: tuple[str, ...]
    """The titles of the headings that it stands under, the outermost first."""

    @property
    def among_criteria(self) -> bool:
        """Whether what stands there could be read as a criterion."""
        return any(title.casefold() in _ACCEPTANCE_NAMES for title in self.under)


def spot_of(text: str, index: int) -> Spot:
    """Where the line with this index, from 0, stands."""
    fence = ""
    under: list[tuple[int, str]] = []
    for line in text.split("\n")[:index]:
        fence = _fence_after(fence, line)
        if heading := None if fence else _heading(line):
            under = [*(above for above in under if above[0] < heading[0]), heading]
    return Spot(fenced=bool(fence), under=tuple(title for _, title in under))


def read_body(text: str, first_line: int, findings: Findings) -> Body:
    """Goal and criteria, with a finding for each thing that is missing or cannot be read."""
    sections = _sections(text, first_line, findings)
    goal = _one(sections, frozenset({GOAL}), "# Goal", first_line, findings)
    acceptance = _one(sections, _ACCEPTANCE_NAMES, "# Acceptance", first_line, findings)
    goal_text = _whole_text(sections, goal) if goal else ""
    if goal and not goal_text:
        findings.add(goal.line, "the section Goal is empty: say there what to build")
    criteria: tuple[Located, ...] = ()
    if acceptance:
        items = _items(_below(sections, acceptance))
        criteria = _read_criteria(items, findings)
        if not items:
            findings.add(
                acceptance.line, "no criteria: list them below Acceptance, like `- AC-1: When ..., it shall ...`"
            )
    return Body(goal=goal_text, criteria=criteria, acceptance_line=acceptance.line if acceptance else first_line)


def other_sections(text: str) -> str:
    """The body without its goal and its criteria: notes and context; empty where there is nothing but headings."""
    sections = _sections(text, 1, Findings())
    taken = [section for section in sections if section.title.casefold() in {GOAL, *_ACCEPTANCE_NAMES}]
    inside = {id(section) for top in taken for section in _below(sections, top)}
    rest = [section for section in sections if id(section) not in inside]
    if not any(line.strip() for section in rest for line in section.lines):
        return ""
    parts = ["\n".join((f"{'#' * s.level} {s.title}", *s.lines) if s.level else s.lines) for s in rest]
    return "\n".join(parts).strip()


def _heading(line: str) -> tuple[int, str] | None:
    stripped = line.strip()
    level = len(stripped) - len(stripped.lstrip("#"))
    if not 1 <= level <= 6 or len(line) - len(line.lstrip(" ")) > 3 or stripped[level : level + 1] not in ("", " "):
        return None
    title = stripped[level:].strip().rstrip("#").strip()
    return level, title.strip("*: ")


def _fence_after(fence: str, line: str) -> str:
    """The fence that is open after a line, given the one that was open before it; empty for none."""
    mark = _FENCE.match(line)
    if mark and not fence:
        return mark[1]
    if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
        return ""
    return fence


def _sections(text: str, first_line: int, findings: Findings) -> list[_Section]:
    """The text cut at its headings; what stands inside code fences is no heading."""
    found: list[tuple[int, str, int, list[str]]] = [(0, "", first_line, [])]
    fence, opened = "", 0
    for number, line in enumerate(text.split("\n"), first_line):
        before, fence = fence, _fence_after(fence, line)
        if fence and not before:
            opened = number
        heading = None if fence else _heading(line)
        if heading and len(found) > _MOST_HEADINGS:
            findings.add(number, f"more than {_MOST_HEADINGS} headings: shorten the text")
            break
        if heading:
            found.append((*heading, number, []))
        else:
            found[-1][3].append(line)
    if fence:
        findings.add(opened, "a code fence that is never closed, so no heading after it is seen: close it")
    return [_Section(level, title, line, tuple(lines)) for level, title, line, lines in found]


def _below(sections: list[_Section], top: _Section) -> list[_Section]:
    """The section and the deeper ones that follow it."""
    start = next(index for index, section in enumerate(sections) if section is top)
    found = [top]
    for section in sections[start + 1 :]:
        if section.level <= top.level:
            break
        found.append(section)
    return found


def _whole_text(sections: list[_Section], top: _Section) -> str:
    first, *deeper = _below(sections, top)
    parts = ["\n".join(first.lines)]
    parts += ["\n".join((f"{'#' * section.level} {section.title}", *section.lines)) for section in deeper]
    return "\n".join(parts).strip()


def _one(
    sections: list[_Section], names: frozenset[str], heading: str, first_line: int, findings: Findings
) -> _Section | None:
    matching = [section for section in sections if section.title.casefold() in names]
    for again in matching[1:]:
        findings.add(again.line, f"a second heading `{heading}`: join the two sections")
    if not matching:
        titles = {section.title.casefold(): section for section in sections if section.title}
        near = closest(heading.removeprefix("# ").casefold(), list(titles)) if len(titles) <= 200 else None
        line = titles[near].line if near else first_line
        found = f" (there is `{one_line(titles[near].title, 40)}`)" if near else ""
        findings.add(line, f"no heading `{heading}`{found}: add it")
    return matching[0] if matching else None


def _items(sections: list[_Section]) -> list[tuple[int, str]]:
    """The list items, each with its line; nested items and lines that continue an item are part of it."""
    items: list[tuple[int, list[str]]] = []
    for section in sections:
        open_at: int | None = None
        after_blank = False
        for number, line in enumerate(section.lines, section.line + 1):
            bullet = _BULLET.match(line)
            if bullet and (open_at is None or len(bullet["indent"]) < open_at + 2):
                items.append((number, [line[bullet.end() :].strip()]))
                open_at = len(bullet["indent"])
            elif not line.strip():
                after_blank = True
                continue
            elif open_at is not None and (line.startswith(" ") or not after_blank):
                items[-1][1].append(line.strip())
            else:
                open_at = None
            after_blank = False
    return [(number, _joined(lines)) for number, lines in items]


def _joined(lines: list[str]) -> str:
    """A wrapped paragraph becomes one line; nested list items keep theirs."""
    parts = [lines[0]]
    parts += [("\n" if line.startswith(("- ", "* ", "+ ", "```", "~~~")) else " ") + line for line in lines[1:]]
    return "".join(parts)


def _read_criteria(items: list[tuple[int, str]], findings: Findings) -> tuple[Located, ...]:
    if len(items) > MAX_CRITERIA:
        findings.add(
            items[MAX_CRITERIA][0], f"{len(items)} criteria; at most {MAX_CRITERIA} are allowed: split the spec"
        )
        return ()
    seen: dict[str, int] = {}
    found = []
    for line, item in items:
        criterion = _read_criterion(item, line, len(items), findings)
        if criterion is None:
            continue
        if criterion.id in seen:
            findings.add(
                line, f"criterion {criterion.id} is there twice, first on line {seen[criterion.id]}: renumber it"
            )
            continue
        seen[criterion.id] = line
        found.append(Located(criterion, line))
    return tuple(found)


def _read_criterion(item: str, line: int, count: int, findings: Findings) -> Criterion | None:
    first, *rest = item.split("\n")
    match = _CRITERION.fullmatch(first)
    if match is None:
        message = (
            f"not a criterion: `{one_line(first, 50)}`; write `- AC-{count}: ...` or `- AC-{count} (by: review): ...`"
        )
        findings.add(line, message)
        return None
    text = "\n".join((match["text"].strip(), *rest)).strip()
    if not text:
        findings.add(line, f"criterion {match['id']} says nothing: write what shall be true after its colon")
        return None
    if len(text) > _LONGEST_CRITERION:
        findings.add(
            line, f"criterion {match['id']} has {len(text)} characters; at most {_LONGEST_CRITERION}: split it"
        )
        return None
    by = match["by"]
    if by is not None and by.strip() != "review":
        findings.add(
            line, f"criterion {match['id']}: `by: {one_line(by, 40)}` is not known; it can only be `by: review`"
        )
    return Criterion(id=match["id"], text=text, by_review=by is not None)
