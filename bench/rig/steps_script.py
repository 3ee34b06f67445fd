"""The same long conversation for every contestant: one shell command a step, every fourth of which changes a file.

Three of four commands look, each at another part of a guide of 400 lines, and print about a kilobyte; the fourth
appends a line to a file. No two commands are the same, so no detector of repetition has anything to say.
"""

from __future__ import annotations

import json
from typing import Any

WRITES_EVERY = 4
_LOOK = "sed -n '{{step}},+12p' guide.txt; ls src | wc -l"
_WRITE = "echo 'looked at {{step}}' >> notes.txt; tail -n 1 notes.txt; sed -n '{{step}},+6p' guide.txt"


def script(lengths: dict[str, int], finish: dict[str, dict[str, Any]]) -> str:
    """A script in which the conversation of each model has so many steps and then the given last tool call."""
    plays = []
    for model, steps in lengths.items():
        turns = [_turn(_LOOK)] * (WRITES_EVERY - 1) + [_turn(_WRITE)]
        plays.append({"when": {"model": model, "step": {"to": steps}}, "repeat": True, "fill": True, "steps": turns})
        last = {"say": "That is all.", "tools": [finish[model]]}
        plays.append({"when": {"model": model, "step": steps + 1}, "steps": [last]})
    return json.dumps({"version": 1, "plays": plays})


def _turn(command: str) -> dict[str, Any]:
    return {"say": "Step {{step}}: on with the guide.", "tools": [{"bash": {"command": command}}]}


def files() -> dict[str, str]:
    """The repository that is worked on: the guide, the notes, and 60 modules in six packages."""
    guide = "".join(
        f"{number:04d}. Whoever reads line {number} of this guide has read {number * 37 % 1009} words of it before.\n"
        for number in range(1, 401)
    )
    modules = {
        f"src/part{package}/module{number}.py": f"def answer():\n    return {package * 10 + number}\n"
        for package in range(6)
        for number in range(10)
    }
    return {"guide.txt": guide, "notes.txt": "Notes\n", **modules}
