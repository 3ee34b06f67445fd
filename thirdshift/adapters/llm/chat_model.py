"""Models behind Chat Completions, streamed: OpenAI's, and those of every compatible server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall

from thirdshift.adapters.llm.answers import finished_answer
from thirdshift.adapters.llm.canonical import canonical_json, read_tool_call, well_formed
from thirdshift.adapters.llm.chat_request import DIALECT, chat_body
from thirdshift.adapters.llm.connection import host_of, timeouts
from thirdshift.adapters.llm.fault_translation import FaultTranslator
from thirdshift.adapters.llm.openai_client import DEFAULT_BASE_URL, OPENAI_ERRORS, open_sdk
from thirdshift.adapters.llm.usage_counts import chat_usage
from thirdshift.core.conversation import Part, Reasoning, Text, ToolCall
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind

# Compatible servers put their reasoning text under one of these names, and want it back under the same.
_REASONING_FIELDS = ("reasoning_content", "reasoning")


class OpenAIChatModel:
    """A provider that speaks Chat Completions. Without a key none is sent."""

    def __init__(self, *, name: str, base_url: str | None, api_key: str | None) -> None:
        base_url = base_url or DEFAULT_BASE_URL
        self._vendor_itself = host_of(base_url) == host_of(DEFAULT_BASE_URL)
        self._faults = FaultTranslator(name, host_of(base_url), api_key, OPENAI_ERRORS)
        self._client = open_sdk(base_url, api_key)

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """Send one request and read its stream until the reason why the model stopped, and the usage after it."""
        with self._faults.translated(request.model):
            # The SDK walks typed arguments key by key, 40 ms for a conversation of 120 steps; `extra_body` goes
            # out as it is and takes the place of the argument of the same name.
            stream = await self._client.chat.completions.create(
                model=request.model,
                messages=(),
                extra_body=chat_body(request, vendor_itself=self._vendor_itself),
                stream=True,
                timeout=timeouts(request.timeout_seconds),
            )
            async with stream:
                await self._faults.require_events(stream.response, request.model)
                reading = _Reading(turn=len(request.messages))
                async for chunk in stream:
                    on_progress()
                    reading.take(chunk)
            if reading.finish_reason is None:
                raise self._faults.cut(request.model)
            if reading.finish_reason == "error":
                raise self._faults.of_event(request.model, "the model's server gave up: finish_reason error")
            return reading.answer(stream.response.headers.get("x-request-id", ""))

    async def count_input(self, request: ModelRequest) -> int | None:
        """None: the dialect has no way to count."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


class _Reading:
    """An answer as its chunks come in. Only the first choice is ours; some servers send more."""

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._text = ""
        self._refusal = ""
        self._reasoning: dict[str, str] = {}
        self._calls: list[dict[str, Any]] = []
        self._usage: Any = None
        self._served_model = ""
        self._id = ""
        self.finish_reason: str | None = None

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Add one chunk."""
        self._served_model = chunk.model or self._served_model
        self._id = chunk.id or self._id
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices or []:
            if (choice.index or 0) != 0:
                continue
            if choice.delta is not None:
                self._grow(choice.delta)
            self.finish_reason = choice.finish_reason or self.finish_reason

    def _grow(self, delta: ChoiceDelta) -> None:
        self._text += delta.content or ""
        self._refusal += delta.refusal or ""
        for name in _REASONING_FIELDS:
            words = (delta.model_extra or {}).get(name)
            if isinstance(words, str) and words:
                self._reasoning[name] = self._reasoning.get(name, "") + words
        for piece in delta.tool_calls or []:
            self._grow_call(piece)

    def _grow_call(self, piece: ChoiceDeltaToolCall) -> None:
        call = next((call for call in reversed(self._calls) if call["index"] == piece.index), None)
        # Some servers number every call 0; a new id then means a new call.
        if call is None or (piece.id and call["id"] and piece.id != call["id"]):
            call = {"index": piece.index, "id": "", "name": "", "raw": ""}
            self._calls.append(call)
        call["id"] = call["id"] or piece.id or ""
        if piece.function is not None:
            call["name"] = call["name"] or piece.function.name or ""
            given: Any = piece.function.arguments or ""
            call["raw"] += given if isinstance(given, str) else canonical_json(given)

    def answer(self, request_id: str) -> ModelAnswer:
        """The whole answer."""
        parts: list[Part] = []
        if self._reasoning:
            payload = {name: well_formed(words) for name, words in self._reasoning.items()}
            parts.append(Reasoning(dialect=DIALECT, payload=payload))
        if self._text or self._refusal:
            parts.append(Text(text=well_formed(self._text + self._refusal)))
        calls = self._tool_calls()
        return finished_answer(
            [*parts, *calls],
            self._stop(bool(calls)),
            usage=chat_usage(self._usage),
            served_model=self._served_model,
            request_id=request_id or self._id,
        )

    def _tool_calls(self) -> list[ToolCall]:
        calls: list[ToolCall] = []
        for position, call in enumerate(self._calls):
            known = {earlier.id for earlier in calls}
            call_id = call["id"]
            if not call_id or call_id in known:
                call_id = f"call_{self._turn}_{position}"
            calls.append(read_tool_call(call_id, call["name"], call["raw"]))
        return calls

    def _stop(self, has_calls: bool) -> StopKind:
        if self.finish_reason == "length":
            return StopKind.MAX_TOKENS
        if self.finish_reason == "content_filter" or self._refusal:
            return StopKind.REFUSAL
        # Several compatible servers end a turn of complete tool calls with "stop".
        return StopKind.TOOLS if has_calls else StopKind.END
