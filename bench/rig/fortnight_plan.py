"""What happens in the simulated fortnight: its nights, written out by hand, its specs, and the trouble that comes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from tests.adapters.hub.repositories import git, make_repository
from thirdshift.adapters.hub import LocalHub
from thirdshift.core.shifts import ShiftPlan

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
USD = 1_000_000_000
SHIFT, ZONE, REPOSITORY = "nightly", "Europe/Berlin", "acme/shop"
NIGHT_NANO = 7 * USD // 10
WRONG_TREES = 8
STRAYS = 30
"""Different failures within a minute: a storm of another sort, of which nothing is begun."""
SPARROW, EAGLE = (3, 15), (15, 75)
"""Dollars for a million tokens read and written."""
WRITTEN_TOKENS = 600

# Written by hand, from the rule that Central Europe keeps: an hour is left out on the last Sunday of March, and comes
# twice on the last Sunday of October. The product asks the zone's data instead; the two have to agree.
SPRING_SUNDAYS = (
    *((2027, 3, 28), (2028, 3, 26), (2029, 3, 25), (2030, 3, 31), (2031, 3, 30), (2032, 3, 28)),
    *((2033, 3, 27), (2034, 3, 26), (2035, 3, 25), (2036, 3, 30)),
)
AUTUMN_SUNDAYS = (
    *((2026, 10, 25), (2027, 10, 31), (2028, 10, 29), (2029, 10, 28), (2030, 10, 27), (2031, 10, 26)),
    *((2032, 10, 31), (2033, 10, 30), (2034, 10, 29), (2035, 10, 28), (2036, 10, 26)),
)
# 22:00 to 06:00 in Berlin, as hours in UTC, by the evening's distance in days from the Sunday of the change.
SPRING_HOURS = {-4: (21, 5), -3: (21, 5), -2: (21, 5), -1: (21, 4), 0: (20, 4), 1: (20, 4), 2: (20, 4)}
AUTUMN_HOURS = {-4: (20, 4), -3: (20, 4), -2: (20, 4), -1: (20, 5), 0: (21, 5), 1: (21, 5), 2: (21, 5)}


@dataclass(frozen=True)
class Expected:
    """A night as it has to be."""

    day: date
    opens_at: datetime
    closes_at: datetime


def expected_nights(now: datetime) -> tuple[Expected, ...]:
    """Seven nights around each of the next two changes of the clock."""
    changes = [(date(*found), SPRING_HOURS) for found in SPRING_SUNDAYS]
    changes += [(date(*found), AUTUMN_HOURS) for found in AUTUMN_SUNDAYS]
    coming = sorted((one for one in changes if one[0] > (now + timedelta(days=6)).date()), key=lambda one: one[0])
    return tuple(
        Expected(day, _at(day, opens), _at(day + timedelta(days=1), closes))
        for sunday, hours in coming[:2]
        for away, (opens, closes) in hours.items()
        for day in [sunday + timedelta(days=away)]
    )


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)


def shift_plan(root: Path) -> ShiftPlan:
    """The shift, as ``thirdshift shift create`` would make it."""
    return ShiftPlan(
        name=SHIFT,
        root=str(root),
        specs=("specs/**/*.md",),
        opens=time(22),
        closes=time(6),
        zone=ZONE,
        budget_nano=NIGHT_NANO,
        concurrency=3,
        submitter="ops",
    )


# --- Specs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Play:
    """How the work on one spec goes. It is written into the spec's text, where the played model finds it."""

    passes: str
    """The tier on which it passes, or ``never``."""
    steps: int
    minutes: int
    """That the tools of each step take."""


@dataclass(frozen=True)
class Story:
    """A spec file, and the night before which it is written."""

    name: str
    kind: str
    play: Play
    night: int
    text: str


