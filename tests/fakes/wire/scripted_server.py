"""A real endpoint in all three formats that plays a script: what a vendor is to the product, on loopback.

The same file that ``thirdshift.adapters.llm.scripted_model`` plays in process is played over the wire, so a run may
use the real adapters and still be told what happens. The request's role is not on the wire: scripts tell plan from
code by the text, or by a line ``Role: plan`` in the system text.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

from tests.fakes.wire import chat_wire
from tests.fakes.wire.dialects import ANTHROPIC, OPENAI, OPENAI_CHAT, Dialect
from tests.fakes.wire.http_server import Recorded, Reply, WireServer, html_reply, json_reply
from thirdshift.adapters.llm.script_format import Script
from thirdshift.adapters.llm.script_reading import Reading
from thirdshift.adapters.llm.scripted_model import ScriptedModel
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.ports import ModelAnswer

_BY_ENDING = {"/messages": ANTHROPIC, "/responses": OPENAI, "/chat/completions": OPENAI_CHAT}


class ScriptedServer:
    """Plays ``script``. ``state_dir`` counts faults that come a limited number of times.

    ``bodies_dir`` gets the body of every request for an answer, as ``000001.json`` and so on, for whoever wants to
    compare bytes.
    """

    def __init__(
        self,
        script: Script,
        *,
        state_dir: Path | None = None,
        latency_seconds: float = 0.0,
        keep_requests: bool = True,
        port: int = 0,
        bodies_dir: Path | None = None,
    ) -> None:
        self._model = ScriptedModel(name="wire", script=script, state_dir=state_dir)
        self._latency_seconds = latency_seconds
        self._seen: dict[bytes, int] = {}
        self._bodies_dir = bodies_dir
        self._times: list[dict[str, Any]] = []
        self.wire = WireServer(self._handle, keep_requests=keep_requests, port=port)

    async def __aenter__(self) -> ScriptedServer:
        await self.wire.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self.wire.__aexit__(*details)

    def base_url(self, dialect: Dialect) -> str:
        """The address to configure for a provider of this dialect."""
        return self.wire.url + dialect.base_path

    def count(self) -> dict[str, Any]:
        """Requests for answers so far: in all, by path, and how many came whose very bytes had come before."""
        by_path = {
            path: count
            for path, count in self.wire.count_by_path.items()
            if any(path.endswith(ending) for ending in _BY_ENDING)
        }
        repeats = sum(count - 1 for count in self._seen.values())
        return {"total": sum(by_path.values()), "by_path": by_path, "repeats": repeats}

    async def _handle(self, request: Recorded) -> Reply:
        if request.path == "/__count":
            return json_reply(200, self.count())
        if request.path == "/__times":
            return json_reply(200, self._times)
        if request.path.endswith("/models"):
            return json_reply(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})
        for ending, counted in (("/messages/count_tokens", ANTHROPIC), ("/responses/input_tokens", OPENAI)):
            if request.path.endswith(ending):
                weight = Reading(counted.read_request(request.json)).input_tokens
                return json_reply(200, {"input_tokens": weight, "object": "response.input_tokens"})
        dialect = next((each for ending, each in _BY_ENDING.items() if request.path.endswith(ending)), None)
        if dialect is None or request.method != "POST":
            return json_reply(404, {"error": {"message": f"no such path: {request.path}"}})
        key = hashlib.sha256(request.body).digest()
        self._seen[key] = self._seen.get(key, 0) + 1
        return await self._timed(dialect, request)

    async def _timed(self, dialect: Dialect, request: Recorded) -> Reply:
        """Play, and note when the request was here and when its answer was ready: seconds of the monotonic clock."""
        arrived = time.monotonic()
        reply = await self._play(dialect, request)
        if self._bodies_dir is not None:
            (self._bodies_dir / f"{len(self._times) + 1:06d}.json").write_bytes(request.body)
        note = {"path": request.path, "bytes": len(request.body), "model": _model_of(request)}
        self._times.append({**note, "arrived": arrived, "answered": time.monotonic()})
        return reply

    async def _play(self, dialect: Dialect, request: Recorded) -> Reply:
        try:
            body = request.json
            asked = dialect.read_request(body)
        except (ValueError, KeyError, TypeError) as error:
            return dialect.error(FaultKind.BAD_REQUEST, f"not a request: {type(error).__name__}: {error}")
        if self._latency_seconds:
            await asyncio.sleep(self._latency_seconds)
        try:
            answer = await self._model.answer(asked, lambda: None)
        except ModelFault as fault:
            return _fault_reply(dialect, fault)
        return _answer_reply(dialect, body, answer)


def _model_of(request: Recorded) -> str:
    try:
        return str(request.json["model"])
    except (ValueError, KeyError, TypeError):
        return ""


def _answer_reply(dialect: Dialect, body: dict[str, Any], answer: ModelAnswer) -> Reply:
    if not body.get("stream"):
        return json_reply(200, dialect.whole(answer))
    if dialect is OPENAI_CHAT:
        wanted = bool((body.get("stream_options") or {}).get("include_usage"))
        frames = chat_wire.stream(answer, include_usage=wanted)
    else:
        frames = dialect.stream(answer)
    # One write for the whole stream: the server adds no time of its own.
    return Reply(chunks=[b"".join(frames)])


def _fault_reply(dialect: Dialect, fault: ModelFault) -> Reply:
    match fault.kind:
        case FaultKind.UNREACHABLE:
            return Reply(send_head=False, ending="reset")
        case FaultKind.TIMED_OUT:
            return Reply(ending="hang")
        case FaultKind.CUT_STREAM:
            return Reply(ending="cut")
        case FaultKind.BAD_BODY:
            return html_reply(200, "<html><body>Sign in to continue</body></html>")
    headers = {}
    if fault.retry_after_seconds is not None:
        headers["retry-after"] = f"{fault.retry_after_seconds:g}"
    return dialect.error(fault.kind, str(fault), headers)
