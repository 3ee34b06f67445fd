"""Turns made fit for any wire, always into the same bytes.

A prompt cache is hit only by an identical prefix, so whatever is sent for a message must depend on that message
(and the one after it) alone, not on the order in which a database returned the keys of an object.
"""

from __future__ import annotations

import json
from typing import Any

from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult

EMPTY = "(empty)"
"""Stands for a turn or a result without content, which vendors refuse."""
NOT_RUN = "This call was not run."
"""The result of a call that nobody answered; vendors refuse a call without one."""
UNPARSED = "unparsed_input"
"""The key under which tool input that was no JSON object goes back to the model."""


def canonical(value: Any) -> Any:
    """The same JSON value with the keys of every object in order."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return value


def canonical_json(value: Any) -> str:
    """Compact JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced; models write them as escapes, and UTF-8 cannot carry them."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def well_formed_json(value: Any) -> Any:
    """A JSON value with every text in it made well-formed."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {well_formed(key): well_formed_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [well_formed_json(item) for item in value]
    return value


def read_tool_call(call_id: str, name: str, raw: str) -> ToolCall:
    """A tool call from its input as the model wrote it; no input at all means an empty object."""
    try:
        arguments = json.loads(raw, parse_constant=_refuse_constant) if raw.strip() else {}
    except (ValueError, RecursionError):
        arguments = None
    name = well_formed(name)
    if not isinstance(arguments, dict):
        return ToolCall(id=call_id, name=name, arguments=None, raw=well_formed(raw))
    return ToolCall(id=call_id, name=name, arguments=well_formed_json(arguments))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def sent_arguments(call: ToolCall) -> dict[str, Any]:
    """The input of a call as it goes back to a model: always an object, since servers choke on anything else."""
    if call.arguments is None:
        return {UNPARSED: call.raw}
    arguments: dict[str, Any] = canonical(call.arguments)
    return arguments


def sendable_parts(message: Message, dialect: str) -> tuple[Part, ...]:
    """What of a turn this dialect can be sent.

    Reasoning of other dialects is dropped, as is reasoning that nothing follows (its turn was cut there, and
    vendors refuse it alone), and so are words that are only blanks.
    """
    kept = [part for part in message.parts if not _unsendable(part, dialect)]
    while kept and isinstance(kept[-1], Reasoning):
        kept.pop()
    return tuple(kept)


def _unsendable(part: Part, dialect: str) -> bool:
    if isinstance(part, Reasoning):
        return part.dialect != dialect
    return isinstance(part, Text) and not part.text.strip()


def answered_turns(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns with a result for every tool call, results first in their turn.

    The last turn is left alone when it is the model's: a result may still come.
    """
    turns: list[Message] = []
    for message in messages:
        open_calls = _calls_without_result(turns, message)
        if message.role != "user" and open_calls:
            turns.append(Message(role="user", parts=tuple(map(_not_run, open_calls))))
        elif message.role == "user":
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            results += [_not_run(call) for call in open_calls]
            rest = [part for part in message.parts if not isinstance(part, ToolResult)]
            message = Message(role="user", parts=(*results, *rest))
        turns.append(message)
    return tuple(turns)


def _calls_without_result(turns: list[Message], message: Message) -> list[ToolCall]:
    if not turns or turns[-1].role != "assistant":
        return []
    answered = {part.call_id for part in message.parts if isinstance(part, ToolResult)}
    return [call for call in turns[-1].tool_calls if call.id not in answered]


def _not_run(call: ToolCall) -> ToolResult:
    return ToolResult(call_id=call.id, text=NOT_RUN, is_error=True)


def result_text(result: ToolResult) -> str:
    """A result for dialects that have no error flag: the text says it."""
    text = result.text or EMPTY
    if result.is_error and not text.lower().startswith("error"):
        return f"Error: {text}"
    return text
