"""Reading a request's body, bounded in size, in time, and in what all of them take together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from thirdshift.web.answers import Refused


class Room:
    """Memory for the bodies of one source: what is half received cannot take more, however many send at once."""

    def __init__(self, most_bytes: int) -> None:
        self.free = most_bytes

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A part of it, given back when the block is left."""
        share = Share(self)
        try:
            yield share
        finally:
            self.free += share.taken


class Share:
    """One request's part of a ``Room``."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def take(self, size: int) -> None:
        """Take more of it; Refused where there is no more."""
        if size > self._room.free:
            raise Refused(
                503, "too much is being received at once; send it again", retry_after_seconds=5, body_read=False
            )
        self._room.free -= size
        self.taken += size


async def read_body(request: Request, most_bytes: int, seconds: float, share: Share) -> bytes:
    """The whole body. Raises Refused: 413 by its stated length or while it comes, 408 where it takes too long."""
    stated = request.headers.get("content-length")
    if stated is not None and "transfer-encoding" in request.headers:
        # A proxy that goes by the other one would disagree with us on where the next request begins (RFC 9112, 6.1).
        raise Refused(400, "the body has two lengths; send Content-Length or Transfer-Encoding", body_read=False)
    if stated is not None and (not stated.isascii() or not stated.isdigit() or int(stated[:20]) > most_bytes):
        raise _too_large(most_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _collected(request.stream(), most_bytes, share)
    except TimeoutError:
        raise Refused(
            408, f"the body did not arrive within {seconds:g} seconds; send it again", body_read=False
        ) from None
    except ClientDisconnect:
        # Nobody is there to read it.
        raise Refused(400, "the connection ended before the body did", body_read=False) from None


async def _collected(stream: AsyncIterator[bytes], most_bytes: int, share: Share) -> bytes:
    body = bytearray()
    async for chunk in stream:
        if len(body) + len(chunk) > most_bytes:
            raise _too_large(most_bytes)
        share.take(len(chunk))
        body += chunk
    return bytes(body)


def _too_large(most_bytes: int) -> Refused:
    return Refused(
        413,
        f"the body is larger than {most_bytes} bytes; send less, or raise max_body_bytes of the source",
        body_read=False,
    )
