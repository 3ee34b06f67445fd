"""Old observations are masked so that a long conversation stays affordable, in blocks so that its cache stays warm.

A vendor's prompt cache is hit only by an unchanged prefix. Masking one more result at every step would change the
prefix at every step, and everything after the change would be read anew at full price. So the border moves only
every ``block`` steps: in between the prefix grows and nothing in it changes. At each move the part after the border
is read anew once. A larger block means fewer such moves and more old text carried along (up to ``block`` steps of
it); a smaller one the reverse.

Only results are masked. The model's own words, reasoning and calls stay as it wrote them: some vendors refuse a
history whose calls were altered.
"""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.conversation import Message, Part, ToolResult


def mask_old(messages: Sequence[Message], keep_last_steps: int, block: int) -> tuple[Message, ...]:
    """The messages with the results of old steps replaced by a short note.

    A step is a user turn that holds tool results. The last ``keep_last_steps`` steps at least keep theirs, and
    never more than ``keep_last_steps + block - 1`` do. Results shorter than the note stay. Masking again changes
    nothing, and the masked messages of a conversation that went on begin with those of before, except where the
    border has moved.
    """
    if keep_last_steps < 0 or block < 1:
        raise ValueError("keep_last_steps must be at least 0 and block at least 1")
    steps = sum(_is_step(message) for message in messages)
    masked_steps = max(0, steps - keep_last_steps) // block * block
    kept: list[Message] = []
    seen = 0
    for message in messages:
        if _is_step(message):
            seen += 1
            if seen <= masked_steps:
                message = message.model_copy(update={"parts": tuple(_masked(part) for part in message.parts)})
        kept.append(message)
    return tuple(kept)


def _is_step(message: Message) -> bool:
    return any(isinstance(part, ToolResult) for part in message.parts)


def _masked(part: Part) -> Part:
    if not isinstance(part, ToolResult):
        return part
    note = f"[{len(part.text)} characters of an old result were taken out; run it again if you need them]"
    return part if len(part.text) <= len(note) + 20 else part.model_copy(update={"text": note})
