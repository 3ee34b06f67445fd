"""A reception under test: its app, its books, what was announced, and a way of sending that a browser has not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette

from tests.fakes.event_shelf import EventShelf
from tests.fakes.webhooks import SECRET, Delivery
from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.event_book import Event
from thirdshift.core.events.deliveries import DIALECTS, SourceTerms
from thirdshift.core.events.signatures import SourceKind
from thirdshift.web.app import build_app
from thirdshift.web.reception import Bounds, Desk, Source


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Counter:
    """``announced`` are the numbers of events that Temporal was told of; ``down`` makes it refuse."""

    book: EventShelf = field(default_factory=EventShelf)
    announced: list[int] = field(default_factory=list)
    down: bool = False
    steady: float = 1000.0
    body_seconds: float = 5.0
    per_minute: int = 60_000
    burst: int = 10_000
    most_bytes: int | None = None
    kinds: Sequence[SourceKind] = tuple(SourceKind)

    def app(self) -> Starlette:
        sources = [
            Source(
                terms=SourceTerms(name=kind.value, kind=kind),
                secrets=("the-secret-of-last-month-0123456789", SECRET),
                most_bytes=self.most_bytes or DIALECTS[kind].most_bytes,
                per_minute=self.per_minute,
                burst=self.burst,
            )
            for kind in self.kinds
        ]
        desk = Desk(
            book=self.book,
            announce=self._announce,
            clock=lambda: datetime.now(UTC),  # noqa: TID251 - signatures of the moment are checked
            steady=lambda: self.steady,
            secrets=frozenset({SECRET}),
        )
        return build_app(sources, Bounds(tolerance_seconds=300, body_seconds=self.body_seconds), desk)

    async def _announce(self, _event: Event, number: int) -> None:
        if self.down:
            raise EngineUnavailable("no answer")
        self.announced.append(number)


async def send(
    app: Starlette,
    path: str,
    sent: Delivery,
    *,
    method: str = "POST",
    chunks: AsyncIterator[bytes] | None = None,
    faults: list[Exception] | None = None,
) -> Answer:
    """One request, as a server hands it to an app; ``chunks`` in place of a body that comes at once.

    What the app raises after its answer, for the server's log, goes into ``faults`` where there are any to be.
    """
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in sent.headers.items()
    ]
    if chunks is None and "content-length" not in sent.headers:
        headers.append((b"content-length", str(len(sent.body)).encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    parts = chunks if chunks is not None else _whole(sent.body)
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        async for part in parts:
            return {"type": "http.request", "body": part, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def tell(message: Any) -> None:
        told.append(dict(message))

    try:
        await app(scope, receive, tell)
    except Exception as error:
        if faults is None:
            raise
        faults.append(error)
    body = b"".join(message.get("body", b"") for message in told[1:])
    found = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    return Answer(int(told[0]["status"]), found, body.decode())


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def slowly(*parts: bytes) -> AsyncIterator[bytes]:
    """These, and then nothing for ever."""
    for part in parts:
        yield part
    await asyncio.Event().wait()


async def endless(part: bytes) -> AsyncIterator[bytes]:
    """The same again and again."""
    while True:
        yield part
