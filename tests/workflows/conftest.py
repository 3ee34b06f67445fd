from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workflows.time_skipping import time_skipping_server


@pytest.fixture
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """A server on which a wait of days takes no time."""
    async with time_skipping_server() as started:
        yield started
