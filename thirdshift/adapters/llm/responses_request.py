"""A request in the Responses format. Nothing is stored at the vendor: each request carries the whole conversation."""

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
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.ports import ModelRequest

DIALECT = "openai"
PHASE = "phase"
"""Newer models label their messages and want the label back; it travels as a reasoning part of this one key."""


def responses_prompt(request: ModelRequest) -> dict[str, Any]:
    """What the model reads: ``model``, ``instructions``, ``tools`` and ``input``."""
    prompt: dict[str, Any] = {"model": request.model, "input": _items(request)}
    if request.system.strip():
        prompt["instructions"] = request.system
    if request.tools:
        prompt["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": canonical(tool.parameters),
                "strict": False,
            }
            for tool in request.tools
        ]
    return prompt


def responses_settings(request: ModelRequest) -> dict[str, Any]:
    """The rest of the body.

    Encrypted reasoning is asked for only together with an effort: models that do not reason refuse the request
    otherwise, and models that do send it by default.
    """
    settings: dict[str, Any] = {
        "max_output_tokens": request.max_output_tokens,
        "store": False,
        "prompt_cache_key": cache_key(request),
    }
    if request.effort is not None:
        settings["reasoning"] = {"effort": request.effort}
        settings["include"] = ["reasoning.encrypted_content"]
    return settings


def _items(request: ModelRequest) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for message in answered_turns(request.messages):
        items += _assistant(message) if message.role == "assistant" else _user(message)
    return items


def _user(message: Message) -> list[dict[str, Any]]:
    parts = sendable_parts(message, DIALECT)
    items: list[dict[str, Any]] = [
        {"type": "function_call_output", "call_id": part.call_id, "output": result_text(part)}
        for part in parts
        if isinstance(part, ToolResult)
    ]
    words = "".join(part.text for part in parts if isinstance(part, Text))
    if words or not items:
        items.append({"role": "user", "content": words or EMPTY})
    return items


def _assistant(message: Message) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    label: dict[str, Any] = {}
    for part in sendable_parts(message, DIALECT):
        if isinstance(part, Reasoning) and set(part.payload) == {PHASE}:
            label = part.payload
            continue
        item = _item(part)
        if isinstance(part, Text):
            item, label = {**item, **label}, {}
        if item:
            items.append(item)
    return items or [_said(EMPTY)]


def _said(words: str) -> dict[str, Any]:
    # The long form: compatible servers take the model's own words in no other.
    content = {"type": "output_text", "text": words, "annotations": []}
    return {"type": "message", "role": "assistant", "content": [content]}


def _item(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return _said(part.text)
    if isinstance(part, ToolCall):
        arguments = canonical_json(sent_arguments(part))
        name = sendable_name(part.name)
        return {"type": "function_call", "call_id": part.id, "name": name, "arguments": arguments}
    if isinstance(part, Reasoning) and (part.payload.get("encrypted_content") or part.payload.get("content")):
        payload: dict[str, Any] = canonical(part.payload)
        return payload
    # Reasoning by reference alone means nothing to a vendor that stored nothing.
    return {}
