"""One suite for the model port, run on every implementation of it."""

from __future__ import annotations

import asyncio

import pytest

from tests.adapters.llm.requests import KEY, MODEL, USAGE, asked_for, conversation, request, said
from tests.adapters.llm.stages import ScriptedStage, Stage, WireStage
from tests.fakes.wire.dialects import DIALECTS
from thirdshift.core.conversation import Reasoning, Text, ToolCall
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind

STAGES: tuple[Stage, ...] = (*map(WireStage, DIALECTS), ScriptedStage())
BILLED = {FaultKind.TIMED_OUT, FaultKind.CUT_STREAM, FaultKind.BAD_BODY}


@pytest.fixture(params=STAGES, ids=lambda stage: stage.kind)
def stage(request: pytest.FixtureRequest) -> Stage:
    chosen: Stage = request.param
    return chosen


async def answer(stage: Stage, wanted: ModelAnswer, asked: ModelRequest | None = None) -> ModelAnswer:
    async with stage.answering(wanted) as model:
        return await model.answer(asked or request(), lambda: None)


async def fault(stage: Stage, kind: FaultKind) -> ModelFault:
    async with stage.failing(kind) as model:
        with pytest.raises(ModelFault) as caught:
            await model.answer(request(timeout_seconds=0.5), lambda: None)
        return caught.value


async def test_words_come_back_whole_with_usage_and_the_model_that_served_them(stage: Stage) -> None:
    got = await answer(stage, said(Text(text="Grüße — all is well ✓")))
    assert got.message.parts == (Text(text="Grüße — all is well ✓"),)
    assert (got.stop, got.usage, got.served_model) == (StopKind.END, USAGE, MODEL)
    assert got.request_id


async def test_progress_is_reported_while_an_answer_arrives(stage: Stage) -> None:
    ticks: list[int] = []
    async with stage.answering(said(Text(text="word " * 50))) as model:
        await model.answer(request(), lambda: ticks.append(1))
    assert ticks


async def test_a_failing_progress_callback_is_not_taken_for_a_fault_of_the_model(stage: Stage) -> None:
    def refuse() -> None:
        raise RuntimeError("stop here")

    async with stage.answering(said(Text(text="word"))) as model:
        with pytest.raises(RuntimeError, match="stop here"):
            await model.answer(request(), refuse)


async def test_two_tool_calls_in_one_answer_keep_their_order_and_input(stage: Stage) -> None:
    calls = (
        asked_for("ls", "call_a"),
        ToolCall(id="call_b", name="finish", arguments={"summary": 'a "quoted" line\n'}),
    )
    got = await answer(stage, said(Text(text="Both."), *calls, stop=StopKind.TOOLS))
    assert got.stop is StopKind.TOOLS
    assert [(call.name, call.arguments) for call in got.message.tool_calls] == [
        (call.name, call.arguments) for call in calls
    ]
    assert len({call.id for call in got.message.tool_calls}) == 2


async def test_a_tool_that_nobody_offered_passes_through(stage: Stage) -> None:
    call = ToolCall(id="call_a", name="teleport", arguments={"to": "mars"})
    got = await answer(stage, said(call, stop=StopKind.TOOLS))
    assert [(each.name, each.arguments) for each in got.message.tool_calls] == [("teleport", {"to": "mars"})]


@pytest.mark.parametrize("raw", ['{"command": "ls', '"just a text"', "[1, 2]", "NaN"])
async def test_tool_input_that_is_no_json_object_is_kept_raw(stage: Stage, raw: str) -> None:
    call = ToolCall(id="call_a", name="bash", arguments=None, raw=raw)
    got = await answer(stage, said(call, stop=StopKind.TOOLS))
    assert [(each.arguments, each.raw) for each in got.message.tool_calls] == [(None, raw)]


@pytest.mark.parametrize("raw", ['{"command": "rm -rf bui', '{"command":"rm -rf /"}', ""])
async def test_tool_input_cut_at_max_tokens_is_never_runnable(stage: Stage, raw: str) -> None:
    call = ToolCall(id="call_a", name="bash", arguments=None, raw=raw)
    got = await answer(stage, said(Text(text="Now."), call, stop=StopKind.MAX_TOKENS))
    assert got.stop is StopKind.MAX_TOKENS
    assert [each.arguments for each in got.message.tool_calls] == [None]


async def test_a_text_cut_at_max_tokens_says_so(stage: Stage) -> None:
    got = await answer(stage, said(Text(text="It goes on and"), stop=StopKind.MAX_TOKENS))
    assert (got.stop, got.message.text) == (StopKind.MAX_TOKENS, "It goes on and")


async def test_a_refusal_is_an_answer(stage: Stage) -> None:
    got = await answer(stage, said(Text(text="I will not."), stop=StopKind.REFUSAL))
    assert (got.stop, got.message.text) == (StopKind.REFUSAL, "I will not.")


async def test_an_empty_answer_has_no_parts_and_ends_the_turn(stage: Stage) -> None:
    got = await answer(stage, said())
    assert (got.message.parts, got.stop) == ((), StopKind.END)


async def test_missing_usage_is_none_and_not_zero(stage: Stage) -> None:
    assert (await answer(stage, said(Text(text="Free?"), usage=None))).usage is None


async def test_another_model_than_asked_is_told(stage: Stage) -> None:
    got = await answer(stage, said(Text(text="Hi."), served_model="cheaper-model"))
    assert got.served_model == "cheaper-model"


async def test_reasoning_is_kept_apart_from_words(stage: Stage) -> None:
    thought = Reasoning(dialect="scripted", payload={"text": "Let me see."})
    got = await answer(stage, said(thought, Text(text="Yes.")))
    assert [part.kind for part in got.message.parts] == ["reasoning", "text"]
    assert got.message.text == "Yes."


async def test_a_long_conversation_is_accepted(stage: Stage) -> None:
    got = await answer(stage, said(asked_for("ls"), stop=StopKind.TOOLS), request(*conversation(30)))
    assert got.stop is StopKind.TOOLS


@pytest.mark.parametrize("kind", list(FaultKind))
async def test_every_kind_of_fault_is_raised_as_itself(stage: Stage, kind: FaultKind) -> None:
    raised = await fault(stage, kind)
    assert raised.kind is kind
    assert raised.may_be_billed is (kind in BILLED)
    assert "acme" in str(raised)
    assert KEY not in str(raised)


async def test_a_wait_that_the_vendor_asks_for_is_handed_on(stage: Stage) -> None:
    assert (await fault(stage, FaultKind.RATE_LIMITED)).retry_after_seconds == 7


async def test_cancellation_in_the_middle_of_an_answer_is_prompt(stage: Stage) -> None:
    begun = asyncio.Event()
    async with stage.silent() as model:
        task = asyncio.create_task(model.answer(request(timeout_seconds=3600), begun.set))
        await asyncio.wait_for(begun.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)


async def test_many_calls_run_at_once_on_one_model(stage: Stage) -> None:
    async with stage.answering(said(Text(text="Hello."))) as model:
        got = await asyncio.gather(*(model.answer(request(), lambda: None) for _ in range(20)))
    assert {each.message.text for each in got} == {"Hello."}


async def test_counting_gives_a_number_or_nothing_but_never_fails(stage: Stage) -> None:
    async with stage.failing(FaultKind.SERVER_ERROR) as model:
        counted = await model.count_input(request())
    assert counted is None or counted > 0
