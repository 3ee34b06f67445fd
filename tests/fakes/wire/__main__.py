"""``python -m tests.fakes.wire --script F --port 0``: a scripted server as a process of its own.

Prints one line of JSON, ``{"port": 12345}``, once it listens. ``GET /__count`` says what it was asked, ``GET /__times``
when: on the clock of ``time.monotonic``, which is one for all processes of a Linux machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.fakes.wire.scripted_server import ScriptedServer
from thirdshift.adapters.llm.script_format import load_script


async def _serve(script: Path, port: int, latency_seconds: float, bodies_dir: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory() as state:
        server = ScriptedServer(
            load_script(script),
            state_dir=Path(state),
            latency_seconds=latency_seconds,
            keep_requests=False,
            port=port,
            bodies_dir=bodies_dir,
        )
        async with server:
            sys.stdout.write(json.dumps({"port": server.wire.port}) + "\n")
            sys.stdout.flush()
            await stop.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.wire")
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--bodies", type=Path, default=None, help="an existing directory for the bodies of requests")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    asyncio.run(_serve(given.script, given.port, given.latency_ms / 1000.0, given.bodies))
