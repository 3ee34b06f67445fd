from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.llm.requests import MODEL, conversation, request
from thirdshift.adapters.llm.script_format import parse_script
from thirdshift.adapters.llm.scripted_model import ScriptedModel
from thirdshift.core.conversation import Message, Text, ToolCall, ToolResult, said_by_user
from thirdshift.core.errors import FaultKind, ModelFault, SettingsInvalid
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.usage import Usage

STEPPED = """
version: 1
plays:
  - when: {attempt: 1}
    steps:
      - {say: first of one}
      - {say: second of one}
  - when: {attempt: {from: 2, to: 3}, last_contains: FAILED}
    steps:
      - {say: none, tools: [{bash: {command: ls}}]}
      - {say: saw the failure}
  - when: {attempt: [2, 3]}
    steps: [{say: first of two}, {say: second of two}]
"""


def model(text: str, state_dir: Path | None = None) -> ScriptedModel:
    return ScriptedModel(name="play", script=parse_script(text, "play.yaml"), state_dir=state_dir)


async def played(text: str, asked: ModelRequest) -> ModelAnswer:
    return await model(text).answer(asked, lambda: None)


def opening(attempt: int, *more: Message) -> ModelRequest:
    return request(said_by_user(f"Goal: round.\nAttempt {attempt} of 6\nGo on."), *more)


SPOKEN = Message(role="assistant", parts=(ToolCall(id="a", name="bash", arguments={"command": "ls"}),))


def result(text: str) -> Message:
    return Message(role="user", parts=(ToolResult(call_id="a", text=text),))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (opening(1), "first of one"),
        (opening(1, SPOKEN, result("ok")), "second of one"),
        (opening(2), "first of two"),
        (opening(3, SPOKEN, result("1 FAILED")), "saw the failure"),
        (opening(2, SPOKEN, result("ok")), "second of two"),
    ],
)
async def test_the_answer_is_chosen_by_attempt_step_and_words_of_the_request(asked: ModelRequest, words: str) -> None:
    assert (await played(STEPPED, asked)).message.text == words


async def test_the_same_request_gets_the_same_answer_from_any_process_at_any_time() -> None:
    asked = opening(2, SPOKEN, result("1 FAILED"))
    one = model(STEPPED)
    answers = [await one.answer(asked, lambda: None) for _ in range(3)]
    answers.append(await model(STEPPED).answer(asked, lambda: None))
    assert all(answer == answers[0] for answer in answers)


async def test_past_attempts_told_in_the_prompt_are_not_taken_for_the_present_one() -> None:
    story = said_by_user("Attempt 1 of 6 failed: test_cents.\n\n## Attempt 2 of 6\nGo on.")
    assert (await played(STEPPED, request(story))).message.text == "first of two"


async def test_the_attempt_may_stand_in_the_system_text() -> None:
    asked = request(said_by_user("Go.")).model_copy(update={"system": "Attempt 3 of 4"})
    assert (await played(STEPPED, asked)).message.text == "first of two"


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("{}", True),
        ("{model: test-*}", True),
        ("{model: [other, test-model]}", True),
        ("{model: test}", False),
        ("{role: code}", True),
        ("{role: plan}", False),
        ("{step: 1}", True),
        ("{step: 2}", False),
        ("{step: {to: 3}}", True),
        ("{step: {from: 2}}", False),
        ("{contains: tests pass}", True),
        ("{contains: [tests, missing]}", False),
        ("{lacks: missing}", True),
        ("{lacks: [missing, tests]}", False),
        ("{last_contains: tests}", True),
        ("{last_contains: repair}", False),
        ('{matches: "te[s]ts?"}', True),
        ('{matches: "^nothing$"}', False),
        ("{attempt: 1, contains: repair code, model: test-model}", True),
        ("{attempt: 2, contains: repair code, model: test-model}", False),
    ],
)
async def test_every_condition_given_must_hold(when: str, fits: bool) -> None:
    text = f"version: 1\nplays:\n - {{when: {when}, steps: [{{say: fits}}]}}\n - steps: [{{say: else}}]\n"
    assert (await played(text, request())).message.text == ("fits" if fits else "else")


async def test_a_role_line_in_the_system_text_counts_as_the_role() -> None:
    text = "version: 1\nplays: [{when: {role: plan}, steps: [{say: a plan}]}, {steps: [{say: code}]}]"
    asked = request().model_copy(update={"system": "You plan.\nRole: plan\n"})
    assert (await played(text, asked)).message.text == "a plan"


async def test_a_play_may_repeat_and_fill_in_the_step_and_end_elsewhere() -> None:
    text = """
version: 1
plays:
  - when: {step: {from: 1, to: 4}}
    repeat: true
    fill: true
    steps:
      - tools: [{bash: {command: "echo {{step}} of {{attempt}} by {{model}}", env: ["{{step}}"]}}]
      - say: "step {{step}}"
  - when: {step: {from: 5}}
    steps: [{tools: [{finish: {summary: done}}]}]
"""
    said = [await played(text, request(*conversation(steps))) for steps in range(5)]
    assert said[0].message.tool_calls[0].arguments == {"command": f"echo 1 of 1 by {MODEL}", "env": ["1"]}
    assert (said[1].message.text, said[3].message.text) == ("step 2", "step 4")
    third = said[2].message.tool_calls[0].arguments
    assert third is not None
    assert third["env"] == ["3"]
    assert said[4].message.tool_calls[0].name == "finish"


