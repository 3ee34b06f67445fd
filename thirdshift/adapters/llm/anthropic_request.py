"""A request in the Messages format, with its cache marks.

Vendors read a request as tools, then system, then messages. Four marks are allowed. They sit at the end of the
tools, at the end of the system text, at the last user turn, and at the user turn before it: the latter is where the
previous request was written to the cache, and naming it makes the hit certain even when one step added more blocks
than the vendor looks back over.
"""

from __future__ import annotations

from typing import Any

from thirdshift.adapters.llm.canonical import (
    EMPTY,
    answered_turns,
    canonical,
    sendable_parts,
    sent_arguments,
)
from thirdshift.adapters.llm.tool_names import sendable_name
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall
from thirdshift.core.ports import ModelRequest

DIALECT = "anthropic"
_MARK = {"type": "ephemeral"}
_LEAST_THINKING_TOKENS = 1024


def anthropic_prompt(request: ModelRequest) -> dict[str, Any]:
    """What the model reads: ``model``, ``tools``, ``system`` and ``messages``, marked for caching."""
    prompt: dict[str, Any] = {"model": request.model, "messages": _messages(request)}
    if request.tools:
        prompt["tools"] = [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": canonical(tool.parameters),
            }
            for tool in request.tools
        ]
        prompt["tools"][-1]["cache_control"] = _MARK
    if request.system.strip():
        prompt["system"] = [{"type": "text", "text": request.system, "cache_control": _MARK}]
    return prompt


def anthropic_effort(request: ModelRequest) -> dict[str, Any]:
    """The vendor's parameters for an effort, none where none is set.

    ``off`` switches thinking off; a number is a budget of thinking tokens, for models that know no effort; any other
    word is the vendor's own (``low`` ... ``max``), with adaptive thinking.
    """
    effort = request.effort
    if effort is None:
        return {}
    if effort == "off":
        return {"thinking": {"type": "disabled"}}
    if effort.isdecimal():
        # A budget must lie under max_tokens, which a small remaining money budget may have lowered.
        budget = min(int(effort), request.max_output_tokens - 1)
        if budget < _LEAST_THINKING_TOKENS:
            return {}
        return {"thinking": {"type": "enabled", "budget_tokens": budget}}
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}


def _messages(request: ModelRequest) -> list[dict[str, Any]]:
    turns = [_turn(message) for message in answered_turns(request.messages)]
    spoken = [turn for turn in turns if turn["role"] == "user"]
    for turn in spoken[-2:]:
        turn["content"][-1]["cache_control"] = _MARK
    return turns


def _turn(message: Message) -> dict[str, Any]:
    blocks = [_block(part) for part in sendable_parts(message, DIALECT)]
    return {"role": message.role, "content": blocks or [{"type": "text", "text": EMPTY}]}


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Reasoning):
        payload: dict[str, Any] = canonical(part.payload)
        return payload
    if isinstance(part, ToolCall):
        name = sendable_name(part.name)
        return {"type": "tool_use", "id": part.id, "name": name, "input": sent_arguments(part)}
    block = {"type": "tool_result", "tool_use_id": part.call_id, "content": part.text or EMPTY}
    return {**block, "is_error": True} if part.is_error else block
