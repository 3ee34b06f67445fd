"""Where a worker's log goes: details into a file for whoever looks into a fault, warnings of ours to the terminal."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

from thirdshift.core.text import Redactor

_BYTES = 8 << 20
_KEPT = 3


class _Redacting(logging.Formatter):
    """Redacts the finished line, so that arguments and tracebacks are in what is looked at."""

    def __init__(self, layout: str, redactor: Redactor) -> None:
        super().__init__(layout)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor(super().format(record))


@contextlib.contextmanager
def logged(directory: Path, name: str = "worker.log", redactor: Redactor | None = None) -> Iterator[None]:
    """Until the block is left, log into a file there; secrets are taken out of every line.

    Temporal's SDK logs every failed try of an activity with its traceback. A rate limit that is waited out is one
    of those, and nothing that a person at the terminal has to read.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(directory / name, maxBytes=_BYTES, backupCount=_KEPT, delay=True)
    redact = redactor or Redactor()
    file.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s", redact))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(_Redacting("thirdshift: %(message)s", redact))
    terminal.setLevel(logging.WARNING)
    terminal.addFilter(lambda record: record.name.startswith("thirdshift") and not record.exc_info)
    root = logging.getLogger()
    for handler in (file, terminal):
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in (file, terminal):
            root.removeHandler(handler)
            handler.close()
