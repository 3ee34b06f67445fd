from __future__ import annotations

from bench.rig.steps_script import WRITES_EVERY, files, script
from thirdshift.adapters.llm.script_format import parse_script
from thirdshift.adapters.llm.scripted_model import ScriptedModel
from thirdshift.core.conversation import Message, Text, ToolCall
from thirdshift.core.ports import ModelAnswer, ModelRequest

FINISH = {"finish": {"summary": "Done."}}


async def played(model: str, lengths: dict[str, int]) -> list[ToolCall]:
    """The tool calls of a whole conversation."""
    scripted = ScriptedModel(
        name="s", script=parse_script(script(lengths, dict.fromkeys(lengths, FINISH)), "benchmark script")
    )
    turns: list[Message] = [Message(role="user", parts=(Text(text="Begin."),))]
    calls: list[ToolCall] = []
    while not calls or calls[-1].name != "finish":
        request = ModelRequest(model=model, system="", messages=tuple(turns), tools=(), max_output_tokens=1000)
        answer: ModelAnswer = await scripted.answer(request, lambda: None)
        calls += answer.message.tool_calls
        turns += [answer.message, Message(role="user", parts=(Text(text="Done."),))]
    return calls


async def test_a_conversation_has_as_many_commands_as_asked_and_no_two_alike() -> None:
    calls = await played("b", {"a": 5, "b": 12})
    commands = [str(call.arguments) for call in calls[:-1]]
    assert len(commands) == len(set(commands)) == 12


async def test_every_fourth_command_changes_a_file() -> None:
    calls = await played("a", {"a": 12})
    writing = [number for number, call in enumerate(calls, start=1) if ">> notes.txt" in str(call.arguments)]
    assert writing == [WRITES_EVERY, 2 * WRITES_EVERY, 3 * WRITES_EVERY]


def test_the_repository_has_what_the_commands_read() -> None:
    found = files()
    assert found["guide.txt"].count("\n") > 120 + 12
    assert {"notes.txt", "src/part0/module0.py"} <= set(found)