async def test_a_request_that_no_play_answers_is_a_bad_request_that_says_what_it_was() -> None:
    with pytest.raises(ModelFault) as caught:
        await played("version: 1\nplays: [{when: {model: other}, steps: [{say: x}]}]", opening(4))
    assert (caught.value.kind, caught.value.may_be_billed) == (FaultKind.BAD_REQUEST, False)
    assert "model test-model, role code, attempt 4, step 1" in str(caught.value)


async def test_usage_is_a_quarter_of_the_bytes_and_the_unchanged_prefix_is_cached() -> None:
    text = "version: 1\nplays: [{repeat: true, steps: [{say: '12345678'}]}]"
    usages = [(await played(text, request(*conversation(steps)))).usage for steps in (0, 1, 2, 29)]
    seen = [usage for usage in usages if usage is not None]
    assert len(seen) == 4
    assert seen[0].cache_read_tokens == 0
    assert [usage.output_tokens for usage in seen] == [2, 2, 2, 2]
    assert seen[1].cache_read_tokens == pytest.approx(seen[0].all_input, abs=1)
    assert seen[2].cache_read_tokens == pytest.approx(seen[1].all_input, abs=1)
    assert seen[3].cache_read_tokens / seen[3].all_input > 0.9


async def test_counting_input_says_what_the_usage_will_say() -> None:
    for text in ("{say: x}", "{say: x, usage: {input_tokens: 5, cache_read_tokens: 2}}"):
        play = model(f"version: 1\nplays: [{{repeat: true, steps: [{text}]}}]")
        asked = request(*conversation(7))
        usage = (await play.answer(asked, lambda: None)).usage
        assert usage is not None
        assert await play.count_input(asked) == usage.all_input


async def test_an_answer_beyond_max_output_tokens_is_cut_as_a_vendor_cuts_it() -> None:
    text = "version: 1\nplays: [{steps: [{say: 'one two three', tools: [{bash: {command: 'echo a long line'}}]}]}]"
    asked = request().model_copy(update={"max_output_tokens": 6})
    got = await played(text, asked)
    assert got.stop is StopKind.MAX_TOKENS
    assert got.message.parts[0] == Text(text="one two three")
    assert [call.arguments for call in got.message.tool_calls] == [None]
    assert got.usage is not None
    assert got.usage.output_tokens <= 6
    shorter = await played(text, asked.model_copy(update={"max_output_tokens": 1}))
    assert shorter.message.parts == (Text(text="one "),)


async def test_a_delay_reports_progress_while_it_lasts() -> None:
    ticks: list[int] = []
    play = model("version: 1\nplays: [{steps: [{say: x, delay_seconds: 0.5}]}]")
    await play.answer(request(), lambda: ticks.append(1))
    assert len(ticks) >= 3


async def test_a_delay_can_be_cancelled() -> None:
    play = model("version: 1\nplays: [{steps: [{say: x, delay_seconds: 3600}]}]")
    begun = asyncio.Event()
    task = asyncio.create_task(play.answer(request(), begun.set))
    await asyncio.wait_for(begun.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


LIMITED = """
version: 1
plays: [{steps: [{say: up again, fault: {kind: overloaded, times: 2, retry_after_seconds: 3}}]}]
"""


async def test_a_fault_with_times_passes_even_if_every_try_is_another_process(tmp_path: Path) -> None:
    outcomes: list[str] = []
    for _ in range(4):
        try:
            outcomes.append((await model(LIMITED, tmp_path).answer(request(), lambda: None)).message.text)
        except ModelFault as fault:
            outcomes.append(f"{fault.kind} {fault.retry_after_seconds}")
    assert outcomes == ["overloaded 3.0", "overloaded 3.0", "up again", "up again"]


async def test_a_fault_with_times_counts_each_request_apart(tmp_path: Path) -> None:
    play = model(LIMITED, tmp_path)
    for asked in (opening(1), opening(2)):
        for _ in range(2):
            with pytest.raises(ModelFault):
                await play.answer(asked, lambda: None)


def test_a_fault_with_times_needs_a_place_to_count() -> None:
    with pytest.raises(SettingsInvalid, match="state directory"):
        model(LIMITED)


@pytest.mark.parametrize(("given", "billed"), [(None, True), (False, False)])
async def test_a_script_may_say_that_a_fault_was_or_was_not_billed(given: bool | None, billed: bool) -> None:
    fault: dict[str, Any] = {"kind": "timed_out"} | ({} if given is None else {"may_be_billed": given})
    with pytest.raises(ModelFault) as caught:
        await played(f"version: 1\nplays: [{{steps: [{{fault: {fault}}}]}}]".replace("False", "false"), request())
    assert caught.value.may_be_billed is billed


async def test_usage_of_a_script_may_be_told_in_every_unit() -> None:
    units = "{input_tokens: 1, cache_read_tokens: 2, cache_write_5m_tokens: 3, cache_write_1h_tokens: 4, output_tokens: 6, reasoning_tokens: 5, server_tool_requests: 7}"  # noqa: E501 - one flow mapping
    got = await played(f"version: 1\nplays: [{{steps: [{{say: x, usage: {units}}}]}}]", request())
    assert got.usage == Usage(
        input_tokens=1,
        cache_read_tokens=2,
        cache_write_5m_tokens=3,
        cache_write_1h_tokens=4,
        output_tokens=6,
        reasoning_tokens=5,
        server_tool_requests=7,
    )
