"""Models behind the Responses API, streamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openai.types.responses import Response, ResponseOutputItem, ResponseStreamEvent

from thirdshift.adapters.llm.answers import finished_answer
from thirdshift.adapters.llm.canonical import read_tool_call, well_formed, well_formed_json
from thirdshift.adapters.llm.connection import host_of, timeouts
from thirdshift.adapters.llm.fault_translation import FaultTranslator
from thirdshift.adapters.llm.openai_client import DEFAULT_BASE_URL, OPENAI_ERRORS, open_sdk
from thirdshift.adapters.llm.responses_request import DIALECT, PHASE, responses_prompt, responses_settings
from thirdshift.adapters.llm.usage_counts import responses_usage
from thirdshift.core.conversation import Part, Reasoning, Text, ToolCall
from thirdshift.core.errors import ModelFault
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind

_COUNT_SECONDS = 15.0


class OpenAIResponsesModel:
    """A provider that speaks Responses. ``name`` is its name in the configuration, used in error texts."""

    def __init__(self, *, name: str, base_url: str | None, api_key: str | None) -> None:
        base_url = base_url or DEFAULT_BASE_URL
        self._faults = FaultTranslator(name, host_of(base_url), api_key, OPENAI_ERRORS)
        self._client = open_sdk(base_url, api_key)

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """Send one request and read its stream to the terminal event."""
        with self._faults.translated(request.model):
            # The SDK walks typed arguments key by key, 110 ms for a conversation of 120 steps; `extra_body` goes
            # out as it is.
            stream = await self._client.responses.create(
                extra_body=responses_prompt(request) | responses_settings(request),
                stream=True,
                timeout=timeouts(request.timeout_seconds),
            )
            async with stream:
                await self._faults.require_events(stream.response, request.model)
                reading = _Reading(request.max_output_tokens)
                async for event in stream:
                    on_progress()
                    reading.take(event)
            if reading.failure is not None:
                raise self._faults.of_event(request.model, reading.failure)
            if reading.response is None:
                raise self._faults.cut(request.model)
            return reading.answer(reading.response, stream.response.headers.get("x-request-id", ""))

    async def count_input(self, request: ModelRequest) -> int | None:
        """The vendor's count of input tokens; None where the server has no such endpoint or it failed."""
        prompt = responses_prompt(request)
        if request.effort is not None:
            prompt["reasoning"] = {"effort": request.effort}
        try:
            with self._faults.translated(request.model):
                counted = await self._client.responses.input_tokens.count(
                    extra_body=prompt, timeout=timeouts(min(request.timeout_seconds, _COUNT_SECONDS))
                )
                return counted.input_tokens
        except ModelFault:
            return None

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


class _Reading:
    """An answer as its events come in: finished items, then the terminal event."""

    def __init__(self, max_output_tokens: int) -> None:
        self._max_output_tokens = max_output_tokens
        self._items: dict[int, ResponseOutputItem] = {}
        self.response: Response | None = None
        self.failure: object = None

    def take(self, event: ResponseStreamEvent) -> None:
        """Add one event; the pieces that items are made of come again, whole, when an item is done."""
        if event.type == "response.output_item.done":
            # llama.cpp's server numbers no items; they come in order.
            index: int | None = event.output_index
            self._items[len(self._items) if index is None else index] = event.item
        elif event.type == "response.completed" or event.type == "response.incomplete":
            self.response = event.response
        elif event.type == "response.failed":
            error = event.response.error
            self.failure = error.to_dict() if error is not None else "the response failed without a reason"
        elif event.type == "error":
            self.failure = event.to_dict()

    def answer(self, response: Response, request_id: str) -> ModelAnswer:
        """The whole answer. Some servers send items only with the terminal event, others only before it."""
        whole = dict(enumerate(response.output or [])) | self._items
        items = [whole[index] for index in sorted(whole)]
        parts: list[Part] = []
        refused = False
        for item in items:
            if item.type == "message":
                refused = refused or any(content.type == "refusal" for content in item.content)
            parts += _parts(item)
        usage = responses_usage(response.usage)
        stop = _stop(response, refused, any(isinstance(part, ToolCall) for part in parts))
        # llama.cpp's server calls an answer completed that it cut at the limit.
        if response.status == "completed" and usage and usage.output_tokens >= self._max_output_tokens:
            stop = StopKind.MAX_TOKENS
        return finished_answer(
            parts,
            stop,
            usage=usage,
            served_model=response.model or "",
            request_id=request_id or response.id or "",
        )


def _stop(response: Response, refused: bool, has_calls: bool) -> StopKind:
    if response.status == "incomplete":
        details = response.incomplete_details
        filtered = details is not None and details.reason == "content_filter"
        return StopKind.REFUSAL if filtered else StopKind.MAX_TOKENS
    if refused:
        return StopKind.REFUSAL
    return StopKind.TOOLS if has_calls else StopKind.END


def _parts(item: ResponseOutputItem) -> list[Part]:
    if item.type == "reasoning":
        payload: dict[str, Any] = well_formed_json(item.to_dict())
        # `status` is an output-only field; sent back, it is refused.
        payload.pop("status", None)
        return [Reasoning(dialect=DIALECT, payload=payload)]
    if item.type == "function_call":
        return [read_tool_call(item.call_id, item.name, item.arguments or "")]
    if item.type != "message":
        return []
    said: list[str] = []
    for content in item.content:
        said.append(content.refusal if content.type == "refusal" else content.text)
    words = well_formed("".join(said))
    label: list[Part] = [Reasoning(dialect=DIALECT, payload={PHASE: item.phase})] if item.phase else []
    return [*label, Text(text=words)] if words else []
