"""The Chat Completions format, from the server's side."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.wire.messages_wire import raw_input
from tests.fakes.wire.sse import event, halves
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.errors import FaultKind
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind, ToolSpec
from thirdshift.core.usage import Usage

PATH = "/v1/chat/completions"
STOPS = {
    StopKind.TOOLS: "tool_calls",
    StopKind.END: "stop",
    StopKind.MAX_TOKENS: "length",
    StopKind.REFUSAL: "content_filter",
}
ERRORS = {
    FaultKind.RATE_LIMITED: (429, "requests", "rate_limit_exceeded"),
    FaultKind.OVERLOADED: (503, "server_error", "overloaded"),
    FaultKind.SERVER_ERROR: (500, "server_error", None),
    FaultKind.QUOTA_EXHAUSTED: (429, "insufficient_quota", "insufficient_quota"),
    FaultKind.UNAUTHORIZED: (401, "invalid_request_error", "invalid_api_key"),
    FaultKind.FORBIDDEN: (403, "invalid_request_error", "unsupported_country_region_territory"),
    FaultKind.UNKNOWN_MODEL: (404, "invalid_request_error", "model_not_found"),
    FaultKind.TOO_LONG: (400, "invalid_request_error", "context_length_exceeded"),
    FaultKind.BAD_REQUEST: (400, "invalid_request_error", "invalid_value"),
}


def error_body(kind: FaultKind, message: str) -> tuple[int, dict[str, Any]]:
    """Status and body of an error answer."""
    status, name, code = ERRORS[kind]
    return status, {"error": {"message": message, "type": name, "param": None, "code": code}}


def error_event(kind: FaultKind, message: str) -> bytes:
    """The same error, inside a stream."""
    return event(None, error_body(kind, message)[1])


def whole(answer: ModelAnswer) -> dict[str, Any]:
    """The answer to a client that does not stream."""
    message = _message_fields(answer)
    body = _head(answer, "chat.completion")
    body["choices"] = [{"index": 0, "message": message, "finish_reason": STOPS[answer.stop], "logprobs": None}]
    return body | ({"usage": usage_fields(answer.usage)} if answer.usage else {})


def stream(answer: ModelAnswer, *, include_usage: bool = True) -> list[bytes]:
    """The answer as events, closed by the usage and ``[DONE]``."""
    message = _message_fields(answer)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    for name in ("reasoning_content", "content", "refusal"):
        deltas += [{name: piece} for piece in halves(message.get(name) or "")]
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        deltas.append(
            {"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]}
        )
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in halves(function["arguments"])
        ]
    frames = [_chunk(answer, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    frames.append(_chunk(answer, [{"index": 0, "delta": {}, "finish_reason": STOPS[answer.stop]}]))
    if include_usage and answer.usage:
        frames.append(_chunk(answer, [], usage_fields(answer.usage)))
    return [*frames, event(None, "[DONE]")]


def _head(answer: ModelAnswer, kind: str) -> dict[str, Any]:
    return {
        "id": answer.request_id or "chatcmpl-1",
        "object": kind,
        "created": 1735689600,
        "model": answer.served_model,
    }


def _chunk(answer: ModelAnswer, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
    body = {**_head(answer, "chat.completion.chunk"), "choices": choices}
    return event(None, body | ({"usage": usage} if usage else {}))


def _message_fields(answer: ModelAnswer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.message.text or None}
    for part in answer.message.parts:
        if isinstance(part, Reasoning):
            words = part.payload.get("reasoning_content") or part.payload.get("text")
            message["reasoning_content"] = str(words or "")
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": raw_input(call)}}
        for call in answer.message.tool_calls
    ]
    return message | ({"tool_calls": calls} if calls else {})


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Counts as OpenAI nests them: what was cached is part of the prompt."""
    return {
        "prompt_tokens": usage.all_input,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.all_input + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_5m_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def read_request(body: dict[str, Any]) -> ModelRequest:
    """A request body in our own terms; tool results and the user's words after them are one turn."""
    system: list[str] = []
    turns: list[Message] = []
    for message in body["messages"]:
        if message["role"] in ("system", "developer"):
            system.append(_words(message.get("content")))
            continue
        role, parts = _turn(message)
        if role == "user" and turns and turns[-1].role == "user":
            parts = (*turns.pop().parts, *parts)
        turns.append(Message(role=role, parts=parts))
    tools = [
        ToolSpec(
            name=tool["function"]["name"],
            description=tool["function"].get("description") or "",
            parameters=tool["function"].get("parameters") or {},
        )
        for tool in body.get("tools") or ()
    ]
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or 8192
    return ModelRequest(
        model=body["model"],
        system="\n".join(system),
        messages=tuple(turns),
        tools=tuple(tools),
        max_output_tokens=limit,
    )


def _turn(message: dict[str, Any]) -> tuple[Any, tuple[Part, ...]]:
    words = _words(message.get("content"))
    if message["role"] == "tool":
        return "user", (ToolResult(call_id=message.get("tool_call_id", ""), text=words),)
    parts: list[Part] = []
    if message.get("reasoning_content"):
        payload = {"reasoning_content": message["reasoning_content"]}
        parts.append(Reasoning(dialect="openai-chat", payload=payload))
    if words:
        parts.append(Text(text=words))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        parts.append(ToolCall(id=call["id"], name=function["name"], arguments=json.loads(function["arguments"])))
    return message["role"], tuple(parts)


def _words(content: Any) -> str:
    if isinstance(content, list):
        return "".join(piece.get("text", "") for piece in content)
    return content or ""
