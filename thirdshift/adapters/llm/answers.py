"""The last touch that every finished answer gets, whatever dialect it came in."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.adapters.llm.canonical import canonical_json
from thirdshift.core.conversation import Message, Part, ToolCall
from thirdshift.core.ports import ModelAnswer, StopKind
from thirdshift.core.usage import Usage


def finished_answer(
    parts: Sequence[Part], stop: StopKind, *, usage: Usage | None, served_model: str, request_id: str
) -> ModelAnswer:
    """An answer whose stop kind and tool calls agree.

    ``TOOLS`` without a call is an end. A call that was last when ``max_tokens`` struck is not to be run, even where
    its input happens to parse: its arguments become None and what there was of them goes into ``raw``.
    """
    kept = list(parts)
    if stop is StopKind.TOOLS and not any(isinstance(part, ToolCall) for part in kept):
        stop = StopKind.END
    if stop is StopKind.MAX_TOKENS and kept and isinstance(kept[-1], ToolCall):
        kept[-1] = _cut(kept[-1])
    return ModelAnswer(
        message=Message(role="assistant", parts=tuple(kept)),
        stop=stop,
        usage=usage,
        served_model=served_model,
        request_id=request_id,
    )


def _cut(call: ToolCall) -> ToolCall:
    raw = call.raw if call.arguments is None else canonical_json(call.arguments)
    return ToolCall(id=call.id, name=call.name, arguments=None, raw=raw)
