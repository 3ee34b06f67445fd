"""Redaction of whole documents: every text in an answer, a message or a JSON value, by the same rules as one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.ports import ModelAnswer
from thirdshift.core.text import Redactor

Redact = Callable[[str], str]


def redact_json(value: Any, redact: Redact) -> Any:
    """The value with every text in it redacted, keys of objects included."""
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {redact(key): redact_json(part, redact) for key, part in value.items()}
        case list() | tuple():
            return [redact_json(part, redact) for part in value]
        case _:
            return value


def redact_answer(answer: ModelAnswer, redactor: Redactor) -> ModelAnswer:
    """The answer as it may be kept; the same object where there is nothing to hide.

    Words lose known values and every pattern. What a tool is to be given loses known values and the shapes of
    vendors' keys alone: a password in a URL is ordinary configuration there, and the tool has to get what was meant.
    """
    message = redact_message(answer.message, redactor)
    return answer if message is answer.message else answer.model_copy(update={"message": message})


def redact_message(message: Message, redactor: Redactor) -> Message:
    """One turn as it may be kept; the same object where there is nothing to hide."""
    parts = tuple(kept for part in message.parts if (kept := _redacted(part, redactor)) is not None)
    return message if parts == message.parts else message.model_copy(update={"parts": parts})


def _redacted(part: Part, redactor: Redactor) -> Part | None:
    """The part without secrets; None where only leaving it out does."""
    match part:
        case Text() | ToolResult():
            text = redactor(part.text)
            return part if text == part.text else part.model_copy(update={"text": text})
        case ToolCall():
            arguments = redact_json(part.arguments, redactor.values_and_keys)
            raw = redactor.values_and_keys(part.raw)
            if arguments == part.arguments and raw == part.raw:
                return part
            return part.model_copy(update={"arguments": arguments, "raw": raw})
        case Reasoning():
            # Vendors sign it, so it is sent back whole or not at all.
            hides = redact_json(part.payload, redactor.values) == part.payload
            return part if hides else None
