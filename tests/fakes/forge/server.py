"""A forge on loopback: the requests it holds, the mishaps it is told to have, and HTTP in front of both."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "a-token-of-the-forge"

Mishap = Literal["drop_before", "drop_after", "500", "429", "403", "401", "404", "rate_limit", "html"]


@dataclass
class Request:
    """A pull request, or a merge request."""

    number: int
    project: str
    head: str
    base: str
    title: str
    body: str
    state: str = "open"
    merge_commit: str = ""


@dataclass(frozen=True)
class Asked:
    """An HTTP request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


Api = Callable[["ForgeServer", Asked], Answer]


class ForgeServer:
    """One forge. ``mishaps`` happen to the requests of their method, one after another."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.asked: list[Asked] = []
        self.mishaps: dict[str, list[Mishap]] = {}
        self.url = ""

    def open_from(self, project: str, head: str) -> list[Request]:
        """The open requests of a branch."""
        return [r for r in self.requests if (r.project, r.head, r.state) == (project, head, "open")]

    def add(self, project: str, head: str, base: str, title: str, body: str) -> Request:
        """Open a request."""
        made = Request(len(self.requests) + 1, project, head, base, title, body)
        self.requests.append(made)
        return made

    def answer(self, asked: Asked) -> Answer | None:
        """None closes the connection without a word."""
        with self._lock:
            self.asked.append(asked)
            due = self.mishaps.get(asked.method, [])
            mishap = due.pop(0) if due else None
            if mishap == "drop_before":
                return None
            if mishap not in (None, "drop_after"):
                return _mishap(str(mishap))
            answer = self._api(self, asked)
            return None if mishap == "drop_after" else answer


def _mishap(kind: str) -> Answer:
    if kind == "html":
        return Answer(502, "<html>Bad gateway</html>")
    if kind == "rate_limit":
        return Answer(403, {"message": "API rate limit exceeded"}, {"retry-after": "7", "x-ratelimit-remaining": "0"})
    return Answer(int(kind), {"message": f"no: {kind}"}, {"retry-after": "3"} if kind == "429" else {})


class _Handler(BaseHTTPRequestHandler):
    forge: ForgeServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        asked = Asked(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query)),
            body=json.loads(raw) if raw else {},
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        answer = self.forge.answer(asked)
        if answer is None:
            self.close_connection = True
            return
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        kind = "text/html" if isinstance(answer.body, str) else "application/json"
        for name, value in {"content-type": kind, "content-length": str(len(text.encode())), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PATCH = do_PUT = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(api: Api) -> Iterator[ForgeServer]:
    """The forge on 127.0.0.1, until the block is left."""
    forge = ForgeServer(api)
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
