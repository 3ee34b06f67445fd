"""Models behind the Messages API, streamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
from anthropic.types import RawContentBlockDeltaEvent, RawMessageStreamEvent

from thirdshift.adapters.llm.answers import finished_answer
from thirdshift.adapters.llm.anthropic_request import DIALECT, anthropic_effort, anthropic_prompt
from thirdshift.adapters.llm.canonical import read_tool_call, well_formed, well_formed_json
from thirdshift.adapters.llm.connection import NO_KEY, host_of, open_client, timeouts
from thirdshift.adapters.llm.fault_translation import FaultTranslator, SdkErrors
from thirdshift.adapters.llm.usage_counts import anthropic_usage
from thirdshift.core.conversation import Part, Reasoning, Text
from thirdshift.core.errors import ModelFault
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind

DEFAULT_BASE_URL = "https://api.anthropic.com"
_COUNT_SECONDS = 15.0

_STOPS = {
    "tool_use": StopKind.TOOLS,
    "max_tokens": StopKind.MAX_TOKENS,
    # The window is full: the answer is cut just as by max_tokens, and the next request will be too long.
    "model_context_window_exceeded": StopKind.MAX_TOKENS,
    "refusal": StopKind.REFUSAL,
}


ANTHROPIC_ERRORS = SdkErrors(
    root=anthropic.AnthropicError,
    status=anthropic.APIStatusError,
    invalid=anthropic.APIResponseValidationError,
    connection=anthropic.APIConnectionError,
    any_answer=anthropic.APIError,
)


class AnthropicModel:
    """A provider that speaks Messages. ``name`` is its name in the configuration, used in error texts."""

    def __init__(self, *, name: str, base_url: str | None, api_key: str | None) -> None:
        base_url = base_url or DEFAULT_BASE_URL
        self._faults = FaultTranslator(name, host_of(base_url), api_key, ANTHROPIC_ERRORS)
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key or NO_KEY,
            base_url=base_url,
            max_retries=0,
            open_telemetry=False,
            http_client=open_client(base_url, api_key),
        )

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """Send one request and read its stream to the terminal event."""
        with self._faults.translated(request.model):
            stream = await self._client.messages.create(
                **anthropic_prompt(request),
                **anthropic_effort(request),
                max_tokens=request.max_output_tokens,
                stream=True,
                timeout=timeouts(request.timeout_seconds),
            )
            async with stream:
                await self._faults.require_events(stream.response, request.model)
                reading = _Reading()
                async for event in stream:
                    on_progress()
                    reading.take(event)
            if not reading.complete:
                raise self._faults.cut(request.model)
            return reading.answer(stream.response.headers.get("request-id", ""))

    async def count_input(self, request: ModelRequest) -> int | None:
        """The vendor's count of input tokens; None where the server has no such endpoint or it failed.

        The vendor calls its count an estimate that may be off by a few tokens.
        """
        try:
            with self._faults.translated(request.model):
                counted = await self._client.messages.count_tokens(
                    **anthropic_prompt(request),
                    **anthropic_effort(request),
                    timeout=timeouts(min(request.timeout_seconds, _COUNT_SECONDS)),
                )
                return counted.input_tokens
        except ModelFault:
            return None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


class _Reading:
    """An answer as its events come in."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._started: Any = None
        self._ended: Any = None
        self._served_model = ""
        self._id = ""
        self._stop_reason: str | None = None
        self._terminal = False

    @property
    def complete(self) -> bool:
        """Whether the terminal event and the stop reason were seen."""
        return self._terminal and self._stop_reason is not None

    def take(self, event: RawMessageStreamEvent) -> None:
        """Add one event."""
        if event.type == "message_start":
            self._started = event.message.usage
            self._served_model = event.message.model or ""
            self._id = event.message.id or ""
        elif event.type == "content_block_start":
            self._blocks[event.index] = {**event.content_block.to_dict(), "raw": ""}
        elif event.type == "content_block_delta":
            self._grow(event)
        elif event.type == "message_delta":
            self._ended = event.usage
            self._stop_reason = event.delta.stop_reason or self._stop_reason
        elif event.type == "message_stop":
            self._terminal = True

    def _grow(self, event: RawContentBlockDeltaEvent) -> None:
        block, delta = self._blocks[event.index], event.delta
        if delta.type == "text_delta":
            block["text"] = block.get("text", "") + delta.text
        elif delta.type == "input_json_delta":
            block["raw"] += delta.partial_json
        elif delta.type == "thinking_delta":
            block["thinking"] = block.get("thinking", "") + delta.thinking
        elif delta.type == "signature_delta":
            block["signature"] = block.get("signature", "") + delta.signature

    def answer(self, request_id: str) -> ModelAnswer:
        """The whole answer."""
        parts = [_part(self._blocks[index]) for index in sorted(self._blocks)]
        stop = _STOPS.get(self._stop_reason or "", StopKind.END)
        return finished_answer(
            [part for part in parts if part is not None],
            stop,
            usage=anthropic_usage(self._started, self._ended),
            served_model=self._served_model,
            request_id=request_id or self._id,
        )


def _part(block: dict[str, Any]) -> Part | None:
    raw = block.pop("raw")
    if block["type"] == "text":
        return Text(text=well_formed(block.get("text", "")))
    if block["type"] == "tool_use":
        # Input comes in pieces of JSON text; some servers send it whole with the start of the block instead.
        if not raw and block.get("input"):
            call = read_tool_call(block["id"], block["name"], "{}")
            return call.model_copy(update={"arguments": well_formed_json(block["input"])})
        return read_tool_call(block["id"], block["name"], raw)
    if block["type"] in ("thinking", "redacted_thinking"):
        return Reasoning(dialect=DIALECT, payload=block)
    return None
