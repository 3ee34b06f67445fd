from __future__ import annotations

from thirdshift.core.conversation import Message, Reasoning, Text, ToolCall, ToolResult
from thirdshift.core.ports import ModelAnswer, StopKind
from thirdshift.core.redaction import redact_answer, redact_json
from thirdshift.core.text import REDACTED, Redactor

KEY = "operator-key-3391-fox"
SHAPED = "-".join(("sk", "proj", "abcdefghij0123456789"))
REDACTOR = Redactor([KEY])


def answer(*parts: Text | Reasoning | ToolCall | ToolResult) -> ModelAnswer:
    message = Message(role="assistant", parts=parts)
    return ModelAnswer(message=message, stop=StopKind.END, usage=None, served_model="m")


def call(**arguments: object) -> ToolCall:
    return ToolCall(id="c1", name="bash", arguments=arguments)


def test_an_answer_loses_known_values_and_shapes_in_words_and_in_what_tools_are_given() -> None:
    given = answer(Text(text=f"{KEY} and {SHAPED}"), call(command=f"echo {KEY}", env={"K": [SHAPED]}))
    words, asked = redact_answer(given, REDACTOR).message.parts
    assert words == Text(text=f"{REDACTED} and {REDACTED}")
    assert asked == call(command=f"echo {REDACTED}", env={"K": [REDACTED]})


def test_what_did_not_parse_is_looked_through_as_it_was_written() -> None:
    broken = ToolCall(id="c1", name="bash", arguments=None, raw=f'{{"command": "echo {KEY}')
    assert KEY not in redact_answer(answer(broken), REDACTOR).model_dump_json()


def test_ordinary_configuration_reaches_a_tool_as_the_model_meant_it() -> None:
    given = answer(
        call(path=".env.test", content="DB_URL=postgres://app:app@localhost/test\nAPI_TOKEN=for-tests-0001\n")
    )
    assert redact_answer(given, REDACTOR) is given


def test_an_answer_with_nothing_to_hide_is_the_same_object() -> None:
    given = answer(Text(text="All is well."), call(command="ls"))
    assert redact_answer(given, REDACTOR) is given


def test_signed_reasoning_is_kept_whole_or_left_out_whole() -> None:
    quiet = Reasoning(dialect="anthropic", payload={"thinking": f"it looks like {SHAPED}", "signature": "s"})
    loud = Reasoning(dialect="anthropic", payload={"thinking": f"the key is {KEY}", "signature": "s"})
    kept = redact_answer(answer(quiet, loud, Text(text="Done.")), REDACTOR).message.parts
    assert kept == (quiet, Text(text="Done."))


def test_redacting_twice_changes_nothing_more() -> None:
    once = redact_answer(answer(Text(text=f"{KEY} {SHAPED} https://u:{KEY}@host/")), REDACTOR)
    assert redact_answer(once, REDACTOR) is once


def test_every_text_of_a_document_is_looked_at_and_the_rest_stays() -> None:
    given = {"a": [1, None, True, 2.5, f"x {KEY}"], KEY: {"b": KEY}}
    assert redact_json(given, REDACTOR) == {
        "a": [1, None, True, 2.5, f"x {REDACTED}"],
        REDACTED: {"b": REDACTED},
    }
