"""A conversation in no vendor's dialect: what is stored, replayed and sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from thirdshift.core.frozen import Frozen


class Text(Frozen):
    """Words."""

    kind: Literal["text"] = "text"
    text: str


class Reasoning(Frozen):
    """A vendor's reasoning item, opaque: sent back unchanged to the same vendor's API, dropped for others."""

    kind: Literal["reasoning"] = "reasoning"
    dialect: str
    """Which wire format it came from: ``anthropic``, ``openai`` or ``openai-chat``."""
    payload: dict[str, Any]


class ToolCall(Frozen):
    """A tool the model asked for. ``arguments`` is None where its input was no JSON object."""

    kind: Literal["tool_call"] = "tool_call"
    id: str
    name: str
    arguments: dict[str, Any] | None
    raw: str = ""
    """The input as the model wrote it, kept only when it did not parse."""


class ToolResult(Frozen):
    """What a tool call gave, bounded and with hostile characters made visible."""

    kind: Literal["tool_result"] = "tool_result"
    call_id: str
    text: str
    is_error: bool = False


Part = Annotated[Text | Reasoning | ToolCall | ToolResult, Field(discriminator="kind")]


class Message(Frozen):
    """One turn. Tool results travel in a ``user`` message, as every vendor has it in the end."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All words of the turn, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools asked for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


def said_by_user(text: str) -> Message:
    """A user turn of plain words."""
    return Message(role="user", parts=(Text(text=text),))
