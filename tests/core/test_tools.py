from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.conversation import ToolCall
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.tools import Bash, CallRefused, EditFile, Finish, ReadFile, WriteFile, read_call, tools_for

ECONOMY = Rung(model="p/m", tier=Tier.ECONOMY)
SPECIALIST = Rung(model="p/m", tier=Tier.SPECIALIST)
TEXT = Rung(model="p/m", tier=Tier.ECONOMY, tools="text")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def call(name: str, arguments: dict[str, Any] | None, raw: str = "") -> ToolCall:
    return ToolCall(id="c1", name=name, arguments=arguments, raw=raw)


def refusal(name: str, arguments: dict[str, Any] | None, raw: str = "", rung: Rung = SPECIALIST) -> str:
    answer = read_call(call(name, arguments, raw), rung)
    assert isinstance(answer, CallRefused)
    return answer.text


def test_editing_is_offered_only_where_the_rung_edits() -> None:
    whole = ["bash", "read_file", "write_file", "finish"]
    assert [tool.name for tool in tools_for(ECONOMY)] == whole
    assert [tool.name for tool in tools_for(SPECIALIST)] == ["bash", "read_file", "write_file", "edit_file", "finish"]
    assert [tool.name for tool in tools_for(SPECIALIST.model_copy(update={"edit_format": "whole"}))] == whole
    assert tools_for(TEXT) == ()


def test_offers_are_valid_schemas_and_the_same_bytes_every_time() -> None:
    for tool in tools_for(SPECIALIST):
        jsonschema.Draft202012Validator.check_schema(tool.parameters)
        assert tool.description
    assert json.dumps([t.model_dump() for t in tools_for(SPECIALIST)]) == json.dumps(
        [t.model_dump() for t in tools_for(SPECIALIST)]
    )


def test_every_tool_is_read_into_its_request() -> None:
    asked = [
        call("bash", {"command": "ls", "timeout_seconds": 5}),
        call("read_file", {"path": "./a.py", "start": 2, "end": 9}),
        call("write_file", {"path": "/workspace/a.py", "content": ""}),
        call("edit_file", {"path": "a.py", "old": "x", "new": ""}),
        call("finish", {"summary": "done"}),
    ]
    assert [read_call(one, SPECIALIST) for one in asked] == [
        Bash(command="ls", timeout_seconds=5),
        ReadFile(path="a.py", start=2, end=9),
        WriteFile(path="a.py", content=""),
        EditFile(path="a.py", old="x", new=""),
        Finish(summary="done"),
    ]


def test_null_numbers_as_text_and_long_time_outs_are_forgiven() -> None:
    assert read_call(call("read_file", {"path": "a", "start": "3", "end": None}), ECONOMY) == ReadFile(
        path="a", start=3
    )
    asked = read_call(call("bash", {"command": "x", "timeout_seconds": 10**9}), ECONOMY)
    assert isinstance(asked, Bash)
    assert asked.timeout_seconds == 900
    assert read_call(call("finish", {}), ECONOMY) == Finish()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("bsh", {}, "Error: there is no tool `bsh`; did you mean `bash`?"),
        ("zzzz", {}, "Error: there is no tool `zzzz`; the tools are bash, read_file, write_file, edit_file, finish"),
        ("bash", {}, "Error: `bash`: `command` is missing"),
        ("bash", {"cmd": "ls"}, "Error: `bash`: `command` is missing; `cmd` is not known; did you mean `command`?"),
        ("bash", {"command": "  "}, "Error: `bash`: `command` is blank; give a command"),
        ("bash", {"command": ["ls"]}, "Error: `bash`: `command`: input should be a valid string"),
        ("write_file", {"path": "a", "content": {"x": 1}}, "Error: `write_file`: `content`: input should be a valid"),
        ("write_file", {"path": "../a", "content": ""}, "Error: `write_file`: '../a' leaves the workspace"),
        ("read_file", {"path": "a", "start": 0}, "Error: `read_file`: `start`: input should be greater than or equ"),
        ("read_file", {"path": "a", "start": 9, "end": 3}, "Error: `read_file`: start 9 comes after end 3"),
        ("edit_file", {"path": "a", "old": "x", "new": "x"}, "Error: `edit_file`: `old` and `new` are the same"),
        ("edit_file", {"path": "a", "old": "", "new": "x"}, "Error: `edit_file`: `old`: string should have at least 1"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_run_gets_clear_words(name: str, arguments: dict[str, Any], said: str) -> None:
    assert refusal(name, arguments).startswith(said)


def test_a_tool_that_this_rung_is_not_offered_is_refused() -> None:
    assert "no tool `edit_file`" in refusal("edit_file", {"path": "a", "old": "x", "new": "y"}, rung=ECONOMY)
    assert "the tools are none" in refusal("bash", {"command": "ls"}, rung=TEXT)


def test_input_that_was_no_object_is_shown_back_with_what_to_send() -> None:
    said = refusal("write_file", None, raw='{"path": "a", "cont')
    assert said == (
        'Error: the input of `write_file` was no JSON object. It began: {"path": "a", "cont '
        'Send the call again with {"path": ..., "content": ...}.'
    )


NAMES = ["command", "path", "content", "old", "new", "start", "end", "summary", "timeout_seconds", "kind", "x"]


@given(
    st.sampled_from(["bash", "read_file", "write_file", "edit_file", "finish", "x"]),
    st.dictionaries(st.sampled_from(NAMES), JSON),
)
def test_any_arguments_give_a_request_or_words(name: str, arguments: dict[str, Any]) -> None:
    answer = read_call(call(name, arguments), SPECIALIST)
    assert not isinstance(answer, CallRefused) or answer.text.startswith("Error: ")
