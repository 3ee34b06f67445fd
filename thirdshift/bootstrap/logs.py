"""Where a worker's log goes: details into a file for whoever looks into a fault, warnings of ours to the terminal."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES = 8 << 20
_KEPT = 3


@contextlib.contextmanager
def logged(directory: Path) -> Iterator[None]:
    """Until the block is left, log into ``worker.log`` there.

    Temporal's SDK logs every failed try of an activity with its traceback. A rate limit that is waited out is one
    of those, and nothing that a person at the terminal has to read.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(directory / "worker.log", maxBytes=_BYTES, backupCount=_KEPT, delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter("thirdshift: %(message)s"))
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
