"""What each dialect does with a conversation, and what only its vendor says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.adapters.llm.requests import asked_for, request, said
from tests.adapters.llm.stages import WireStage
from tests.fakes.wire.dialects import ANTHROPIC, DIALECTS, OPENAI, OPENAI_CHAT
from tests.fakes.wire.http_server import Reply, json_reply
from tests.fakes.wire.sse import event
from thirdshift.core.conversation import Message, Part, Reasoning, Text, ToolCall, ToolResult, said_by_user
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.usage import Usage


async def sent(dialect: Any, asked: ModelRequest) -> dict[str, Any]:
    """The body that a request is sent as."""
    stage = WireStage(dialect)
    reply = dialect.streamed(said(Text(text="Hm.")))
    async with stage.served(lambda _: reply) as (model, server):
        await model.answer(asked, lambda: None)
    body: dict[str, Any] = server.requests[0].json
    return body


async def read(dialect: Any, frames: list[bytes], headers: dict[str, str] | None = None) -> ModelAnswer:
    """The answer that a stream is read as."""
    async with WireStage(dialect).model(Reply(chunks=frames, headers=headers or {})) as model:
        return await model.answer(request(), lambda: None)


def after(*parts: Any, results: tuple[ToolResult, ...] = (), words: str = "") -> ModelRequest:
    """A request whose last answer was made of these parts."""
    reply: tuple[Part, ...] = (*results, Text(text=words)) if words else results
    turns = [said_by_user("Go."), Message(role="assistant", parts=parts)]
    return request(*turns, Message(role="user", parts=reply or (Text(text="And?"),)))


THOUGHTS: list[tuple[Any, dict[str, Any]]] = [
    (ANTHROPIC, {"type": "thinking", "thinking": "Hm, the rounding.", "signature": "c2lnbmF0dXJl"}),
    (ANTHROPIC, {"type": "redacted_thinking", "data": "b3BhcXVl"}),
    (OPENAI, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbGVk"}),
    (OPENAI_CHAT, {"reasoning_content": "Hm, the rounding."}),
]


@pytest.mark.parametrize(("dialect", "payload"), THOUGHTS)
async def test_reasoning_comes_back_opaque_and_is_sent_back_unchanged(dialect: Any, payload: dict[str, Any]) -> None:
    thought = Reasoning(dialect=dialect.kind, payload=payload)
    got = await read(dialect, dialect.stream(said(thought, asked_for("ls"), stop=StopKind.TOOLS)))
    assert got.message.parts[0] == thought
    back = await sent(dialect, after(*got.message.parts))
    turns = back.get("messages") or back["input"]
    if dialect is ANTHROPIC:
        assert turns[1]["content"][0] == payload
    elif dialect is OPENAI:
        assert turns[1] == payload
    else:
        assert turns[2]["reasoning_content"] == payload["reasoning_content"]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_reasoning_of_another_dialect_is_dropped(dialect: Any) -> None:
    thought = Reasoning(dialect="elsewhere", payload={"type": "odd", "secret": "unsendable"})
    assert "unsendable" not in json.dumps(await sent(dialect, after(thought, Text(text="Yes."))))


@pytest.mark.parametrize(("dialect", "payload"), THOUGHTS)
async def test_reasoning_that_nothing_follows_is_dropped_as_vendors_refuse_it_alone(
    dialect: Any, payload: dict[str, Any]
) -> None:
    body = await sent(dialect, after(Reasoning(dialect=dialect.kind, payload=payload)))
    assert not any(str(value) in json.dumps(body) for value in payload.values() if len(str(value)) > 9)
    assert "(empty)" in json.dumps(body)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_two_calls_and_their_results_go_out_as_the_server_reads_them(dialect: Any) -> None:
    calls = (asked_for("ls", "call_a"), asked_for("pytest", "call_b"))
    results = (ToolResult(call_id="call_a", text="src"), ToolResult(call_id="call_b", text="", is_error=True))
    body = await sent(dialect, after(Text(text="Both."), *calls, results=results, words="Mind the time."))
    understood = dialect.read_request(body)
    assert understood.system == "You repair code."
    assert [tool.name for tool in understood.tools] == ["bash", "finish"]
    assert understood.messages[1].parts == (Text(text="Both."), *calls)
    got = understood.messages[2].parts
    assert [part.call_id for part in got if isinstance(part, ToolResult)] == ["call_a", "call_b"]
    assert "(empty)" in got[1].text
    assert got[2] == Text(text="Mind the time.")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_a_call_without_a_result_is_answered_as_not_run(dialect: Any) -> None:
    body = await sent(dialect, after(asked_for("ls", "call_a"), words="You were cut off."))
    results = [part for part in dialect.read_request(body).messages[2].parts if isinstance(part, ToolResult)]
    assert [result.call_id for result in results] == ["call_a"]
    assert "not run" in results[0].text


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_broken_tool_input_and_odd_names_go_back_in_a_form_that_servers_accept(dialect: Any) -> None:
    call = ToolCall(id="call_a", name="do it!", arguments=None, raw='{"command": "l')
    body = await sent(dialect, after(call, results=(ToolResult(call_id="call_a", text="no", is_error=True),)))
    (back,) = dialect.read_request(body).messages[1].tool_calls
    assert (back.name, back.arguments) == ("do_it_", {"unparsed_input": '{"command": "l'})


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_empty_answers_and_blank_words_never_leave_an_empty_turn(dialect: Any) -> None:
    for parts in ((), (Text(text=" \n"),)):
        body = await sent(dialect, after(*parts))
        assert [message.text for message in dialect.read_request(body).messages] == ["Go.", "(empty)", "And?"]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_half_a_character_is_replaced_before_anything_stores_or_sends_it(dialect: Any) -> None:
    call = ToolCall(id="a", name="bash", arguments=None, raw='{"command": "echo \\ud83d"}')
    got = await read(dialect, dialect.stream(said(Text(text="x\ud83d"), call, stop=StopKind.TOOLS)))
    assert got.message.text == "x\ufffd"
    assert got.message.tool_calls[0].arguments == {"command": "echo \ufffd"}
    await sent(dialect, after(*got.message.parts))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_no_effort_sends_no_parameter_for_it(dialect: Any) -> None:
    body = await sent(dialect, request())
    assert not {"thinking", "output_config", "reasoning", "reasoning_effort", "include"} & set(body)


async def test_effort_becomes_the_vendors_parameter() -> None:
    assert (await sent(OPENAI, request(effort="high")))["reasoning"] == {"effort": "high"}
    assert (await sent(OPENAI, request(effort="high")))["include"] == ["reasoning.encrypted_content"]
    assert (await sent(OPENAI_CHAT, request(effort="low")))["reasoning_effort"] == "low"
    messages = await sent(ANTHROPIC, request(effort="max"))
    assert (messages["thinking"], messages["output_config"]) == ({"type": "adaptive"}, {"effort": "max"})
    assert (await sent(ANTHROPIC, request(effort="off")))["thinking"] == {"type": "disabled"}


async def test_a_budget_of_thinking_tokens_stays_below_the_output_limit() -> None:
    assert (await sent(ANTHROPIC, request(effort="2048")))["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert (await sent(ANTHROPIC, request(effort="9999")))["thinking"]["budget_tokens"] == 4095
    small = request(effort="9999").model_copy(update={"max_output_tokens": 900})
    assert "thinking" not in await sent(ANTHROPIC, small)


async def test_responses_are_not_stored_at_the_vendor() -> None:
    body = await sent(OPENAI, request())
    assert (body["store"], body["max_output_tokens"], body["stream"]) == (False, 4096, True)


async def test_a_compatible_chat_server_gets_only_fields_that_all_of_them_know() -> None:
    body = await sent(OPENAI_CHAT, request().model_copy(update={"tools": ()}))
    assert set(body) == {"model", "messages", "stream", "stream_options", "max_tokens"}
    assert body["stream_options"] == {"include_usage": True}


async def test_messages_usage_keeps_short_and_long_cache_writes_apart() -> None:
    usage = Usage(
        input_tokens=10,
        cache_read_tokens=20,
        cache_write_5m_tokens=30,
        cache_write_1h_tokens=40,
        output_tokens=50,
        reasoning_tokens=5,
        server_tool_requests=2,
    )
    assert (await read(ANTHROPIC, ANTHROPIC.stream(said(Text(text="x"), usage=usage)))).usage == usage


@pytest.mark.parametrize("dialect", [OPENAI, OPENAI_CHAT], ids=lambda dialect: dialect.kind)
async def test_openai_usage_takes_cached_and_written_tokens_off_the_input(dialect: Any) -> None:
    usage = Usage(input_tokens=10, cache_read_tokens=20, cache_write_5m_tokens=30, output_tokens=50, reasoning_tokens=5)
    assert (await read(dialect, dialect.stream(said(Text(text="x"), usage=usage)))).usage == usage


async def test_counts_that_contradict_each_other_never_go_negative() -> None:
    frames = OPENAI_CHAT.stream(said(Text(text="x"), usage=None))[:-1]
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 90, "cache_write_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }
    frames.append(event(None, {"id": "x", "model": "m", "choices": [], "usage": usage}))
    got = await read(OPENAI_CHAT, frames)
    assert got.usage == Usage(cache_read_tokens=10, output_tokens=3, reasoning_tokens=3)


async def test_deepseeks_name_for_cached_tokens_is_understood() -> None:
    frames = OPENAI_CHAT.stream(said(Text(text="x"), usage=None))[:-1]
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "prompt_cache_hit_tokens": 8}
    frames.append(event(None, {"id": "x", "model": "m", "choices": [], "usage": usage}))
    assert (await read(OPENAI_CHAT, frames)).usage == Usage(input_tokens=2, cache_read_tokens=8, output_tokens=3)


def chat_chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> bytes:
    choices = [{"index": index, "delta": delta, "finish_reason": finish}]
    return event(None, {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": choices})


async def test_complete_tool_calls_that_end_with_stop_are_still_tool_calls() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "bash", "arguments": "{}"}}
    got = await read(OPENAI_CHAT, [chat_chunk({"tool_calls": [call]}), chat_chunk({}, "stop")])
    assert (got.stop, got.message.tool_calls[0].arguments) == (StopKind.TOOLS, {})


async def test_tool_calls_numbered_alike_or_without_ids_are_told_apart() -> None:
    def piece(call_id: str, index: int) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, "id": call_id, "function": {"name": "bash", "arguments": "{}"}}]}

    alike = await read(
        OPENAI_CHAT, [chat_chunk(piece("a", 0)), chat_chunk(piece("b", 0)), chat_chunk({}, "tool_calls")]
    )
    assert [call.id for call in alike.message.tool_calls] == ["a", "b"]
    nameless = await read(
        OPENAI_CHAT, [chat_chunk(piece("", 0)), chat_chunk(piece("", 1)), chat_chunk({}, "tool_calls")]
    )
    assert [call.id for call in nameless.message.tool_calls] == ["call_1_0", "call_1_1"]


async def test_only_the_first_of_several_choices_is_read() -> None:
    frames = [chat_chunk({"content": "mine"}), chat_chunk({"content": "not mine"}, "stop", 1), chat_chunk({}, "stop")]
    assert (await read(OPENAI_CHAT, frames)).message.text == "mine"


async def test_a_chat_refusal_in_its_own_field_is_a_refusal() -> None:
    got = await read(OPENAI_CHAT, [chat_chunk({"refusal": "I will not."}), chat_chunk({}, "stop")])
    assert (got.stop, got.message.text) == (StopKind.REFUSAL, "I will not.")


async def test_a_filtered_response_is_a_refusal() -> None:
    final = OPENAI.whole(said(Text(text="So"))) | {
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
    }
    got = await read(OPENAI, [event("response.incomplete", {"type": "response.incomplete", "response": final})])
    assert (got.stop, got.message.text) == (StopKind.REFUSAL, "So")


async def test_the_label_of_a_response_message_is_sent_back_with_it() -> None:
    final = OPENAI.whole(said(Text(text="I will look."), asked_for("ls"), stop=StopKind.TOOLS))
    final["output"][0]["phase"] = "commentary"
    got = await read(OPENAI, [event("response.completed", {"type": "response.completed", "response": final})])
    assert got.message.text == "I will look."
    back = await sent(OPENAI, after(*got.message.parts))
    assert back["input"][1] == {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "I will look.", "annotations": []}],
        "phase": "commentary",
    }


async def test_items_without_a_number_are_taken_in_order() -> None:
    frames = OPENAI.stream(said(Text(text="I will look."), asked_for("ls"), stop=StopKind.TOOLS))
    unnumbered = [re.sub(rb'"output_index":\d+,', b"", frame) for frame in frames]
    assert unnumbered != frames
    got = await read(OPENAI, unnumbered)
    assert [part.kind for part in got.message.parts] == ["text", "tool_call"]


async def test_a_response_that_used_all_its_tokens_was_cut_even_if_the_server_calls_it_completed() -> None:
    usage = Usage(input_tokens=1, output_tokens=4096)
    got = await read(OPENAI, OPENAI.stream(said(asked_for("ls"), stop=StopKind.TOOLS, usage=usage)))
    assert got.stop is StopKind.MAX_TOKENS
    assert got.message.tool_calls[0].arguments is None


async def test_a_full_context_window_counts_as_a_cut_answer() -> None:
    frames = ANTHROPIC.stream(said(Text(text="It goes"), stop=StopKind.MAX_TOKENS))
    frames = [frame.replace(b'"max_tokens"', b'"model_context_window_exceeded"') for frame in frames]
    assert (await read(ANTHROPIC, frames)).stop is StopKind.MAX_TOKENS


async def test_a_messages_server_may_send_tool_input_whole() -> None:
    frames = ANTHROPIC.stream(said(asked_for("ls"), stop=StopKind.TOOLS))
    frames = [frame for frame in frames if b"input_json_delta" not in frame]
    frames = [frame.replace(b'"input":{}', b'"input":{"command":"ls"}') for frame in frames]
    assert (await read(ANTHROPIC, frames)).message.tool_calls[0].arguments == {"command": "ls"}


@pytest.mark.parametrize("dialect", [ANTHROPIC, OPENAI], ids=lambda dialect: dialect.kind)
async def test_the_vendors_own_count_is_used_where_there_is_one(dialect: Any) -> None:
    async with WireStage(dialect).served(lambda _: json_reply(200, {"input_tokens": 77})) as (model, server):
        assert await model.count_input(request()) == 77
    assert server.requests[0].path in ("/v1/messages/count_tokens", "/v1/responses/input_tokens")


async def test_the_vendors_request_id_is_kept_for_support() -> None:
    for dialect, name in ((ANTHROPIC, "request-id"), (OPENAI, "x-request-id"), (OPENAI_CHAT, "x-request-id")):
        got = await read(dialect, dialect.stream(said(Text(text="x"))), {name: "req_77"})
        assert got.request_id == "req_77"
