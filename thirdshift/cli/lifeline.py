"""What a process of a worker hears from the one that started it, on its standard input."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading

from thirdshift.cli.exit_codes import ExitCode


async def hear_of_engine() -> dict[str, str]:
    """Where the server is, once that is said. The end of the input is the end of this process, now and later.

    ``stop`` is an orderly end. An input that ends without it means that the process at its other end was killed.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[dict[str, str]] = loop.create_future()

    def listen() -> None:
        with os.fdopen(os.dup(0), "rb", buffering=0) as lines:
            for line in iter(lines.readline, b""):
                if line == b"stop\n":
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
                loop.call_soon_threadsafe(told.set_result, json.loads(line))
        # Nobody is left to stop for: the same end as a kill, which every store is made for.
        os._exit(ExitCode.FAILED)

    threading.Thread(target=listen, name="lifeline", daemon=True).start()
    return await told
