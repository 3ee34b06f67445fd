import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from thirdshift.adapters.engine.access import open_engine
from thirdshift.adapters.engine.binary import temporal_binary
from thirdshift.adapters.engine.connection import connect, register_search_attributes
from thirdshift.core.engine import SEARCH_ATTRIBUTES, EngineTarget
from thirdshift.core.errors import EngineUnavailable


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """A server that somebody else runs and that knows none of our search attributes."""
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=str(temporal_binary())) as environment:
        yield environment.client.service_client.config.target_host


async def test_search_attributes_are_registered_once_on_a_server_that_lacks_them(address: str) -> None:
    client = await connect(EngineTarget(kind="address", address=address))
    assert set(await register_search_attributes(client)) == set(SEARCH_ATTRIBUTES)
    assert await register_search_attributes(client) == ()
    listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    assert set(SEARCH_ATTRIBUTES) <= set(listed.custom_attributes)


async def test_a_stated_server_is_used_and_never_started(address: str, tmp_path: Path) -> None:
    target = EngineTarget(kind="address", address=address, ui_url="http://ui.example")
    async with open_engine(target, tmp_path, may_start=True) as engine:
        assert (engine.address, engine.ui_url, engine.started_here) == (address, "http://ui.example", False)
    assert list(tmp_path.iterdir()) == []


async def test_temporal_variables_are_followed(address: str) -> None:
    variables = {"TEMPORAL_ADDRESS": SecretStr(address), "TEMPORAL_NAMESPACE": SecretStr("default")}
    client = await connect(EngineTarget(kind="environment", variables=variables))
    assert client.namespace == "default"


async def test_a_namespace_that_is_not_there_is_named_with_the_remedy(address: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"no namespace `nights`.*namespace create"):
        await connect(EngineTarget(kind="address", address=address, namespace="nights"))


async def test_a_server_that_does_not_answer_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(EngineUnavailable, match=rf"{address} cannot be reached(?s:.*)\[temporal\]"):
        await connect(EngineTarget(kind="address", address=address))
