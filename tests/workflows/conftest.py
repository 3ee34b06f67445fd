from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.workflows.time_skipping import time_skipping_server
from thirdshift.adapters.engine.connection import register_search_attributes

SHORT_HISTORY = 60
"""Events after which the server suggests to continue as new."""


@pytest.fixture
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """A server on which a wait of days takes no time."""
    async with time_skipping_server() as started:
        yield started


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """The development server that the product embeds: it does some things as a cluster does, and only it."""
    binary = shutil.which("temporal", path=str(Path(sys.executable).parent))
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary,
        dev_server_extra_args=[
            "--dynamic-config-value",
            f"limit.historyCount.suggestContinueAsNew={SHORT_HISTORY}",
        ],
        data_converter=pydantic_data_converter,
    ) as server:
        await register_search_attributes(server.client)
        yield server.client
