"""The kinds of value that front matter may hold: each reads a YAML node and describes itself as JSON schema.

A value that cannot be read becomes ``BAD``; its place is remembered so that no rule complains about it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

import yaml

from thirdshift.core.findings import Findings, closest
from thirdshift.core.front_matter import line_of
from thirdshift.core.money import parse_usd
from thirdshift.core.text import one_line

Place = tuple[str | int, ...]
BAD: Final = object()
_NULL = "tag:yaml.org,2002:null"
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


@dataclass
class Reading:
    """One reading of one file: what was wrong, and on which line each value stands."""

    findings: Findings
    lines: dict[Place, int] = field(default_factory=dict)
    bad: set[Place] = field(default_factory=set)

    def refuse(self, node: yaml.Node, place: Place, message: str) -> object:
        """Note that the value is wrong; gives ``BAD``."""
        self.findings.add(line_of(node), f"`{shown_place(place)}`: {message}")
        self.bad.add(place)
        return BAD

    def is_bad(self, place: Place) -> bool:
        """Whether anything at the place or below it could not be read."""
        return any(at[: len(place)] == place for at in self.bad)


def shown_place(place: Place) -> str:
    """``budget.max_wall``: names only, since the line says which entry of a list is meant."""
    return ".".join(part for part in place if isinstance(part, str))


class Kind(Protocol):
    """One kind of value."""

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """The value, or ``BAD`` with a finding."""
        ...

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        ...


def _written(node: yaml.Node, place: Place, reading: Reading, wanted: str) -> str | None:
    """A scalar exactly as it stands in the file, None with a finding where there is none."""
    if not isinstance(node, yaml.ScalarNode):
        found = "a list" if isinstance(node, yaml.SequenceNode) else "fields"
        reading.refuse(node, place, f"must be {wanted}, not {found}")
        return None
    if node.tag == _NULL or not node.value.strip():
        reading.refuse(node, place, f"is empty; give {wanted}, or remove the line")
        return None
    return str(node.value)


@dataclass(frozen=True)
class Words:
    """Text, taken as written: ``base: 1.10`` is the tag ``1.10``, not a number."""

    max_length: int = 200
    pattern: str | None = None
    remedy: str = ""
    lines: bool = False
    """Whether it may be of several lines."""

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """The text without blanks around it."""
        written = _written(node, place, reading, "text")
        if written is None:
            return BAD
        text = written.strip()
        if len(text) > self.max_length:
            return reading.refuse(node, place, f"has {len(text)} characters; at most {self.max_length} are allowed")
        if "\n" in text and not self.lines:
            return reading.refuse(node, place, "must be on one line")
        if self.pattern and not re.fullmatch(self.pattern, text):
            return reading.refuse(node, place, f"`{one_line(text)}` {self.remedy}")
        return text

    def schema(self) -> dict[str, Any]:
        """A string."""
        shape: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": self.max_length}
        return shape | ({"pattern": f"^(?:{self.pattern})$"} if self.pattern else {})


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    of: type[StrEnum] | tuple[str, ...]

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """The word."""
        known = [str(word) for word in self.of]
        written = _written(node, place, reading, f"one of {', '.join(known)}")
        if written is None or written in known:
            return BAD if written is None else written
        meant = closest(written, known)
        suggestion = f"did you mean `{meant}`?" if meant else f"it is one of {', '.join(known)}"
        return reading.refuse(node, place, f"`{one_line(written, 60)}` is not known; {suggestion}")

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"enum": [str(word) for word in self.of]}


@dataclass(frozen=True)
class Duration:
    """A time with its unit, read as seconds."""

    max_seconds: int

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """Seconds, as a float."""
        written = _written(node, place, reading, "a duration like 5m, 90s or 1h30m")
        if written is None:
            return BAD
        match = _DURATION.fullmatch(written.replace(" ", ""))
        if match is None or not any(match.groups()):
            message = f"`{one_line(written, 60)}` is not a duration; write it with its unit, like 5m, 90s or 1h30m"
            return reading.refuse(node, place, message)
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if not 0 < total <= self.max_seconds:
            most = f"{self.max_seconds // 3600}h"
            return reading.refuse(node, place, f"`{one_line(written, 60)}` must be more than 0 and at most {most}")
        return float(total)

    def schema(self) -> dict[str, Any]:
        """A string such as ``1h30m``."""
        return {"type": "string", "pattern": r"^(?=\d)(\d{1,6}h)?(\d{1,6}m)?(\d{1,6}s)?$"}


@dataclass(frozen=True)
class Dollars:
    """An amount of US dollars: the digits in the file, never a binary float; read as nano-dollars."""

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """Nano-dollars."""
        written = _written(node, place, reading, "US dollars like 1.50")
        if written is None:
            return BAD
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", written):
            message = f"`{one_line(written, 60)}` is not an amount; write US dollars in digits, like 1.50"
            return reading.refuse(node, place, message)
        return parse_usd(written)

    def schema(self) -> dict[str, Any]:
        """A number, or the same as a string."""
        text = {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,9})?$"}
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 999_999_999}, text]}


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """The number."""
        written = _written(node, place, reading, "a whole number")
        if written is None:
            return BAD
        if not re.fullmatch(r"-?\d{1,9}", written) or not self.least <= int(written) <= self.most:
            message = f"`{one_line(written, 60)}` must be a whole number from {self.least} to {self.most}"
            return reading.refuse(node, place, message)
        return int(written)

    def schema(self) -> dict[str, Any]:
        """An integer."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``, spelt so."""

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """The truth value."""
        written = _written(node, place, reading, "true or false")
        if written is None or written in ("true", "false"):
            return BAD if written is None else written == "true"
        return reading.refuse(node, place, f"`{one_line(written, 60)}` must be true or false")

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Each:
    """A list of one kind."""

    kind: Kind
    max_items: int
    unique: bool = True
    """Whether equal entries are refused."""

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """A list of those entries that could be read."""
        if not isinstance(node, yaml.SequenceNode):
            return reading.refuse(node, place, "must be a list, like [a, b] or lines that begin with `- `")
        if len(node.value) > self.max_items:
            return reading.refuse(node, place, f"has {len(node.value)} entries; at most {self.max_items} are allowed")
        values: list[Any] = []
        for index, item in enumerate(node.value):
            reading.lines[(*place, index)] = line_of(item)
            value = self.kind.read(item, (*place, index), reading)
            if self.unique and value is not BAD and value in values:
                reading.refuse(item, (*place, index), f"`{one_line(str(value), 60)}` is there twice; remove one")
            values.append(value)
        return values

    def schema(self) -> dict[str, Any]:
        """An array."""
        shape = {"type": "array", "items": self.kind.schema(), "maxItems": self.max_items}
        return shape | ({"uniqueItems": True} if self.unique else {})


