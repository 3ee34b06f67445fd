"""A client of a Temporal server, and what the server must know before workflows can start."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.service import RPCError, RPCStatusCode

from thirdshift.adapters.engine.discretion import discreet_converter
from thirdshift.core.engine import SEARCH_ATTRIBUTES, EngineTarget
from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.text import Redactor

_CONNECT_SECONDS = 10.0
_RETENTION_SECONDS = 30 * 24 * 3600
_TYPES = {
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


async def connect(target: EngineTarget, identity: str | None = None, redactor: Redactor | None = None) -> Client:
    """A client that speaks pydantic, its namespace known to be there; raises EngineUnavailable with the remedy.

    ``identity`` is kept by the server with whatever this client asks for; None: process and machine. ``redactor`` takes
    secrets out of whatever is sent; None: one that knows what they look like, and no value.

    ``target`` must say where: by ``address``, or by variables for ``temporalio.envconfig``.
    """
    where = target.address or "the server of your TEMPORAL_* variables"
    converter = discreet_converter(redactor or Redactor())
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            if target.kind == "environment":
                variables = {name: value.get_secret_value() for name, value in target.variables.items()}
                profile = ClientConfigProfile.load(override_env_vars=variables)
                where = profile.address or where
                config = profile.to_client_connect_config()
                client = await Client.connect(**config, data_converter=converter, identity=identity)
            else:
                client = await Client.connect(
                    target.address,
                    namespace=target.namespace,
                    data_converter=converter,
                    identity=identity,
                )
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        raise _refused(error, where, target.namespace) from None
    except (RuntimeError, ValueError, OSError, TimeoutError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        raise EngineUnavailable(
            f"the Temporal server at {where} cannot be reached: {reason};\n"
            "start it, or correct [temporal] in thirdshift.toml (or the TEMPORAL_* variables);"
            " without either an embedded server is used"
        ) from None
    return client


def _refused(error: RPCError, where: str, namespace: str) -> EngineUnavailable:
    if error.status is RPCStatusCode.NOT_FOUND:
        return EngineUnavailable(
            f"the Temporal server at {where} has no namespace `{namespace}`;"
            f" make it: temporal operator namespace create --namespace {namespace} --address {where}"
        )
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return EngineUnavailable(
            f"the Temporal server at {where} refuses this client: {error.message};"
            " check TEMPORAL_API_KEY and the namespace"
        )
    return EngineUnavailable(f"the Temporal server at {where} answers with an error: {error.message}")


async def keep_ended_workflows(client: Client) -> None:
    """Let an embedded server keep ended workflows for 30 days instead of one: a link of last week has to work."""
    config = NamespaceConfig()
    config.workflow_execution_retention_ttl.seconds = _RETENTION_SECONDS
    await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, config=config))


async def register_search_attributes(client: Client) -> tuple[str, ...]:
    """Make the server know every search attribute; the names that were new to it. Again does nothing more.

    Raises EngineUnavailable where one is there with another type, or may not be added.
    """
    try:
        listed = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        known = listed.custom_attributes
        for name, kind in SEARCH_ATTRIBUTES.items():
            if name in known and known[name] != _TYPES[kind]:
                raise EngineUnavailable(
                    f"the server has a search attribute {name} that is not of type {kind};"
                    f" use another namespace, or remove it: temporal operator search-attribute remove --name {name}"
                )
        missing = {name: _TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items() if name not in known}
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            )
    except RPCError as error:
        commands = "\n".join(
            f"  temporal operator search-attribute create --namespace {client.namespace} --name {name} --type {kind}"
            for name, kind in SEARCH_ATTRIBUTES.items()
        )
        raise EngineUnavailable(
            f"search attributes cannot be registered: {error.message}; have it done with:\n{commands}"
        ) from None
    return tuple(missing)
