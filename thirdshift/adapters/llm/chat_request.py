"""A request in the Chat Completions format, for OpenAI and for every server that is compatible with it."""

from __future__ import annotations

from typing import Any

from thirdshift.adapters.llm.canonical import (
    EMPTY,
    answered_turns,
    canonical,
    canonical_json,
    result_text,
    sendable_parts,
    sent_arguments,
)
from thirdshift.adapters.llm.openai_client import cache_key
from thirdshift.adapters.llm.tool_names import sendable_name
from thirdshift.core.conversation import Message, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.ports import ModelRequest

DIALECT = "openai-chat"


def chat_body(request: ModelRequest, *, vendor_itself: bool) -> dict[str, Any]:
    """The body of a request.

    Compatible servers know ``max_tokens`` and may refuse fields that are new; OpenAI itself wants
    ``max_completion_tokens`` and makes use of ``prompt_cache_key``.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": chat_messages(request),
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": canonical(tool.parameters),
                },
            }
            for tool in request.tools
        ]
    if request.effort is not None:
        body["reasoning_effort"] = request.effort
    if vendor_itself:
        body["max_completion_tokens"] = request.max_output_tokens
        body["prompt_cache_key"] = cache_key(request)
    else:
        body["max_tokens"] = request.max_output_tokens
    return body


def chat_messages(request: ModelRequest) -> list[dict[str, Any]]:
    """System text and turns as chat messages; a tool result is a message of its own."""
    messages: list[dict[str, Any]] = []
    if request.system.strip():
        messages.append({"role": "system", "content": request.system})
    for message in answered_turns(request.messages):
        messages += _assistant(message) if message.role == "assistant" else _user(message)
    return messages


def _user(message: Message) -> list[dict[str, Any]]:
    parts = sendable_parts(message, DIALECT)
    sent: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": part.call_id, "content": result_text(part)}
        for part in parts
        if isinstance(part, ToolResult)
    ]
    words = "".join(part.text for part in parts if isinstance(part, Text))
    if words or not sent:
        sent.append({"role": "user", "content": words or EMPTY})
    return sent


def _assistant(message: Message) -> list[dict[str, Any]]:
    parts = sendable_parts(message, DIALECT)
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    words = "".join(part.text for part in parts if isinstance(part, Text))
    turn: dict[str, Any] = {"role": "assistant", "content": words or (None if calls else EMPTY)}
    for part in parts:
        if isinstance(part, Reasoning):
            turn.update(canonical(part.payload))
    if calls:
        turn["tool_calls"] = calls
    return [turn]


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": sendable_name(call.name), "arguments": canonical_json(sent_arguments(call))}
    return {"id": call.id, "type": "function", "function": function}
