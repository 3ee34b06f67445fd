"""Stages: each makes one implementation of the model port say what a test wants to hear."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from tests.adapters.llm.requests import KEY, said
from tests.fakes.wire.dialects import Dialect
from tests.fakes.wire.http_server import Handler, Recorded, Reply, WireServer, html_reply, in_turn
from thirdshift.adapters.llm.build import build_model
from thirdshift.adapters.llm.script_format import Script
from thirdshift.adapters.llm.scripted_model import ScriptedModel
from thirdshift.core.conversation import Reasoning, Text
from thirdshift.core.errors import FaultKind
from thirdshift.core.ports import Model, ModelAnswer


class Stage(Protocol):
    """One implementation."""

    kind: str

    def answering(self, answer: ModelAnswer) -> AbstractAsyncContextManager[Model]:
        """A model that gives this answer."""
        ...

    def failing(self, kind: FaultKind) -> AbstractAsyncContextManager[Model]:
        """A model whose every call fails this way."""
        ...

    def silent(self) -> AbstractAsyncContextManager[Model]:
        """A model that starts to answer and then says nothing for an hour."""
        ...


class WireStage:
    """An adapter over an SDK against a loopback server."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.kind = dialect.kind

    def answering(self, answer: ModelAnswer) -> AbstractAsyncContextManager[Model]:
        return self.model(self.dialect.streamed(answer))

    def failing(self, kind: FaultKind) -> AbstractAsyncContextManager[Model]:
        some = self.dialect.stream(answer_of("thinking"))[:2]
        match kind:
            case FaultKind.UNREACHABLE:
                return self.nobody()
            case FaultKind.TIMED_OUT:
                return self.model(Reply(chunks=some, ending="hang"))
            case FaultKind.CUT_STREAM:
                return self.model(Reply(chunks=some, ending="cut"))
            case FaultKind.BAD_BODY:
                return self.model(html_reply(200, "<html>Sign in</html>"))
            case _:
                return self.model(self.dialect.error(kind, headers={"retry-after": "7"}))

    def silent(self) -> AbstractAsyncContextManager[Model]:
        return self.model(Reply(chunks=self.dialect.stream(answer_of("thinking"))[:2], ending="hang"))

    @asynccontextmanager
    async def model(self, *replies: Reply) -> AsyncIterator[Model]:
        """An adapter whose server gives these replies in turn."""
        async with self.served(in_turn(*replies)) as (model, _):
            yield model

    @asynccontextmanager
    async def served(self, handler: Handler) -> AsyncIterator[tuple[Model, WireServer]]:
        """An adapter and the server it talks to."""
        async with WireServer(handler) as server:
            base_url = server.url + self.dialect.base_path
            model = build_model(self.kind, name="acme", base_url=base_url, api_key=KEY)
            try:
                yield model, server
            finally:
                await model.close()

    @asynccontextmanager
    async def nobody(self) -> AsyncIterator[Model]:
        """An adapter whose server is not there."""

        def never(_: Recorded) -> Reply:
            raise AssertionError("a closed server was asked")

        async with WireServer(never) as server:
            url = server.url
        model = build_model(self.kind, name="acme", base_url=url + self.dialect.base_path, api_key=KEY)
        yield model
        await model.close()


class ScriptedStage:
    """The scripted model in this process."""

    kind = "scripted"

    def answering(self, answer: ModelAnswer) -> AbstractAsyncContextManager[Model]:
        step: dict[str, object] = {
            "say": answer.message.text,
            "tools": [
                {"call": {"name": call.name, "raw": call.raw}}
                if call.arguments is None
                else {call.name: call.arguments}
                for call in answer.message.tool_calls
            ],
            "stop": answer.stop,
            "usage": answer.usage.model_dump() if answer.usage else "none",
            "served_model": answer.served_model,
        }
        for part in answer.message.parts:
            if isinstance(part, Reasoning):
                step["reasoning"] = str(part.payload["text"])
        return self._playing(step)

    def failing(self, kind: FaultKind) -> AbstractAsyncContextManager[Model]:
        asks_to_wait = kind in (FaultKind.RATE_LIMITED, FaultKind.OVERLOADED)
        return self._playing({"fault": {"kind": kind, "retry_after_seconds": 7 if asks_to_wait else None}})

    def silent(self) -> AbstractAsyncContextManager[Model]:
        return self._playing({"delay_seconds": 3600})

    @asynccontextmanager
    async def _playing(self, step: dict[str, object]) -> AsyncIterator[Model]:
        script = Script.model_validate({"version": 1, "plays": [{"steps": [step], "repeat": True}]})
        model = ScriptedModel(name="acme", script=script)
        yield model
        await model.close()


def answer_of(words: str) -> ModelAnswer:
    """A plain answer."""
    return said(Text(text=words))
