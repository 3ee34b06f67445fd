"""A process that sends: signed deliveries at a stated rate over kept connections, or any requests as fast as they go.

Times are counted from the moment at which a request was due, so that a server that falls behind cannot hide it.

    python -m bench.rig.webhook_sender PORT RATE SECONDS CONNECTIONS RUN
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fakes.webhooks import GENERIC, WORKFLOW_RUN, Delivery, changed, delivery
from thirdshift.core.events.signatures import SourceKind

REPOSITORIES, BRANCHES = 25, 8
PADDING = "x" * 10_000
"""Real payloads are some ten kilobytes, nearly all of which says nothing."""


@dataclass
class Sent:
    """What became of requests: how many of each status (0: no answer), and how long each took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def request_bytes(path: str, sent: Delivery, method: str = "POST") -> bytes:
    """A request as it goes over the wire."""
    headers = {"host": "127.0.0.1", "content-length": str(len(sent.body)), **sent.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace") + sent.body


def load(run: str, count: int) -> Iterable[bytes]:
    """That many genuine deliveries: two in three of GitHub, the others generic; no two with one id."""
    bodies = [
        json.dumps({**_failure(f"acme/shop-{repository}", f"branch-{branch}"), "padding": PADDING}).encode()
        for repository in range(REPOSITORIES)
        for branch in range(BRANCHES)
    ]
    signed = [delivery(SourceKind.GITHUB, body) for body in bodies]
    for number in range(count):
        name = f"{run}-{number}"
        if number % 3 == 2:
            about = {"id": name, "fingerprint": f"f{number % BRANCHES}", "repository": f"acme/till-{number % 10}"}
            yield request_bytes("/events/generic", delivery(SourceKind.GENERIC, {**GENERIC, **about}, delivery_id=name))
        else:
            yield request_bytes("/events/github", signed[number % len(signed)].saying(x_github_delivery=name))


def _failure(repository: str, branch: str) -> dict[str, Any]:
    named = changed(WORKFLOW_RUN, "repository", "full_name", to=repository)
    return changed(named, "workflow_run", "head_branch", to=branch)


class Connection:
    """One kept connection, opened again where it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """The status of the answer; 0 where there is none."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            lower = head.lower()
            await reader.readexactly(int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0] or b"0"))
            if b"connection: close" in lower:
                self.close()
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            self.close()
            return 0

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def at_rate(port: int, requests: Sequence[bytes], per_second: float, connections: int) -> Sent:
    """Send each request when it is due, on whichever connection is free."""
    sent, began = Sent(), time.monotonic() + 0.1
    due = iter(enumerate(requests))

    async def work() -> None:
        connection = Connection(port)
        for number, request in due:
            moment = began + number / per_second
            if (wait := moment - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            sent.statuses[await connection.ask(request)] += 1
            sent.seconds.append(time.monotonic() - moment)
        connection.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return sent


async def as_fast_as_it_goes(port: int, requests: Iterable[bytes], connections: int) -> Sent:
    """Send them all."""
    sent, waiting = Sent(), iter(requests)

    async def work() -> None:
        connection = Connection(port)
        for request in waiting:
            began = time.monotonic()
            sent.statuses[await connection.ask(request)] += 1
            sent.seconds.append(time.monotonic() - began)
        connection.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return sent


def main() -> None:
    port, rate, seconds, connections = (int(word) for word in sys.argv[1:5])
    requests = list(load(sys.argv[5], rate * seconds))
    began = time.monotonic()
    sent = asyncio.run(at_rate(port, requests, rate, connections))
    took = time.monotonic() - began
    print(json.dumps({"statuses": dict(sent.statuses), "seconds": sent.seconds, "took": took}))


if __name__ == "__main__":
    main()
