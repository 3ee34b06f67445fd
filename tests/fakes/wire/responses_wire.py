"""The Responses format, from the server's side."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

from tests.fakes.wire.chat_wire import error_body
from tests.fakes.wire.messages_wire import raw_input
from tests.fakes.wire.sse import event, halves
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.errors import FaultKind
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind, ToolSpec
from thirdshift.core.usage import Usage

PATH = "/v1/responses"
__all__ = ["PATH", "error_body", "error_event", "read_request", "stream", "whole"]


def error_event(kind: FaultKind, message: str) -> bytes:
    """An error inside a stream."""
    error = error_body(kind, message)[1]["error"]
    body = {"type": "error", "code": error["code"] or error["type"], "message": message, "param": None}
    return event("error", {**body, "sequence_number": 3})


def whole(answer: ModelAnswer) -> dict[str, Any]:
    """The answer to a client that does not stream."""
    incomplete = answer.stop is StopKind.MAX_TOKENS
    return {
        "id": answer.request_id or "resp_1",
        "object": "response",
        "created_at": 1735689600,
        "model": answer.served_model,
        "status": "incomplete" if incomplete else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if incomplete else None,
        "output": _output(answer),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": _usage(answer.usage) if answer.usage else None,
    }


def stream(answer: ModelAnswer) -> list[bytes]:
    """The answer as events."""
    final = whole(answer)
    started = {**final, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    bodies: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
    ]
    for index, item in enumerate(final["output"]):
        bodies.append({"type": "response.output_item.added", "output_index": index, "item": _begun(item)})
        bodies += [{**delta, "output_index": index, "item_id": item["id"]} for delta in _deltas(item)]
        bodies.append({"type": "response.output_item.done", "output_index": index, "item": item})
    bodies.append({"type": f"response.{final['status']}", "response": final})
    return [event(body["type"], {**body, "sequence_number": number}) for number, body in enumerate(bodies)]


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    begun = {**item, "status": "in_progress"}
    if item["type"] == "message":
        begun["content"] = []
    elif item["type"] == "function_call":
        begun["arguments"] = ""
    return begun


def _deltas(item: dict[str, Any]) -> list[dict[str, Any]]:
    if item["type"] == "function_call":
        name = "response.function_call_arguments.delta"
        return [{"type": name, "delta": piece} for piece in halves(item["arguments"])]
    if item["type"] == "message" and item["content"][0]["type"] == "output_text":
        name = "response.output_text.delta"
        return [
            {"type": name, "content_index": 0, "delta": piece, "logprobs": []}
            for piece in halves(item["content"][0]["text"])
        ]
    return []


def _output(answer: ModelAnswer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for index, part in enumerate(answer.message.parts):
        if isinstance(part, Text):
            content: dict[str, Any] = {"type": "output_text", "text": part.text, "annotations": []}
            if answer.stop is StopKind.REFUSAL:
                content = {"type": "refusal", "refusal": part.text}
            items.append(
                {
                    "type": "message",
                    "id": f"msg_{index}",
                    "role": "assistant",
                    "status": "completed",
                    "content": [content],
                }
            )
        elif isinstance(part, ToolCall):
            items.append(
                {
                    "type": "function_call",
                    "id": f"fc_{index}",
                    "call_id": part.id,
                    "name": part.name,
                    "arguments": raw_input(part),
                    "status": "completed",
                }
            )
        elif isinstance(part, Reasoning):
            items.append(_reasoning(part, index))
    return items


def _reasoning(part: Reasoning, index: int) -> dict[str, Any]:
    if part.dialect == "openai":
        return {**part.payload, "status": "completed"}
    sealed = base64.b64encode(str(part.payload.get("text", "")).encode()).decode()
    return {
        "type": "reasoning",
        "id": f"rs_{index}",
        "summary": [],
        "encrypted_content": sealed,
        "status": "completed",
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.all_input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_5m_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.all_input + usage.output_tokens,
    }


def read_request(body: dict[str, Any]) -> ModelRequest:
    """A request body in our own terms; neighbouring items of one side are one turn."""
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    turns: list[Message] = []
    for item in items:
        role, part = _part(item)
        if turns and turns[-1].role == role:
            turns.append(Message(role=role, parts=(*turns.pop().parts, part)))
        else:
            turns.append(Message(role=role, parts=(part,)))
    tools = [
        ToolSpec(name=tool["name"], description=tool.get("description") or "", parameters=tool["parameters"])
        for tool in body.get("tools") or ()
        if tool.get("type") == "function"
    ]
    return ModelRequest(
        model=body["model"],
        system=body.get("instructions") or "",
        messages=tuple(turns),
        tools=tuple(tools),
        max_output_tokens=body.get("max_output_tokens") or 8192,
    )


def _part(item: dict[str, Any]) -> tuple[Literal["user", "assistant"], Part]:
    match item.get("type", "message"):
        case "function_call":
            arguments = json.loads(item["arguments"])
            return "assistant", ToolCall(id=item["call_id"], name=item["name"], arguments=arguments)
        case "function_call_output":
            return "user", ToolResult(call_id=item["call_id"], text=item["output"])
        case "reasoning":
            return "assistant", Reasoning(dialect="openai", payload=item)
        case _:
            content = item["content"]
            if isinstance(content, list):
                content = "".join(piece.get("text") or piece.get("refusal", "") for piece in content)
            return ("assistant" if item["role"] == "assistant" else "user"), Text(text=content)
