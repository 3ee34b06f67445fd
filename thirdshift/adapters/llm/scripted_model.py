"""A model that plays a file. It ships with the product: the demo, the tests and the benchmarks run on it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thirdshift.adapters.llm.answers import finished_answer
from thirdshift.adapters.llm.canonical import canonical_json, read_tool_call
from thirdshift.adapters.llm.script_format import Call, Script, ScriptedFault, Step
from thirdshift.adapters.llm.script_reading import Reading, find_step, output_tokens
from thirdshift.core.conversation import Part, Reasoning, Text, ToolCall
from thirdshift.core.errors import FaultKind, ModelFault, SettingsInvalid
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.usage import Usage

DIALECT = "scripted"
_PROGRESS_SECONDS = 0.2
_BYTES_PER_TOKEN = 4
_OUTCOME_OPEN = frozenset({FaultKind.TIMED_OUT, FaultKind.CUT_STREAM, FaultKind.BAD_BODY})


class ScriptedModel:
    """Plays a script. ``state_dir`` is needed only for faults that come a limited number of times."""

    def __init__(self, *, name: str, script: Script, state_dir: Path | None = None) -> None:
        if script.counts_faults and state_dir is None:
            raise SettingsInvalid(
                f"provider {name}: the script has a fault with `times`, which needs a state directory to count in"
            )
        self._name = name
        self._script = script
        self._state_dir = state_dir

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """The answer that the script has for this request."""
        reading = Reading(request)
        step = self._step(reading)
        await _wait(step.delay_seconds, on_progress)
        on_progress()
        if step.fault is not None and self._strikes(step.fault, request):
            raise self._fault(step.fault, request)
        return _played(step, reading)

    async def count_input(self, request: ModelRequest) -> int | None:
        """What the answer's usage will say; None where it will say nothing."""
        reading = Reading(request)
        found = find_step(self._script, reading)
        if found is None or found[1].usage == "none":
            return None
        usage = found[1].usage
        return usage.all_input if isinstance(usage, Usage) else reading.input_tokens

    async def close(self) -> None:
        """Nothing to let go of."""

    def _step(self, reading: Reading) -> Step:
        found = find_step(self._script, reading)
        if found is None:
            raise ModelFault(
                FaultKind.BAD_REQUEST,
                f"{self._name}: none of the script's {len(self._script.plays)} plays has an answer for model "
                f"{reading.request.model}, role {reading.role}, attempt {reading.attempt}, step {reading.step}; "
                "add one, or a last play without conditions",
                may_be_billed=False,
            )
        play, step = found
        return _filled(step, reading) if play.fill else step

    def _strikes(self, fault: ScriptedFault, request: ModelRequest) -> bool:
        if fault.times is None or self._state_dir is None:
            return True
        whole = canonical_json(request.model_dump(mode="json")).encode("utf-8", "replace")
        tally = self._state_dir / f"{hashlib.sha256(whole).hexdigest()[:32]}.tally"
        self._state_dir.mkdir(parents=True, exist_ok=True)
        # One appended byte for each time: it survives a kill, and two writers do not overwrite each other.
        with tally.open("ab") as file:
            file.write(b".")
            file.flush()
            return file.tell() <= fault.times

    def _fault(self, fault: ScriptedFault, request: ModelRequest) -> ModelFault:
        billed = fault.kind in _OUTCOME_OPEN if fault.may_be_billed is None else fault.may_be_billed
        return ModelFault(
            fault.kind,
            f"{self._name}, model {request.model}: {fault.kind.value}: {fault.message}",
            may_be_billed=billed,
            retry_after_seconds=fault.retry_after_seconds,
        )


async def _wait(seconds: float, on_progress: Callable[[], None]) -> None:
    while seconds > 0:
        await asyncio.sleep(min(seconds, _PROGRESS_SECONDS))
        seconds -= _PROGRESS_SECONDS
        on_progress()


def _played(step: Step, reading: Reading) -> ModelAnswer:
    request = reading.request
    parts = _parts(step, reading.step)
    stop = step.stop or (StopKind.TOOLS if step.tools else StopKind.END)
    if step.usage is None and output_tokens(parts) > request.max_output_tokens:
        parts, stop = _cut(parts, request.max_output_tokens), StopKind.MAX_TOKENS
    return finished_answer(
        parts,
        stop,
        usage=_usage(step, reading, parts),
        served_model=request.model if step.served_model is None else step.served_model,
        request_id=f"scripted-{reading.attempt}-{reading.step}",
    )


def _parts(step: Step, number: int) -> tuple[Part, ...]:
    parts: list[Part] = []
    if step.reasoning is not None:
        parts.append(Reasoning(dialect=DIALECT, payload={"text": step.reasoning}))
    if step.say:
        parts.append(Text(text=step.say))
    parts += [_call(call, f"call_{number}_{position}") for position, call in enumerate(step.tools)]
    return tuple(parts)


def _call(call: Call, call_id: str) -> ToolCall:
    if call.input is not None:
        return ToolCall(id=call_id, name=call.name, arguments=call.input)
    return read_tool_call(call_id, call.name, call.raw or "")


def _usage(step: Step, reading: Reading, parts: tuple[Part, ...]) -> Usage | None:
    if step.usage == "none":
        return None
    if isinstance(step.usage, Usage):
        return step.usage
    output = min(output_tokens(parts), reading.request.max_output_tokens)
    thought = output_tokens(tuple(part for part in parts if isinstance(part, Reasoning)))
    return Usage(
        input_tokens=reading.input_tokens - reading.cached_tokens,
        cache_read_tokens=reading.cached_tokens,
        output_tokens=output,
        reasoning_tokens=min(thought, output) if step.reasoning is not None else 0,
    )


def _cut(parts: tuple[Part, ...], max_output_tokens: int) -> tuple[Part, ...]:
    """What of the parts fits, as a vendor cuts at ``max_tokens``: in the middle of a word or of tool input."""
    left = max_output_tokens * _BYTES_PER_TOKEN
    kept: list[Part] = []
    for part in parts:
        whole = output_tokens((part,)) * _BYTES_PER_TOKEN
        if whole > left:
            if isinstance(part, Text):
                kept.append(Text(text=part.text.encode("utf-8", "replace")[:left].decode("utf-8", "ignore")))
            elif isinstance(part, ToolCall):
                raw = part.raw if part.arguments is None else canonical_json(part.arguments)
                kept.append(part.model_copy(update={"arguments": None, "raw": raw[: left // 2]}))
            break
        kept.append(part)
        left -= whole
    return tuple(kept)


def _filled(step: Step, reading: Reading) -> Step:
    words = {
        "{{step}}": str(reading.step),
        "{{attempt}}": str(reading.attempt),
        "{{model}}": reading.request.model,
    }
    tools = tuple(
        call.model_copy(update={"input": _replaced(call.input, words), "raw": _replaced(call.raw, words)})
        for call in step.tools
    )
    return step.model_copy(update={"say": _replaced(step.say, words), "tools": tools})


def _replaced(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        for mark, word in words.items():
            value = value.replace(mark, word)
        return value
    if isinstance(value, dict):
        return {key: _replaced(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, words) for item in value]
    return value
