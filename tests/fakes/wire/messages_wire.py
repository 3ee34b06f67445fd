"""The Messages format, from the server's side."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.wire.sse import event, halves
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.errors import FaultKind
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind, ToolSpec
from thirdshift.core.usage import Usage

PATH = "/v1/messages"
STOPS = {
    StopKind.TOOLS: "tool_use",
    StopKind.END: "end_turn",
    StopKind.MAX_TOKENS: "max_tokens",
    StopKind.REFUSAL: "refusal",
}
ERRORS = {
    FaultKind.RATE_LIMITED: (429, "rate_limit_error"),
    FaultKind.OVERLOADED: (529, "overloaded_error"),
    FaultKind.SERVER_ERROR: (500, "api_error"),
    FaultKind.QUOTA_EXHAUSTED: (402, "billing_error"),
    FaultKind.UNAUTHORIZED: (401, "authentication_error"),
    FaultKind.FORBIDDEN: (403, "permission_error"),
    FaultKind.UNKNOWN_MODEL: (404, "not_found_error"),
    FaultKind.TOO_LONG: (400, "invalid_request_error"),
    FaultKind.BAD_REQUEST: (400, "invalid_request_error"),
}
WORDS = {
    FaultKind.TOO_LONG: "prompt is too long: 210000 tokens > 200000 maximum",
    FaultKind.UNKNOWN_MODEL: "model: no-such-model",
}


def error_body(kind: FaultKind, message: str) -> tuple[int, dict[str, Any]]:
    """Status and body of an error answer."""
    status, name = ERRORS[kind]
    return status, {"type": "error", "error": {"type": name, "message": WORDS.get(kind, message)}}


def error_event(kind: FaultKind, message: str) -> bytes:
    """The same error, inside a stream."""
    return event("error", error_body(kind, message)[1])


def whole(answer: ModelAnswer) -> dict[str, Any]:
    """The answer to a client that does not stream."""
    body = {
        "id": answer.request_id or "msg_1",
        "type": "message",
        "role": "assistant",
        "model": answer.served_model,
        "content": [_block(part) for part in answer.message.parts],
        "stop_reason": STOPS[answer.stop],
        "stop_sequence": None,
    }
    return body | ({"usage": _usage(answer.usage)} if answer.usage else {})


def stream(answer: ModelAnswer) -> list[bytes]:
    """The answer as events."""
    start: dict[str, Any] = whole(answer) | {"content": [], "stop_reason": None}
    if answer.usage:
        start["usage"] = _usage(answer.usage) | {"output_tokens": 1}
    frames = [event("message_start", {"type": "message_start", "message": start}), event("ping", {"type": "ping"})]
    for index, part in enumerate(answer.message.parts):
        for body in _block_events(part):
            frames.append(event(body["type"], {**body, "index": index}))
    delta: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": STOPS[answer.stop], "stop_sequence": None},
    }
    if answer.usage:
        delta["usage"] = {
            "output_tokens": answer.usage.output_tokens,
            "output_tokens_details": {"thinking_tokens": answer.usage.reasoning_tokens},
        }
    return [*frames, event("message_delta", delta), event("message_stop", {"type": "message_stop"})]


def _block_events(part: Part) -> list[dict[str, Any]]:
    block = _block(part)
    deltas: list[dict[str, Any]] = []
    if isinstance(part, Text):
        block["text"] = ""
        deltas = [{"type": "text_delta", "text": piece} for piece in halves(part.text)]
    elif isinstance(part, ToolCall):
        block["input"] = {}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in halves(raw_input(part))]
    elif block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in halves(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        block |= {"thinking": "", "signature": ""}
    return [
        {"type": "content_block_start", "content_block": block},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "content_block_stop"},
    ]


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments or {}}
    if isinstance(part, Reasoning) and part.dialect == "anthropic":
        return dict(part.payload)
    if isinstance(part, Reasoning):
        return {"type": "thinking", "thinking": str(part.payload.get("text", "")), "signature": "c2lnbmVk"}
    raise TypeError(f"a model does not answer with {part.kind}")


def raw_input(call: ToolCall) -> str:
    """The tool input as the model wrote it."""
    return call.raw if call.arguments is None else json.dumps(call.arguments)


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
        "server_tool_use": {"web_search_requests": usage.server_tool_requests, "web_fetch_requests": 0},
    }


def read_request(body: dict[str, Any]) -> ModelRequest:
    """A request body in our own terms."""
    system = body.get("system") or ""
    if isinstance(system, list):
        system = "".join(block["text"] for block in system)
    tools = [
        ToolSpec(name=tool["name"], description=tool.get("description", ""), parameters=tool["input_schema"])
        for tool in body.get("tools") or ()
        if "input_schema" in tool
    ]
    return ModelRequest(
        model=body["model"],
        system=system,
        messages=tuple(_message(message) for message in body["messages"]),
        tools=tuple(tools),
        max_output_tokens=body.get("max_tokens") or 8192,
    )


def _message(message: dict[str, Any]) -> Message:
    content = message["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts = [part for block in content if (part := _part(block)) is not None]
    return Message(role=message["role"], parts=tuple(parts))


def _part(block: dict[str, Any]) -> Part | None:
    match block["type"]:
        case "text":
            return Text(text=block["text"])
        case "tool_use":
            return ToolCall(id=block["id"], name=block["name"], arguments=block["input"])
        case "tool_result":
            content = block.get("content") or ""
            if isinstance(content, list):
                content = "".join(piece.get("text", "") for piece in content)
            return ToolResult(call_id=block["tool_use_id"], text=content, is_error=bool(block.get("is_error")))
        case "thinking" | "redacted_thinking":
            payload = {key: value for key, value in block.items() if key != "cache_control"}
            return Reasoning(dialect="anthropic", payload=payload)
        case _:
            return None
