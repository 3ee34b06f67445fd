"""Everything that a vendor's server may do instead of answering, through the real SDKs, in every dialect."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

import pytest

from tests.adapters.llm.requests import KEY, asked_for, request, said
from tests.adapters.llm.stages import WireStage
from tests.fakes.wire.dialects import ANTHROPIC, DIALECTS, OPENAI, OPENAI_CHAT
from tests.fakes.wire.http_server import Recorded, Reply, html_reply, in_turn, json_reply
from tests.fakes.wire.sse import event
from thirdshift.core.conversation import Text
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.ports import StopKind

ANSWER = said(Text(text="I will look."), asked_for("ls"), stop=StopKind.TOOLS)


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.kind)
def stage(request: pytest.FixtureRequest) -> WireStage:
    return WireStage(request.param)


async def fault(stage: WireStage, reply: Reply, timeout_seconds: float = 20.0) -> ModelFault:
    """The fault of one call; that it was one call and no retry is part of the claim."""
    async with stage.served(in_turn(reply)) as (model, server):
        with pytest.raises(ModelFault) as caught:
            await model.answer(request(timeout_seconds=timeout_seconds), lambda: None)
        assert server.count_by_path == {stage.dialect.path: 1}
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def told(error: ModelFault) -> tuple[FaultKind, bool, int | None]:
    return error.kind, error.may_be_billed, error.status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 01 Jan 2025 00:01:40 GMT"}, 100.0),
        ({"retry-after": "Tue, 31 Dec 2024 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
async def test_a_rate_limit_hands_on_the_wait_that_it_asks_for(
    stage: WireStage, headers: dict[str, str], seconds: float | None
) -> None:
    error = await fault(stage, stage.dialect.error(FaultKind.RATE_LIMITED, headers=headers))
    assert told(error) == (FaultKind.RATE_LIMITED, False, 429)
    assert error.retry_after_seconds == seconds


async def test_an_exhausted_quota_is_no_rate_limit(stage: WireStage) -> None:
    body = {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota"}}
    body["error"]["code"] = "insufficient_quota"
    error = await fault(stage, json_reply(429, body, {"retry-after": "1"}))
    assert told(error) == (FaultKind.QUOTA_EXHAUSTED, False, 429)


async def test_too_low_a_credit_balance_is_an_exhausted_quota() -> None:
    words = "Your credit balance is too low to access the Anthropic API."
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    error = await fault(WireStage(ANTHROPIC), json_reply(400, body))
    assert told(error) == (FaultKind.QUOTA_EXHAUSTED, False, 400)


TOO_LONG = [
    (400, "prompt is too long: 210000 tokens > 200000 maximum"),
    (400, "input length and `max_tokens` exceed context limit: 188000 + 20000 > 200000"),
    (400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."),
    (400, "Your input exceeds the context window of this model. Please adjust your input and try again."),
    (400, "the request exceeds the available context size, try increasing it"),
    (400, "The decoder prompt (length 9000) is longer than the maximum model length of 8192."),
    (413, "Request exceeds the maximum size"),
    (500, "the request exceeds the available context size (512 tokens)"),
]


@pytest.mark.parametrize(("status", "words"), TOO_LONG)
async def test_a_prompt_that_is_too_long_is_told_from_other_bad_requests(
    stage: WireStage, status: int, words: str
) -> None:
    error = await fault(stage, json_reply(status, {"error": {"message": words, "type": "invalid_request_error"}}))
    assert told(error) == (FaultKind.TOO_LONG, False, status)


STATUSES: list[tuple[int, Any, FaultKind]] = [
    (400, {"error": {"message": "max_tokens: 99999 > 8192, the maximum allowed"}}, FaultKind.BAD_REQUEST),
    (401, {"error": {"message": "invalid x-api-key", "type": "authentication_error"}}, FaultKind.UNAUTHORIZED),
    (402, {"error": {"message": "Payment required"}}, FaultKind.QUOTA_EXHAUSTED),
    (403, {"error": {"message": "Your key may not use model x"}}, FaultKind.FORBIDDEN),
    (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, FaultKind.UNKNOWN_MODEL),
    (404, {"error": "model 'x' not found, try pulling it first"}, FaultKind.UNKNOWN_MODEL),
    (404, {"detail": "Not Found"}, FaultKind.BAD_REQUEST),
    (408, {"error": {"message": "too slow"}}, FaultKind.TIMED_OUT),
    (409, {"error": {"message": "conflict"}}, FaultKind.SERVER_ERROR),
    (413, "too large", FaultKind.TOO_LONG),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, FaultKind.BAD_REQUEST),
    (500, {"error": {"message": "internal"}}, FaultKind.SERVER_ERROR),
    (503, {"error": {"message": "busy"}}, FaultKind.OVERLOADED),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, FaultKind.OVERLOADED),
    (302, {"error": {"message": "elsewhere"}}, FaultKind.BAD_REQUEST),
]


@pytest.mark.parametrize(("status", "body", "kind"), STATUSES)
async def test_a_definite_error_answer_costs_nothing_and_has_its_kind(
    stage: WireStage, status: int, body: Any, kind: FaultKind
) -> None:
    assert told(await fault(stage, json_reply(status, body))) == (kind, False, status)


async def test_a_gateway_that_gave_up_waiting_leaves_the_bill_open(stage: WireStage) -> None:
    error = await fault(stage, html_reply(504, "<html>Gateway Time-out</html>"))
    assert told(error) == (FaultKind.TIMED_OUT, True, 504)


async def test_a_bad_gateway_with_a_page_is_a_server_error_with_a_bounded_excerpt(stage: WireStage) -> None:
    error = await fault(stage, html_reply(502, "<html>\n<h1>Bad\x07 Gateway</h1>" + "x" * 90_000))
    assert told(error) == (FaultKind.SERVER_ERROR, False, 502)
    assert "Bad Gateway" in str(error)
    assert len(str(error)) < 1000


async def test_a_page_with_status_200_is_a_bad_body_that_may_be_billed(stage: WireStage) -> None:
    error = await fault(stage, html_reply(200, "<html>Please sign in to the hotel's network</html>"))
    assert told(error) == (FaultKind.BAD_BODY, True, None)
    assert "sign in" in str(error)


@pytest.mark.parametrize("framing", ["length", "close", "chunked"])
async def test_cut_json_with_status_200_is_a_bad_body(
    stage: WireStage, framing: Literal["length", "close", "chunked"]
) -> None:
    whole = json.dumps(stage.dialect.whole(ANSWER)).encode()
    headers = {"content-type": "application/json"} | (
        {"content-length": str(len(whole))} if framing == "length" else {}
    )
    error = await fault(stage, Reply(chunks=[whole[: len(whole) // 2]], headers=headers, framing=framing, ending="cut"))
    assert told(error) == (FaultKind.BAD_BODY, True, None)


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.OVERLOADED,
        FaultKind.RATE_LIMITED,
        FaultKind.SERVER_ERROR,
        FaultKind.QUOTA_EXHAUSTED,
        FaultKind.TOO_LONG,
    ],
)
async def test_an_error_event_inside_a_stream_has_its_kind_and_may_be_billed(stage: WireStage, kind: FaultKind) -> None:
    frames = [*stage.dialect.stream(ANSWER)[:3], stage.dialect.error_event(kind, "it broke")]
    assert told(await fault(stage, Reply(chunks=frames))) == (kind, True, None)


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_a_stream_cut_before_its_terminal_event_is_never_an_answer(
    stage: WireStage, framing: Literal["chunked", "close"]
) -> None:
    frames = stage.dialect.stream(ANSWER)
    terminal = {"anthropic": 1, "openai": 1, "openai-chat": 3}[stage.kind]
    for kept in range(0, len(frames) - terminal + 1, 3):
        error = await fault(stage, Reply(chunks=frames[:kept], framing=framing, ending="cut"))
        assert told(error) == (FaultKind.CUT_STREAM, True, None), kept


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_a_stream_that_ends_cleanly_but_too_early_is_cut_as_well(
    stage: WireStage, framing: Literal["chunked", "close"]
) -> None:
    frames = stage.dialect.stream(ANSWER)[:3]
    assert told(await fault(stage, Reply(chunks=frames, framing=framing))) == (
        FaultKind.CUT_STREAM,
        True,
        None,
    )


async def test_a_stream_cut_in_the_middle_of_an_event_is_cut(stage: WireStage) -> None:
    whole = b"".join(stage.dialect.stream(ANSWER))
    error = await fault(stage, Reply(chunks=[whole[: len(whole) // 2]], framing="close", ending="cut"))
    assert told(error) == (FaultKind.CUT_STREAM, True, None)


async def test_a_connection_torn_down_in_the_middle_is_a_cut_stream(stage: WireStage) -> None:
    frames = stage.dialect.stream(ANSWER)[:3]
    error = await fault(stage, Reply(chunks=[*frames, 0.01], ending="reset"))
    assert told(error) == (FaultKind.CUT_STREAM, True, None)


async def test_a_connection_lost_before_any_answer_may_be_billed(stage: WireStage) -> None:
    error = await fault(stage, Reply(send_head=False, ending="cut"))
    assert told(error) == (FaultKind.CUT_STREAM, True, None)


async def test_a_server_that_never_answers_times_out_and_may_be_billed(stage: WireStage) -> None:
    error = await fault(stage, Reply(send_head=False, ending="hang"), timeout_seconds=0.3)
    assert told(error) == (FaultKind.TIMED_OUT, True, None)


async def test_a_stream_that_falls_silent_times_out_and_may_be_billed(stage: WireStage) -> None:
    frames = stage.dialect.stream(ANSWER)[:3]
    error = await fault(stage, Reply(chunks=frames, ending="hang"), timeout_seconds=0.3)
    assert told(error) == (FaultKind.TIMED_OUT, True, None)


async def test_a_refused_connection_costs_nothing(stage: WireStage) -> None:
    async with stage.nobody() as model:
        with pytest.raises(ModelFault) as caught:
            await model.answer(request(), lambda: None)
    assert told(caught.value) == (FaultKind.UNREACHABLE, False, None)
    assert "check base_url" in str(caught.value)


@pytest.mark.parametrize("frame", [b"data: {not json}\n\n", b"data: [1, 2]\n\n", b"data: \xff\xfe\n\n"])
async def test_an_event_that_is_no_object_of_the_format_is_a_bad_body(stage: WireStage, frame: bytes) -> None:
    name = b"event: content_block_delta\n" if stage.dialect is ANTHROPIC else b""
    error = await fault(stage, Reply(chunks=[stage.dialect.stream(ANSWER)[0], name + frame]))
    assert told(error) == (FaultKind.BAD_BODY, True, None)


async def test_the_key_is_struck_from_whatever_the_vendor_echoes(stage: WireStage) -> None:
    error = await fault(stage, json_reply(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}))
    assert "<key>" in str(error)
    html = await fault(stage, html_reply(200, f"<p>{KEY}</p>"))
    assert "<key>" in str(html)


async def test_cancelling_a_call_closes_its_connection(stage: WireStage) -> None:
    frames = stage.dialect.stream(ANSWER)[:2]
    begun = asyncio.Event()
    async with stage.served(in_turn(Reply(chunks=frames, ending="hang"))) as (model, server):
        task = asyncio.create_task(model.answer(request(), begun.set))
        await asyncio.wait_for(begun.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.gone.wait(), 30)


async def test_cancelling_a_call_that_has_no_answer_yet_closes_its_connection(stage: WireStage) -> None:
    asked = asyncio.Event()

    def hang(_: Recorded) -> Reply:
        asked.set()
        return Reply(send_head=False, ending="hang")

    async with stage.served(hang) as (model, server):
        task = asyncio.create_task(model.answer(request(), lambda: None))
        await asyncio.wait_for(asked.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.gone.wait(), 30)


async def test_a_model_goes_on_after_a_fault(stage: WireStage) -> None:
    async with stage.model(stage.dialect.error(FaultKind.OVERLOADED), stage.dialect.streamed(ANSWER)) as model:
        with pytest.raises(ModelFault):
            await model.answer(request(), lambda: None)
        assert (await model.answer(request(), lambda: None)).stop is StopKind.TOOLS


async def test_a_server_that_drops_idle_connections_without_a_word_costs_no_call(stage: WireStage) -> None:
    whole = b"".join(stage.dialect.stream(ANSWER))
    # It promises to keep the connection, and then closes it.
    reply = Reply(chunks=[whole], framing="length", headers={"connection": "keep-alive"}, ending="cut")
    async with stage.model(reply) as model:
        for _ in range(10):
            assert (await model.answer(request(), lambda: None)).stop is StopKind.TOOLS


RESPONSE_ERRORS = [
    ("rate_limit_exceeded", FaultKind.RATE_LIMITED),
    ("server_error", FaultKind.SERVER_ERROR),
    ("invalid_prompt", FaultKind.BAD_REQUEST),
    ("context_length_exceeded", FaultKind.TOO_LONG),
    ("something_new", FaultKind.SERVER_ERROR),
]


@pytest.mark.parametrize(("code", "kind"), RESPONSE_ERRORS)
async def test_a_failed_response_is_a_fault_though_the_sdk_raises_nothing(code: str, kind: FaultKind) -> None:
    failed = OPENAI.whole(ANSWER) | {"status": "failed", "error": {"code": code, "message": "it failed"}}
    frame = event("response.failed", {"type": "response.failed", "response": failed, "sequence_number": 1})
    error = await fault(WireStage(OPENAI), Reply(chunks=[frame]))
    assert told(error) == (kind, True, None)
    assert "it failed" in str(error)


async def test_a_chat_router_that_finishes_with_an_error_is_a_server_error() -> None:
    frames = OPENAI_CHAT.stream(said(Text(text="so far")))[:2]
    choices = [{"index": 0, "delta": {}, "finish_reason": "error"}]
    frames.append(event(None, {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": choices}))
    error = await fault(WireStage(OPENAI_CHAT), Reply(chunks=frames))
    assert told(error) == (FaultKind.SERVER_ERROR, True, None)
