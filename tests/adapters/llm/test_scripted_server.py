"""The playing server: the real adapters against the scripted model, over every wire."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.llm.requests import KEY, conversation, request
from tests.fakes.wire.dialects import ANTHROPIC, DIALECTS, Dialect
from tests.fakes.wire.process import requests_counted, scripted_server_process
from tests.fakes.wire.scripted_server import ScriptedServer
from thirdshift.adapters.llm.build import build_model
from thirdshift.adapters.llm.script_format import Script, parse_script
from thirdshift.core.conversation import Message, ToolResult, said_by_user
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind

PLAY = """
version: 1
plays:
  - when: {attempt: 2, last_contains: FAILED}
    steps:
      - {say: unused}
      - {say: I see the failure., tools: [{finish: {summary: done}}]}
  - repeat: true
    fill: true
    steps:
      - reasoning: Hm.
        say: "Step {{step}} of attempt {{attempt}}."
        tools: [{bash: {command: ls}}, {call: {name: bash, raw: "{broken"}}]
"""


def script(text: str = PLAY) -> Script:
    return parse_script(text, "play.yaml")


async def ask(server: ScriptedServer, dialect: Dialect, asked: ModelRequest) -> ModelAnswer:
    model = build_model(dialect.kind, name="wire", base_url=server.base_url(dialect), api_key=KEY)
    try:
        return await model.answer(asked, lambda: None)
    finally:
        await model.close()


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.kind)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


async def test_a_whole_conversation_is_played_step_by_step(dialect: Dialect) -> None:
    messages = [said_by_user("Attempt 2 of 6\nGo.")]
    async with ScriptedServer(script()) as server:
        first = await ask(server, dialect, request(*messages))
        assert first.message.text == "Step 1 of attempt 2."
        assert first.stop is StopKind.TOOLS
        assert [call.arguments for call in first.message.tool_calls] == [{"command": "ls"}, None]
        results = tuple(ToolResult(call_id=call.id, text="1 FAILED") for call in first.message.tool_calls)
        messages += [first.message, Message(role="user", parts=results)]
        second = await ask(server, dialect, request(*messages))
        assert second.message.text == "I see the failure."
        assert server.count() == {"total": 2, "by_path": {dialect.path: 2}, "repeats": 0}


async def test_the_wire_changes_no_step_and_no_attempt_of_a_long_conversation(dialect: Dialect) -> None:
    async with ScriptedServer(script()) as server:
        got = await ask(server, dialect, request(*conversation(41)))
    assert got.message.text == "Step 42 of attempt 1."
    assert got.usage is not None
    assert got.usage.cache_read_tokens > got.usage.input_tokens


@pytest.mark.parametrize("kind", list(FaultKind))
async def test_every_scripted_fault_arrives_as_itself(dialect: Dialect, kind: FaultKind) -> None:
    play = f"version: 1\nplays: [{{steps: [{{fault: {{kind: {kind.value}}}}}]}}]"
    async with ScriptedServer(script(play)) as server:
        with pytest.raises(ModelFault) as caught:
            await ask(server, dialect, request(timeout_seconds=0.5))
    # A reset connection is all that a server that is there can do to look unreachable.
    expected = FaultKind.CUT_STREAM if kind is FaultKind.UNREACHABLE else kind
    assert caught.value.kind is expected


async def test_a_fault_with_times_passes_over_the_wire(dialect: Dialect, tmp_path: Path) -> None:
    play = script("version: 1\nplays: [{steps: [{say: up, fault: {kind: overloaded, times: 1}}]}]")
    async with ScriptedServer(play, state_dir=tmp_path) as server:
        with pytest.raises(ModelFault):
            await ask(server, dialect, request())
        assert (await ask(server, dialect, request())).message.text == "up"
        assert server.count()["repeats"] == 1


async def test_a_request_that_no_play_answers_is_told_to_the_client(dialect: Dialect) -> None:
    async with ScriptedServer(script("version: 1\nplays: [{when: {step: 9}, steps: [{say: x}]}]")) as server:
        with pytest.raises(ModelFault) as caught:
            await ask(server, dialect, request())
    assert caught.value.kind is FaultKind.BAD_REQUEST
    assert "none of the script's 1 plays" in str(caught.value)


async def test_a_vendors_count_is_the_scripts_count() -> None:
    async with ScriptedServer(script()) as server:
        model = build_model("anthropic", name="wire", base_url=server.base_url(ANTHROPIC), api_key=KEY)
        counted = await model.count_input(request(*conversation(3)))
        got = await model.answer(request(*conversation(3)), lambda: None)
        await model.close()
        assert got.usage is not None
        assert counted == got.usage.all_input
        assert server.count()["total"] == 1


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    call = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(call, timeout=30) as answer:  # noqa: S310 - loopback
        got: dict[str, Any] = json.load(answer)
    return got


def test_as_a_process_it_serves_clients_that_do_not_stream_and_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "play.yaml"
    path.write_text(PLAY)
    chat = {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Go."}]}
    with scripted_server_process(path) as address:
        got = post(f"{address}/v1/chat/completions", chat)
        assert got["choices"][0]["message"]["content"] == "Step 1 of attempt 1."
        assert got["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "bash"
        assert got["usage"]["total_tokens"] > 0
        assert post(f"{address}/v1/responses", {"model": "m", "input": "Go."})["status"] == "completed"
        messages = {"model": "m", "max_tokens": 99, "messages": chat["messages"][1:]}
        assert post(f"{address}/v1/messages", messages)["stop_reason"] == "tool_use"
        assert post(f"{address}/v1/chat/completions", chat) == got
        assert requests_counted(address) == {
            "total": 4,
            "by_path": {"/v1/chat/completions": 2, "/v1/responses": 1, "/v1/messages": 1},
            "repeats": 1,
        }
