"""Writing a spec's front matter anew: what ``core.spec_text`` reads from it is the same spec.

Every text is written in double quotes, as JSON has them, which YAML reads alike. What the spec did not state is left
out, so that its defaults stay defaults.
"""

from __future__ import annotations

import json
from typing import Any

from thirdshift.core.money import format_usd
from thirdshift.core.spec import Check, Packet, Spec
from thirdshift.core.text import has_hidden

_PLAIN = (
    "title",
    "repo",
    "base",
    "task",
    "risk",
    "priority",
    "setup",
    "holdout_dir",
    "gates",
    "deliver",
    "plan",
    "loop",
)


def front_matter_of(spec: Spec) -> str:
    """The lines between, and not including, the two ``---``; no line end at its end."""
    stated = spec.model_fields_set
    lines = [f"{name}: {_written(getattr(spec, name))}" for name in _PLAIN if name in stated]
    if "write" in stated:
        lines.append(f"scope: {_written({'write': list(spec.write)})}")
    for name, held_out in (("checks", False), ("holdout", True)):
        checks = [check for check in spec.checks if check.holdout is held_out]
        lines += [f"{name}:", *(f"  - {_written(_check(check))}" for check in checks)] if checks else []
    if "budget" in stated:
        lines.append(f"budget: {_written(_budget(spec))}")
    if spec.packets:
        lines += ["packets:", *(f"  - {_written(_packet(packet))}" for packet in spec.packets)]
    return "\n".join(lines)


def _check(check: Check) -> dict[str, Any]:
    found: dict[str, Any] = {"id": check.id, "run": check.run, "timeout": _duration(check.timeout_seconds)}
    found |= {"covers": list(check.covers)} if check.covers else {}
    found |= {"stop_on_fail": True} if check.stop_on_fail else {}
    return found | ({"report": check.report} if check.report is not None else {})


def _budget(spec: Spec) -> dict[str, Any]:
    budget = spec.budget
    found: dict[str, Any] = {name: getattr(budget, name) for name in ("max_attempts", "max_steps")}
    found |= {"max_wall": _duration(budget.max_wall_seconds)}
    return found | ({} if budget.max_budget_nano is None else {"max_budget_usd": format_usd(budget.max_budget_nano)})


def _packet(packet: Packet) -> dict[str, Any]:
    found: dict[str, Any] = {"id": packet.id, "covers": list(packet.covers)}
    found |= {"title": packet.title} if packet.title else {}
    return found | ({"needs": list(packet.needs)} if packet.needs else {})


def _duration(seconds: float) -> str:
    return f"{int(seconds)}s"


def _written(value: Any) -> str:
    """A value on one line, as flow-style YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(one) for one in value) + "]"
    if isinstance(value, bool | int):
        return json.dumps(value)
    return "".join(_escaped(character) for character in json.dumps(str(value), ensure_ascii=False))


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08x}" if has_hidden(character) else character
