"""The fields of a spec's front matter: one table, from which it is read and its JSON schema is made."""

from __future__ import annotations

from typing import Any

from thirdshift.core.spec import Delivery, GateKind, Risk, TaskKind
from thirdshift.core.spec_kinds import Choice, Dollars, Duration, Each, Flag, Record, Slot, Whole, Words

MAX_CHECKS = 40
MAX_CRITERIA = 100
MAX_PACKETS = 30
MAX_GLOBS = 100

_IDENTIFIER = Words(
    max_length=40,
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}",
    remedy="is no id; use up to 40 letters, digits, dots, dashes or underscores, beginning with a letter or digit",
)
_CRITERION = Words(max_length=12, pattern=r"AC-\d{1,4}", remedy="is no criterion; write it like AC-1")
_COVERS = Slot(Each(_CRITERION, MAX_CRITERIA), "the criteria that it shows, like [AC-1, AC-2]")


def _plain(max_length: int) -> Words:
    """Text that no command takes for an option."""
    return Words(max_length, pattern=r"[^-].*", remedy="begins with a dash, as an option would; give a plain value")


_REPORT = Words(
    300,
    pattern=r"(?!.*(?:^|/)\.\.(?:/|$))(?:[^-/~\\].*)",
    remedy="is no path below the repository; write it relative to its root, like build/junit.xml",
)
_CHECK = Record(
    {
        "id": Slot(_IDENTIFIER, "a short name, unique among all checks", required=True),
        "run": Slot(Words(4000, lines=True), "a shell command; exit 0 is a pass", required=True),
        "covers": _COVERS,
        "timeout": Slot(Duration(24 * 3600), "how long it may take, like 5m; 10m if absent"),
        "stop_on_fail": Slot(Flag(), "whether the checks after it are left out when it fails; false if absent"),
        "report": Slot(_REPORT, "the JUnit XML that it writes, like build/junit.xml; its tests are then counted"),
    }
)
_PACKET = Record(
    {
        "id": Slot(_IDENTIFIER, "a short name, unique among packets", required=True),
        "title": Slot(Words(), "what it is about, in one line"),
        "covers": Slot(_COVERS.kind, "the criteria that it brings about, like [AC-1]", required=True),
        "needs": Slot(Each(_IDENTIFIER, MAX_PACKETS), "packets that must be accepted before it"),
    }
)
_BUDGET = Record(
    {
        "max_budget_usd": Slot(Dollars(), "US dollars for the whole job, like 1.50"),
        "max_attempts": Slot(Whole(1, 100), "attempts in all; 6 if absent"),
        "max_steps": Slot(Whole(1, 10_000), "model calls in all; 40 if absent"),
        "max_wall": Slot(Duration(168 * 3600), "time from start to stop, like 45m; 45m if absent"),
    }
)
FRONT_MATTER = Record(
    {
        "title": Slot(Words(), "what to build, in one line", required=True),
        "repo": Slot(_plain(1000), "path or URL of the repository; the spec's own if absent"),
        "base": Slot(_plain(250), "branch, tag or commit to start from; HEAD if absent"),
        "task": Slot(Choice(TaskKind), "what sort of work it is; feature if absent"),
        "risk": Slot(Choice(Risk), "what a mistake would cost: picks gates and the first tier; low if absent"),
        "priority": Slot(Whole(-100, 100), "who goes first, at night and in the line for money: highest; 0 if absent"),
        "scope": Slot(
            Record({"write": Slot(Each(Words(300), MAX_GLOBS), "globs that a change may touch", required=True)}),
            "what may change; everything if absent",
        ),
        "setup": Slot(Words(4000, lines=True), "a command that prepares the tree; cached by its lock files"),
        "checks": Slot(Each(_CHECK, MAX_CHECKS, unique=False), "commands that judge the tree"),
        "holdout": Slot(Each(_CHECK, MAX_CHECKS, unique=False), "checks that the agent never sees"),
        "holdout_dir": Slot(
            _plain(1000), "the held-out checks' files, relative to the spec: $HOLDOUT; default holdout"
        ),
        "budget": Slot(_BUDGET, "the job's limits"),
        "gates": Slot(Each(Choice(GateKind), 4), "what a person is asked to decide; risk adds its own"),
        "deliver": Slot(Choice(Delivery), "how an accepted tree reaches the repository; branch if absent"),
        "plan": Slot(Choice(("auto", "none")), "whether a plan is made first; auto if absent"),
        "loop": Slot(Choice(("feedback", "ralph")), "ralph: each attempt starts over with no feedback"),
        "packets": Slot(Each(_PACKET, MAX_PACKETS, unique=False), "parts of the job, each with its own criteria"),
    }
)


def front_matter_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of the front matter, for editors.

    ``parse_spec`` checks more: that ids are unique, that criteria exist and are covered, that packets do not need
    one another in a circle, that globs stay in the tree.
    """
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Front matter of a Thirdshift spec",
        "description": "The fields between the two `---` lines; the text after them needs `# Goal` and `# Acceptance`.",
    }
    either = [{"required": ["checks"]}, {"required": ["holdout"]}]
    return head | FRONT_MATTER.schema() | {"anyOf": either}
