"""From a past bug to what the models of its repair say: a script for the loopback model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bench.rig.past_bugs import Edit, PastBug, Repair

ECONOMY, SPECIALIST = "small", "large"
WHOLE_FILE_BYTES = 32 << 10
"""Files up to this size are written whole, as cheap models do; of longer ones the changed functions are replaced."""
_TOP_LEVEL = re.compile(r"^(?=def |class |@)", re.MULTILINE)
_NAME = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)

_REPLACE_FUNCTIONS = """python3 - <<'END'
import re
from pathlib import Path

path = Path({path!r})
new = {functions!r}
parts = re.split(r"^(?=def |class |@)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
names = [re.search(r"^(?:def|class) (\\w+)", part, re.MULTILINE) for part in parts]
path.write_text(
    "".join(new.get(name.group(1), part) if name else part for name, part in zip(names, parts)), encoding="utf-8"
)
END"""


def repair_plays(bug: PastBug, tree: Path) -> list[dict[str, Any]]:
    """Plays for one bug; ``tree`` has it in. The models are told apart by name, the bugs by the spec's title."""
    touched = sorted({edit.path for repair in bug.answers for edit in repair.edits})
    plays = [{"when": {"role": "plan", "contains": bug.title}, "steps": [{"say": _plan(bug, touched)}]}]
    for number, repair in enumerate(bug.answers, start=1):
        model = SPECIALIST if repair is bug.specialist else ECONOMY
        plays.append(
            {
                "when": {"model": model, "role": "code", "attempt": number, "contains": bug.title},
                "steps": [
                    {
                        "say": "I look at the code and run the narrow check.",
                        "tools": [_bash(bug.look), _bash(bug.narrow)],
                    },
                    {"say": repair.thought, "tools": [_written(path, bug, repair, tree) for path in touched]},
                    {"say": "Now the narrow check again.", "tools": [_bash(bug.narrow)]},
                    {"say": "It holds.", "tools": [{"finish": {"summary": repair.thought}}]},
                ],
            }
        )
    return plays


def repair_script(plays: list[dict[str, Any]]) -> str:
    """A script of such plays."""
    return json.dumps({"version": 1, "plays": plays})


def _plan(bug: PastBug, touched: list[str]) -> str:
    check = "suite: it has tests of the behaviour that is asked for"
    risks = ["Something nearby may rely on the behaviour as it is."]
    return json.dumps({"approach": bug.goal, "files": touched, "risks": risks, "check": check})


def _bash(command: str) -> dict[str, Any]:
    return {"bash": {"command": command}}


def _written(path: str, bug: PastBug, repair: Repair, tree: Path) -> dict[str, Any]:
    """The tool call that brings the file into the state after this repair, whichever attempt's tree it finds."""
    text = (tree / path).read_text(encoding="utf-8")
    after = _after(text, path, repair.edits)
    if len(text) <= WHOLE_FILE_BYTES:
        return {"write_file": {"path": path, "content": after}}
    before = functions(text)
    named = {
        name
        for other in bug.answers
        for name, source in functions(_after(text, path, other.edits)).items()
        if source != before.get(name)
    }
    sources = {name: source for name, source in functions(after).items() if name in named}
    return _bash(_REPLACE_FUNCTIONS.format(path=path, functions=sources))


def _after(text: str, path: str, edits: tuple[Edit, ...]) -> str:
    for edit in edits:
        if edit.path == path:
            text = edit.applied(text)
    return text


def functions(text: str) -> dict[str, str]:
    """The top-level functions and classes of a Python file: name to source, up to where the next one begins."""
    named = {}
    for part in _TOP_LEVEL.split(text):
        found = _NAME.search(part)
        if found:
            named[found.group(1)] = part
    return named
