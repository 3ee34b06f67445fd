from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.conversation import Message, Text, ToolCall, ToolResult, said_by_user
from thirdshift.core.masking import mask_old


def conversation(steps: int) -> tuple[Message, ...]:
    messages = [said_by_user("Do it.")]
    for number in range(steps):
        called = ToolCall(id=f"c{number}", name="bash", arguments={"command": "ls"})
        messages.append(Message(role="assistant", parts=(Text(text=f"Step {number}"), called)))
        result = ToolResult(call_id=f"c{number}", text=f"{number} " * 100)
        messages.append(Message(role="user", parts=(result, Text(text="a person's words"))))
    return tuple(messages)


def masked_steps(messages: tuple[Message, ...]) -> int:
    return sum("taken out" in part.text for m in messages for part in m.parts if isinstance(part, ToolResult))


def test_results_of_old_steps_are_replaced_and_everything_else_stays() -> None:
    before = conversation(10)
    after = mask_old(before, keep_last_steps=4, block=3)
    assert masked_steps(after) == 6
    assert [m.text for m in after] == [m.text for m in before]
    assert [m.tool_calls for m in after] == [m.tool_calls for m in before]
    masked = after[2].parts[0]
    assert isinstance(masked, ToolResult)
    assert masked.call_id == "c0"
    assert masked.text == "[200 characters of an old result were taken out; run it again if you need them]"


@given(st.integers(0, 40), st.integers(0, 8), st.integers(1, 12))
def test_enough_is_kept_and_not_more_than_a_block_too_much(steps: int, keep: int, block: int) -> None:
    left = steps - masked_steps(mask_old(conversation(steps), keep, block))
    assert min(steps, keep) <= left <= keep + block - 1 or left == steps < keep + block


@given(st.integers(0, 30), st.integers(1, 6), st.integers(1, 10))
def test_from_step_to_step_the_prefix_stays_the_same_but_once_a_block(steps: int, keep: int, block: int) -> None:
    moves = 0
    for number in range(steps):
        now = mask_old(conversation(number), keep, block)
        later = mask_old(conversation(number + 1), keep, block)
        moves += later[: len(now)] != now
    assert moves == max(0, steps - keep) // block


@given(st.integers(0, 20), st.integers(0, 6), st.integers(1, 10))
def test_masking_again_changes_nothing(steps: int, keep: int, block: int) -> None:
    once = mask_old(conversation(steps), keep, block)
    assert mask_old(once, keep, block) == once


def test_short_results_stay_since_a_note_would_be_no_shorter() -> None:
    short = Message(role="user", parts=(ToolResult(call_id="c", text="ok"),))
    assert mask_old([short, short, short], 0, 1) == (short, short, short)


@pytest.mark.parametrize(("keep", "block"), [(-1, 1), (0, 0)])
def test_senseless_bounds_are_refused(keep: int, block: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        mask_old([], keep, block)