@dataclass(frozen=True)
class Slot:
    """A field of a record: its kind, what it is for, whether it must be there."""

    kind: Kind
    says: str
    required: bool = False


@dataclass(frozen=True)
class Record:
    """Fields by name; unknown and repeated ones are refused."""

    slots: Mapping[str, Slot]

    def read(self, node: yaml.Node, place: Place, reading: Reading) -> Any:
        """A dict of the fields that are there; a value in it may be ``BAD``."""
        if not isinstance(node, yaml.MappingNode):
            names = ", ".join(self.slots)
            return reading.refuse(
                node, place, f"must be fields, like {{{next(iter(self.slots))}: ...}}; known: {names}"
            )
        values: dict[str, Any] = {}
        for key, item in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or name not in self.slots:
                self._refuse_unknown(key, name, place, reading)
            elif name in values:
                reading.findings.add(line_of(key), f"`{shown_place((*place, name))}` is there twice; remove one")
            else:
                reading.lines[(*place, name)] = line_of(key)
                values[name] = self.slots[name].kind.read(item, (*place, name), reading)
        for name, slot in self.slots.items():
            if slot.required and name not in values and not reading.is_bad((*place, name)):
                field_name = shown_place((*place, name))
                reading.findings.add(line_of(node) if place else 1, f"`{field_name}` is missing: {slot.says}")
                reading.bad.add((*place, name))
        return values

    def _refuse_unknown(self, key: yaml.Node, name: str | None, place: Place, reading: Reading) -> None:
        meant = closest(name, list(self.slots)) if name else None
        inside = f" in `{shown_place(place)}`" if place else ""
        if meant:
            reading.bad.add((*place, meant))
            remedy = f"did you mean `{meant}`?"
        else:
            remedy = self._elsewhere(name) or f"known here: {', '.join(self.slots)}"
        shown = one_line(name, 60) if name else "a list or fields as a name"
        reading.findings.add(line_of(key), f"unknown field `{shown}`{inside}; {remedy}")

    def _elsewhere(self, name: str | None) -> str | None:
        for outer, slot in self.slots.items():
            if isinstance(slot.kind, Record) and name in slot.kind.slots:
                return f"it belongs under `{outer}`"
        return None

    def schema(self) -> dict[str, Any]:
        """An object that refuses other fields."""
        properties = {name: slot.kind.schema() | {"description": slot.says} for name, slot in self.slots.items()}
        required = [name for name, slot in self.slots.items() if slot.required]
        shape: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
        return shape | ({"required": required} if required else {})
