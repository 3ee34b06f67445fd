"""Requests and answers that several suites use."""

from __future__ import annotations

from thirdshift.core.conversation import Message, Part, Text, ToolCall, ToolResult, said_by_user
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind, ToolSpec
from thirdshift.core.usage import Usage

MODEL = "test-model"
KEY = "sk-secret-0123456789abcdef"
BASH = ToolSpec(
    name="bash",
    description="Run a command.",
    parameters={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
FINISH = ToolSpec(
    name="finish",
    description="End the attempt.",
    parameters={"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]},
)
USAGE = Usage(input_tokens=70, cache_read_tokens=20, output_tokens=12, reasoning_tokens=4)


def request(*messages: Message, effort: str | None = None, timeout_seconds: float = 20.0) -> ModelRequest:
    """A request of a code role; with no messages, a first one."""
    return ModelRequest(
        model=MODEL,
        system="You repair code.",
        messages=messages or (said_by_user("Attempt 1 of 6\nMake the tests pass."),),
        tools=(BASH, FINISH),
        max_output_tokens=4096,
        effort=effort,
        timeout_seconds=timeout_seconds,
    )


def said(
    *parts: Part,
    stop: StopKind = StopKind.END,
    usage: Usage | None = USAGE,
    served_model: str = MODEL,
) -> ModelAnswer:
    """An answer of these parts."""
    return ModelAnswer(
        message=Message(role="assistant", parts=parts),
        stop=stop,
        usage=usage,
        served_model=served_model,
        request_id="req_1",
    )


def asked_for(command: str, call_id: str = "call_a") -> ToolCall:
    """A call of bash."""
    return ToolCall(id=call_id, name="bash", arguments={"command": command})


def conversation(steps: int) -> tuple[Message, ...]:
    """A conversation after so many steps, each one tool call and its result, as it would be sent next."""
    messages = [said_by_user("Attempt 1 of 6\n" + "Make the tests pass. " * 40)]
    for number in range(1, steps + 1):
        call = asked_for(f"pytest -q tests/test_{number}.py", f"call_{number}")
        messages.append(Message(role="assistant", parts=(Text(text=f"Step {number}."), call)))
        result = ToolResult(call_id=call.id, text=f"{number} failed\n" * 12, is_error=number % 5 == 0)
        messages.append(Message(role="user", parts=(result,)))
    return tuple(messages)
