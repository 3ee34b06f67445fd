"""What a scripted model reads out of a request: which attempt and step it is, and what it weighs.

Everything is inferred from the request alone, so that the same request is read the same way in every process.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from functools import cached_property

from thirdshift.adapters.llm.canonical import canonical_json
from thirdshift.adapters.llm.script_format import Play, Script, Span, Step, When
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall
from thirdshift.core.ports import ModelRequest

_ATTEMPT_LINE = re.compile(r"^[\s#*]*attempt (\d+) of \d+[\s.:*]*$", re.IGNORECASE | re.MULTILINE)
_ROLE_LINE = re.compile(r"^role: (plan|code|review|verify)\s*$", re.IGNORECASE | re.MULTILINE)
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Reading:
    """A request as scripts see it."""

    request: ModelRequest

    @cached_property
    def step(self) -> int:
        """Number of the answer that is asked for: one more than the answers in the conversation."""
        return 1 + sum(message.role == "assistant" for message in self.request.messages)

    @cached_property
    def attempt(self) -> int:
        """From the last line ``Attempt 2 of 6`` of the first user turn, else of the system text; 1 without one."""
        opening = self.request.messages[0].text if self.request.messages else ""
        for text in (opening, self.request.system):
            found = _ATTEMPT_LINE.findall(text)
            if found:
                return int(found[-1])
        return 1

    @cached_property
    def role(self) -> str:
        """From a line ``Role: plan`` of the system text, which also comes over a wire; else the request's own."""
        found = _ROLE_LINE.search(self.request.system)
        return found.group(1).lower() if found else self.request.role

    @cached_property
    def text(self) -> str:
        """All that the model reads, words and tool results and tool input alike."""
        return "\n".join([self.request.system, *map(_message_text, self.request.messages)])

    @cached_property
    def last_text(self) -> str:
        """The last user turn."""
        turns = [message for message in self.request.messages if message.role == "user"]
        return _message_text(turns[-1]) if turns else ""

    @cached_property
    def input_tokens(self) -> int:
        """Weight of the whole request: a token for every four bytes begun."""
        return _tokens(self._head_bytes + sum(self._message_bytes))

    @cached_property
    def cached_tokens(self) -> int:
        """The part that the previous request of this conversation had already sent; 0 for a first step."""
        answers = [at for at, message in enumerate(self.request.messages) if message.role == "assistant"]
        if not answers:
            return 0
        return (self._head_bytes + sum(self._message_bytes[: answers[-1]])) // _BYTES_PER_TOKEN

    @cached_property
    def _head_bytes(self) -> int:
        tools = [tool.model_dump(mode="json") for tool in self.request.tools]
        return len(self.request.system.encode("utf-8", "replace")) + len(
            canonical_json(tools).encode("utf-8", "replace")
        )

    @cached_property
    def _message_bytes(self) -> list[int]:
        return [
            sum(len(_part_text(part).encode("utf-8", "replace")) for part in message.parts)
            for message in self.request.messages
        ]


def find_step(script: Script, reading: Reading) -> tuple[Play, Step] | None:
    """The first play that fits and has an answer for this step, with that answer."""
    for play in script.plays:
        if not _fits(play.when, reading):
            continue
        index = reading.step - _first(play.when)
        if play.repeat:
            index %= len(play.steps)
        if 0 <= index < len(play.steps):
            return play, play.steps[index]
    return None


def output_tokens(parts: tuple[Part, ...]) -> int:
    """Weight of an answer, at least one token."""
    return max(1, _tokens(sum(len(_part_text(part).encode("utf-8", "replace")) for part in parts)))


def _first(when: When) -> int:
    """The step at which a play with this condition begins."""
    match when.step:
        case None:
            return 1
        case int(number):
            return number
        case Span(from_=first):
            return first or 1
        case numbers:
            return min(numbers, default=1)


def _fits(when: When, reading: Reading) -> bool:
    model = reading.request.model
    return (
        (not when.model or any(fnmatch.fnmatchcase(model, pattern) for pattern in when.model))
        and (when.role is None or when.role == reading.role)
        and _among(when.step, reading.step)
        and _among(when.attempt, reading.attempt)
        and all(text in reading.text for text in when.contains)
        and not any(text in reading.text for text in when.lacks)
        and all(text in reading.last_text for text in when.last_contains)
        and (when.matches is None or re.search(when.matches, reading.text) is not None)
    )


def _among(wanted: int | tuple[int, ...] | Span | None, number: int) -> bool:
    match wanted:
        case None:
            return True
        case int(one):
            return one == number
        case Span(from_=first, to=last):
            return (first or 1) <= number and (last is None or number <= last)
        case numbers:
            return number in numbers


def _tokens(size: int) -> int:
    return -(-size // _BYTES_PER_TOKEN)


def _message_text(message: Message) -> str:
    return "\n".join(map(_part_text, message.parts))


def _part_text(part: Part) -> str:
    if isinstance(part, Reasoning):
        return canonical_json(part.payload)
    if isinstance(part, ToolCall):
        return f"{part.name} {part.raw if part.arguments is None else canonical_json(part.arguments)}"
    if isinstance(part, Text):
        return part.text
    return part.text
