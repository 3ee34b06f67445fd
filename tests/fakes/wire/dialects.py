"""The three wire formats under one roof, for suites that run over all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.wire import chat_wire, messages_wire, responses_wire
from tests.fakes.wire.http_server import Reply, json_reply
from thirdshift.core.errors import FaultKind
from thirdshift.core.ports import ModelAnswer, ModelRequest


@dataclass(frozen=True)
class Dialect:
    """One vendor's way to talk. ``base_path`` is what a client's base_url ends with."""

    kind: str
    path: str
    base_path: str
    whole: Callable[[ModelAnswer], dict[str, Any]]
    stream: Callable[[ModelAnswer], list[bytes]]
    error_body: Callable[[FaultKind, str], tuple[int, dict[str, Any]]]
    error_event: Callable[[FaultKind, str], bytes]
    read_request: Callable[[dict[str, Any]], ModelRequest]

    def streamed(self, answer: ModelAnswer) -> Reply:
        """The answer as a whole, clean stream."""
        return Reply(chunks=self.stream(answer))

    def error(self, kind: FaultKind, message: str = "no", headers: dict[str, str] | None = None) -> Reply:
        """An error answer."""
        status, body = self.error_body(kind, message)
        return json_reply(status, body, headers)


ANTHROPIC = Dialect(
    kind="anthropic",
    path=messages_wire.PATH,
    base_path="",
    whole=messages_wire.whole,
    stream=messages_wire.stream,
    error_body=messages_wire.error_body,
    error_event=messages_wire.error_event,
    read_request=messages_wire.read_request,
)
OPENAI = Dialect(
    kind="openai",
    path=responses_wire.PATH,
    base_path="/v1",
    whole=responses_wire.whole,
    stream=responses_wire.stream,
    error_body=responses_wire.error_body,
    error_event=responses_wire.error_event,
    read_request=responses_wire.read_request,
)
OPENAI_CHAT = Dialect(
    kind="openai-chat",
    path=chat_wire.PATH,
    base_path="/v1",
    whole=chat_wire.whole,
    stream=chat_wire.stream,
    error_body=chat_wire.error_body,
    error_event=chat_wire.error_event,
    read_request=chat_wire.read_request,
)
DIALECTS = (ANTHROPIC, OPENAI, OPENAI_CHAT)
