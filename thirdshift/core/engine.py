"""What everything says of the Temporal server: where it is, and the search attributes that workflows set on it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from thirdshift.core.frozen import Frozen

AttributeType = Literal["Bool", "Keyword", "Datetime", "Double", "KeywordList"]

SEARCH_ATTRIBUTES: dict[str, AttributeType] = {
    "GateOpen": "Bool",
    "GateKind": "Keyword",
    "GateSince": "Datetime",
    "LoopState": "Keyword",
    "Tier": "Keyword",
    "Repo": "Keyword",
    "TaskKind": "Keyword",
    "Risk": "Keyword",
    "StopReason": "Keyword",
    "CostUsd": "Double",
    "Reviewers": "KeywordList",
}
"""Name to type. A server refuses to start a workflow that sets one it does not know; the SQLite server has
room for 10 Keyword, 3 Double and 3 KeywordList attributes in all."""


class EngineTarget(Frozen):
    """Which Temporal server is meant."""

    kind: Literal["embedded", "address", "environment"] = "embedded"
    """Our own on a local file; one at a stated address; one that ``temporalio.envconfig`` describes."""
    address: str = ""
    """``host:port``; empty unless ``kind`` is ``address``."""
    namespace: str = "default"
    ui_url: str = ""
    """Where its Web UI answers; empty where it has to be guessed from the address."""
    variables: dict[str, SecretStr] = Field(default_factory=dict)
    """The TEMPORAL_* variables for ``temporalio.envconfig``; one of them may be an API key."""
