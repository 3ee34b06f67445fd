"""What a request shares with the one before it is the same bytes, and nearly all of it is marked for caching."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.adapters.llm.requests import conversation, request, said
from tests.adapters.llm.stages import WireStage
from tests.fakes.wire.dialects import ANTHROPIC, DIALECTS, OPENAI
from thirdshift.core.conversation import Message, Reasoning, Text, ToolCall, ToolResult, said_by_user
from thirdshift.core.ports import ModelRequest

MARK = b',"cache_control":{"type":"ephemeral"}'


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.kind)
def stage(request: pytest.FixtureRequest) -> WireStage:
    return WireStage(request.param)


async def bodies(stage: WireStage, *requests: ModelRequest) -> list[bytes]:
    """The raw bodies that these requests are sent as."""
    reply = stage.dialect.streamed(said(Text(text="Hm.")))
    async with stage.served(lambda _: reply) as (model, server):
        for each in requests:
            await model.answer(each, lambda: None)
    return [recorded.body for recorded in server.requests]


def turns(body: bytes) -> list[bytes]:
    """The turns of a body, each in the very bytes that were sent."""
    key = "input" if "input" in json.loads(body) else "messages"
    found = [json.dumps(turn, ensure_ascii=False, separators=(",", ":")).encode() for turn in json.loads(body)[key]]
    assert all(turn in body for turn in found), "the bytes sent are those compared"
    return found


def unmarked(body: bytes) -> bytes:
    return body.replace(MARK, b"")


async def test_each_request_begins_with_all_of_the_one_before_it(stage: WireStage) -> None:
    sent = await bodies(stage, *(request(*conversation(steps)) for steps in range(12)))
    for earlier, later in itertools.pairwise(sent):
        before = [unmarked(turn) for turn in turns(earlier)]
        after = [unmarked(turn) for turn in turns(later)]
        assert after[: len(before)] == before
        assert len(after) > len(before)
        rest = [json.loads(body) for body in (earlier, later)]
        for body in rest:
            body.pop("messages", None)
            body.pop("input", None)
        assert json.dumps(rest[0]) == json.dumps(rest[1])


async def test_the_order_of_keys_in_a_stored_conversation_makes_no_difference(stage: WireStage) -> None:
    def turn(arguments: dict[str, Any], thought: dict[str, Any]) -> ModelRequest:
        call = ToolCall(id="a", name="bash", arguments=arguments)
        return request(
            said_by_user("Go."),
            Message(role="assistant", parts=(Reasoning(dialect=stage.kind, payload=thought), call)),
            Message(role="user", parts=(ToolResult(call_id="a", text="ok"),)),
        )

    thought = THOUGHTS[stage.kind]
    one, other = await bodies(
        stage,
        turn({"alpha": {"x": 1, "y": 2}, "zeta": 3}, thought),
        turn({"zeta": 3, "alpha": {"y": 2, "x": 1}}, dict(reversed(thought.items()))),
    )
    assert one == other


THOUGHTS: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
    "openai": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbGVk"},
    "openai-chat": {"reasoning_content": "Hm.", "reasoning": "Hm."},
}


async def test_at_step_30_nearly_all_bytes_lie_in_the_prefix_that_was_cached_before() -> None:
    (body,) = await bodies(WireStage(ANTHROPIC), request(*conversation(29)))
    marks = [at for at in range(len(body)) if body.startswith(MARK, at)]
    assert len(marks) == 4
    content = json.loads(body)
    read = len(json.dumps([content["tools"], content["system"], content["messages"]]))
    fresh = len(json.dumps(content["messages"][-2:]))
    assert (read - fresh) / read >= 0.95


async def test_marks_stand_at_the_tools_the_system_and_the_last_two_user_turns() -> None:
    (body,) = await bodies(WireStage(ANTHROPIC), request(*conversation(5)))
    content = json.loads(body)
    marked_turns = [
        at for at, turn in enumerate(content["messages"]) if any("cache_control" in block for block in turn["content"])
    ]
    assert marked_turns == [len(content["messages"]) - 3, len(content["messages"]) - 1]
    assert [("cache_control" in tool) for tool in content["tools"]] == [False, True]
    assert "cache_control" in content["system"][-1]


async def test_the_mark_of_a_request_is_where_the_next_request_marks_its_prefix() -> None:
    earlier, later = await bodies(WireStage(ANTHROPIC), request(*conversation(5)), request(*conversation(6)))
    written = json.loads(earlier)["messages"]
    read = json.loads(later)["messages"]
    assert "cache_control" in written[-1]["content"][-1]
    assert read[len(written) - 1] == written[-1]


async def test_a_first_request_has_no_more_marks_than_there_are_places() -> None:
    (body,) = await bodies(WireStage(ANTHROPIC), request())
    assert body.count(MARK) == 3


async def test_openai_is_told_which_conversation_a_request_belongs_to() -> None:
    stage = WireStage(OPENAI)
    steps = [request(*conversation(1)), request(*conversation(2)), request(said_by_user("Something else."))]
    first, second, other = [json.loads(body)["prompt_cache_key"] for body in await bodies(stage, *steps)]
    assert first == second != other