KINDS: dict[str, tuple[Play, str]] = {
    "cheap": (Play("economy", 4, 13), ""),
    "climbs": (Play("frontier", 4, 11), ""),
    "never": (Play("never", 3, 9), ""),
    "long": (Play("economy", 15, 47), ""),
    "reviewed": (Play("economy", 3, 12), "gates: [merge]\n"),
    "unanswered": (Play("economy", 3, 12), "gates: [merge]\n"),
    "dear": (Play("frontier", 7, 10), ""),
    "bad": (Play("economy", 3, 10), "nonsense: 1\n"),
}
FULL = {"cheap": 23, "climbs": 10, "never": 4, "long": 6, "reviewed": 4, "unanswered": 3, "dear": 3, "bad": 3}
QUICK = {"cheap": 5, "climbs": 2, "never": 1, "long": 2, "reviewed": 1, "unanswered": 2, "dear": 2, "bad": 1}
EVENT_SPECS = 4
TASKS = ("bugfix", "feature", "chore", "refactor")
_SPEC = """---
title: {title}
repo: {repo}
plan: none
task: {task}
{more}checks:
  - {{id: unit, run: "./unit", covers: [AC-1]}}
  - {{id: lint, run: "./lint", covers: [AC-1]}}
budget: {{max_budget_usd: {usd}, max_attempts: 5, max_steps: 60, max_wall: 30h}}
---
# Goal
Mend what is told. Play: {play}
{rest}
# Acceptance
- AC-1: When the tests are run, they shall pass.
"""


def play_words(play: Play) -> str:
    """A play as one word of a spec."""
    return f"{play.passes},{play.steps},{play.minutes}"


def play_in(text: str) -> Play:
    """The play that a spec's text names."""
    found = re.search(r"Play: (\w+),(\d+),(\d+)", text)
    if found is None:
        raise AssertionError("no play in what is asked for")
    return Play(found[1], int(found[2]), int(found[3]))


