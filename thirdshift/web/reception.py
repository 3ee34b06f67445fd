"""One delivery, from its first byte to the answer: checked, read, stored, announced."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request

from thirdshift.core.errors import EngineUnavailable, LedgerUnavailable
from thirdshift.core.event_book import Event, EventBook
from thirdshift.core.events.buckets import TokenBucket
from thirdshift.core.events.deliveries import DIALECTS, Delivered, SourceTerms, read_delivery
from thirdshift.core.events.drafts import Malformed, Nothing
from thirdshift.core.events.signatures import is_genuine
from thirdshift.core.words import counted
from thirdshift.web.answers import Refused
from thirdshift.web.bodies import Room, read_body
from thirdshift.web.shelving import Shelf

Announce = Callable[[Event, int], Awaitable[None]]
"""Tell the repository's ``Intake`` of a stored event by its number; EngineUnavailable where Temporal is down."""

_SMALL: Final = 32 << 10
"""Bodies up to this are read at once: sooner done than handed to a thread."""
_LARGE: Final = 1 << 20
"""Bodies beyond this are read one at a time: as values they take many times their size."""
_LEAST_ROOM: Final = 32 << 20
_AGAIN_SECONDS: Final = 30.0
_UNSIGNED: Final = "the signature is missing or wrong, or its time is too far from now; check the secret on both sides"


@dataclass(frozen=True)
class Source:
    """A sender that is listened to."""

    terms: SourceTerms
    secrets: tuple[str, ...]
    most_bytes: int
    per_minute: int
    burst: int


@dataclass(frozen=True)
class Bounds:
    """What holds for every source."""

    tolerance_seconds: float
    body_seconds: float


@dataclass(frozen=True)
class Desk:
    """What the reception works with. ``steady`` is a clock for durations, in seconds."""

    book: EventBook
    announce: Announce
    clock: Callable[[], datetime]
    steady: Callable[[], float]
    secrets: frozenset[str] = frozenset()
    """Values that no event may hold."""


@dataclass(frozen=True)
class Taken:
    """The answer to a delivery that was taken, or needs not be."""

    status: int
    words: str


@dataclass(frozen=True)
class _Stored:
    event: Event
    number: int
    new: bool
    undecided: bool


class Reception:
    """Takes the deliveries of one source."""

    def __init__(self, source: Source, bounds: Bounds, desk: Desk, shelf: Shelf, large: asyncio.Semaphore) -> None:
        self._source, self._bounds, self._desk, self._shelf, self._large = source, bounds, desk, shelf, large
        self._room = Room(max(_LEAST_ROOM, 2 * source.most_bytes))
        self._bucket = TokenBucket(source.per_minute, source.burst, desk.steady())

    async def take(self, request: Request) -> Taken:
        """See it through. Raises Refused with the answer where it is not taken."""
        headers = _headers(request)
        self._refuse_unreadable(headers)
        with self._room.share() as share:
            body = await read_body(request, self._source.most_bytes, self._bounds.body_seconds, share)
            self._refuse_unsigned(headers, body)
            read = await self._read(headers, body)
        if isinstance(read, Nothing):
            return Taken(200, f"nothing to do: {read.why}")
        stored = await self._store(read.events)
        await self._announce(stored)
        return Taken(202, _words(stored, read.left_out))

    def _refuse_unreadable(self, headers: Mapping[str, str]) -> None:
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise Refused(415, "compressed bodies are not taken; send it without Content-Encoding", body_read=False)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        known = DIALECTS[self._source.terms.kind].content_types
        if content_type not in known:
            raise Refused(
                415, f"the content type is to be {' or '.join(sorted(known))}; set it at the sender", body_read=False
            )

    def _refuse_unsigned(self, headers: Mapping[str, str], body: bytes) -> None:
        genuine = is_genuine(
            self._source.terms.kind,
            headers,
            body,
            self._source.secrets,
            now=self._desk.clock().timestamp(),
            tolerance_seconds=self._bounds.tolerance_seconds,
        )
        if not genuine:
            raise Refused(401, _UNSIGNED, body_read=True)
        # Only now: whoever cannot sign must not be able to use up what the sender may bring.
        if wait := self._bucket.take(self._desk.steady()):
            raise Refused(
                429, "too many deliveries of this source; send it again later", retry_after_seconds=wait, body_read=True
            )

    async def _read(self, headers: Mapping[str, str], body: bytes) -> Delivered | Nothing:
        """In a thread where it takes longer than others should wait for."""
        try:
            if len(body) <= _SMALL:
                return self._read_now(headers, body)
            if len(body) <= _LARGE:
                return await asyncio.to_thread(self._read_now, headers, body)
            async with self._large:
                return await asyncio.to_thread(self._read_now, headers, body)
        except Malformed as error:
            raise Refused(422, str(error), body_read=True) from None

    def _read_now(self, headers: Mapping[str, str], body: bytes) -> Delivered | Nothing:
        return read_delivery(self._source.terms, headers, body, self._desk.clock(), self._desk.secrets)

    async def _store(self, events: Sequence[Event]) -> list[_Stored]:
        try:
            put = await self._shelf.put(events)
            return [await self._stored(event, *each) for event, each in zip(events, put, strict=True)]
        except LedgerUnavailable:
            raise Refused(
                503,
                "the ledger cannot be written just now; send it again",
                retry_after_seconds=_AGAIN_SECONDS,
                body_read=True,
            ) from None

    async def _stored(self, event: Event, number: int, new: bool) -> _Stored:
        if new:
            return _Stored(event, number, new=True, undecided=True)
        record = await asyncio.to_thread(self._desk.book.event, number)
        return _Stored(event, number, new=False, undecided=record.decision is None)

    async def _announce(self, stored: Sequence[_Stored]) -> None:
        try:
            await asyncio.gather(*(self._desk.announce(one.event, one.number) for one in stored if one.undecided))
        except EngineUnavailable:
            raise Refused(
                503,
                "the event is kept, and taken up once Temporal answers again; sending it again does no harm",
                retry_after_seconds=_AGAIN_SECONDS,
                body_read=True,
            ) from None


def _headers(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.raw:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


def _words(stored: Sequence[_Stored], left_out: int) -> str:
    new = [one for one in stored if one.new]
    known = len(stored) - len(new)
    if len(stored) == 1:
        return f"{'taken' if new else 'known already'}: event {stored[0].number}"
    parts = [f"taken: {counted(len(new), 'event')}"]
    parts += [f"{known} known already"] if known else []
    parts += [f"{left_out} less grave ones left out"] if left_out else []
    return "; ".join(parts)
