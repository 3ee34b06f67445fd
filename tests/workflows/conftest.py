from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.workflows.development_server import development_server
from tests.workflows.time_skipping import time_skipping_server

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
    async with development_server(SHORT_HISTORY) as server:
        yield server.client