def stories(root: Path, counts: dict[str, int], nights: int) -> tuple[Story, ...]:
    """Every spec file of the fortnight, mixed over the nights. The last one gets some that cannot end in it."""
    turns = [(number / count, kind) for kind, count in counts.items() for number in range(count)]
    kinds = [kind for _, kind in sorted(turns)]
    found = []
    for number, kind in enumerate(kinds):
        play, more = KINDS[kind]
        name = f"{number:02d}-{kind}"
        text = _SPEC.format(
            title=f"Mend {name}",
            repo=root / "repo",
            task=TASKS[number % len(TASKS)],
            more=f"priority: {number % 3}\n{more}",
            usd="0.15" if kind == "never" else "3.00",
            play=play_words(play),
            rest="",
        )
        found.append(Story(name, kind, play, number * nights // len(kinds), text))
    for kind in ("long", "unanswered"):
        last = max(at for at, story in enumerate(found) if story.kind == kind)
        found[last] = replace(found[last], night=nights - 1)
    return tuple(found)


def write_configuration(root: Path) -> None:
    """``thirdshift.toml``, and the template that events become specs by."""
    (root / "script.yaml").write_text('version: 1\nplays:\n  - steps:\n      - {say: "never used"}\n')
    (root / "templates").mkdir()
    template = _SPEC.format(
        title="Mend the build",
        repo=root / "repo",
        task="bugfix",
        more="",
        usd="1.00",
        play=play_words(Play("economy", 3, 10)),
        rest="\n{{event}}\n",
    )
    (root / "templates" / "fix-ci.md").write_text(template)
    prices = {"cheap/sparrow": SPARROW, "dear/eagle": EAGLE}
    lines = [f'[ledger]\nurl = "sqlite:///{root}/home/ledger.db?synchronous=normal"']
    lines += [f'[providers.{name}]\nkind = "scripted"\nscript = "script.yaml"' for name in ("cheap", "dear")]
    lines += ['[[tiers.economy]]\nmodel = "cheap/sparrow"\nattempts = 2\nmax_output_tokens = 4096']
    lines += ['[[tiers.frontier]]\nmodel = "dear/eagle"\nattempts = 2\nmax_output_tokens = 4096']
    lines += [f'[prices."{name}"]\ninput = "{read}"\noutput = "{write}"' for name, (read, write) in prices.items()]
    lines += [f'[intake]\ndebounce = "30s"\nlongest_debounce = "5m"\nstorm_events_per_minute = {STRAYS // 2}']
    lines += [f'[[intake.rules]]\nname = "ci"\nmatch = {{kind = "workflow_run.failed"}}\nspec = "templates/fix-ci.md"'
              f'\nthen = "shift:{SHIFT}"']  # fmt: skip
    (root / "thirdshift.toml").write_text("\n\n".join(lines) + "\n")


def make_trees(root: Path, hub_path: str) -> None:
    """One small repository, and in the hub the trees that work on it ends on: a right one and some wrong ones."""
    repository = make_repository(root / "repo", {"calc.py": "def add(a, b):\n    return a - b\n"})
    base = git(repository, "rev-parse", "HEAD")
    LocalHub(hub_path).import_base(str(repository), base, "job-fortnight")
    hub = Path(hub_path)

    def commit(name: str, content: str) -> tuple[str, str]:
        blob = git(hub, "hash-object", "-w", "--stdin", stdin=content.encode())
        tree = git(hub, "mktree", stdin=f"100644 blob {blob}\tcalc.py\n".encode())
        made = git(hub, "commit-tree", tree, "-p", base, "-m", name)
        git(hub, "update-ref", f"refs/thirdshift/fortnight/{name}", made)
        return tree, made

    right = commit("right", "def add(a, b):\n    return a + b\n")
    wrong = [commit(f"wrong-{n}", f"def add(a, b):\n    return a - b - {n}\n") for n in range(WRONG_TREES)]
    (root / "trees.json").write_text(json.dumps({"right": right, "wrong": wrong}))


# --- Trouble -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """When the cheap provider fails, and when a worker is killed. All instants are of the server's clock."""

    away: tuple[datetime, datetime]
    """It cannot be reached, and says nothing of a return."""
    quota: tuple[datetime, datetime]
    """Its quota is used up, and comes back at a stated time."""
    busy: tuple[datetime, datetime]
    """It answers 429 to the first try of each call, and says when to come again."""
    kills: tuple[datetime, ...]
    """After the first answer from here on was given, and before it is in the books, the worker is killed."""

    def write(self, path: Path) -> None:
        """Keep it for the worker."""
        times = {name: [at.isoformat() for at in found] for name, found in vars(self).items()}
        path.write_text(json.dumps(times))

    @classmethod
    def read(cls, path: Path) -> Trouble:
        """What ``write`` kept."""
        times = {
            name: [datetime.fromisoformat(at) for at in found] for name, found in json.loads(path.read_text()).items()
        }
        (away, back), (used_up, anew), (busy, idle) = times["away"], times["quota"], times["busy"]
        return cls((away, back), (used_up, anew), (busy, idle), tuple(times["kills"]))


NOTES = {
    1: "429s",
    2: "a kill",
    4: "outage",
    5: "storm",
    6: "a kill",
    8: "quota",
    9: "strays",
    10: "a kill",
    11: "stop --all",
}
"""What happens in which night, for the picture."""


def trouble_in(nights: Sequence[Expected]) -> Trouble:
    """The trouble of the fortnight, by its nights."""
    opens = [night.opens_at for night in nights]
    return Trouble(
        busy=(opens[1], opens[1] + 8 * HOUR),
        away=(opens[4] + HOUR, opens[4] + 150 * MINUTE),
        quota=(opens[8] + 90 * MINUTE, opens[8] + 4 * HOUR),
        kills=(opens[2] + 2 * HOUR, opens[6] + 3 * HOUR, opens[10] + 70 * MINUTE),
    )
