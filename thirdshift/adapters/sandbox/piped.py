"""A process of the host itself, with its output captured within bounds."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence

from thirdshift.adapters.sandbox.capture import OutputPipe

_LOOK_EVERY_SECONDS = 0.005


class PipedProcess:
    """Started when made, in a session of its own; ``kept`` is its output, standard error included.

    ``inherited`` are descriptors that it shares.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: dict[str, str],
        cwd: str,
        output_bytes: int,
        inherited: tuple[int, ...] = (),
    ) -> None:
        self._output = OutputPipe()
        self.kept = self._output.begin(output_bytes)
        try:
            self._process = subprocess.Popen(
                arguments,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=self._output.writer,
                stderr=self._output.writer,
                pass_fds=inherited,
                start_new_session=True,
            )
        except BaseException:
            self._output.close()
            raise
        self._output.close_writer()
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """Its exit code once it has ended; 128 + signal when a signal ended it."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    async def ends_within(self, seconds: float) -> bool:
        """Wait for its end, or for the time."""
        try:
            async with asyncio.timeout(seconds):
                while self.running:  # noqa: ASYNC110 - portable; waiting for a process has no event
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Take the rest of the output. Call it when nothing is left to write."""
        self._output.drain()
        self._output.close()
