"""uvicorn around the app: its socket, its bounds, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from thirdshift.core.errors import ServiceMissing, SettingsInvalid
from thirdshift.web.refusal_log import FewWarnings

HEAD_SECONDS: Final = 10.0
"""How long a request's head may take to arrive, on a new connection or after the last answer."""
_KEEP_ALIVE_SECONDS: Final = 65
"""Longer than the usual proxy keeps an idle connection, which would otherwise send into a closing one."""
_GRACE_SECONDS: Final = 10
_QUEUED: Final = 1024


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ServiceMissing where the port is taken, SettingsInvalid for an impossible address."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=_QUEUED)
    except OSError as error:
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise ServiceMissing(
                f"{where} is taken by another program, perhaps by another `thirdshift listen`; "
                "end that one, or choose another port with --port or [listen] port"
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ServiceMissing(
                f"{where} may not be opened by this user; choose a port above 1023, with a proxy in front"
            ) from None
        raise SettingsInvalid(
            f"{where} is no address of this machine ({error.strerror}); correct --host or [listen] host"
        ) from None


class _PatientProtocol(H11Protocol):
    """HTTP/1.1 by h11, that waits for a request's head only so long; uvicorn itself would wait for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._head_is_there()
        elif self._deadline is None:
            self._await_head()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle  # None until the first request, whatever its type says
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_is_there(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing() and not self._is_answering():
            self.transport.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The command line's own handlers end the process; uvicorn would take theirs and raise the signal again.
        yield


@asynccontextmanager
async def serving(app: Starlette, listening: socket.socket, connections: int) -> AsyncIterator[None]:
    """Serve until the block is left; what is in hand then is finished first, within some seconds."""
    config = uvicorn.Config(
        app,
        http=_PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=connections,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server, few = _Server(config), FewWarnings(time.monotonic)
    logging.getLogger("uvicorn.error").addFilter(few)
    work = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not work.done():  # noqa: ASYNC110 - uvicorn sets no event
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await work
        logging.getLogger("uvicorn.error").removeFilter(few)
