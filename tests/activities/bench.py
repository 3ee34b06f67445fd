"""Real services for activities under test: SQLite ledger, git hub and bubblewrap; only the model is played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from activities.services import ProviderTerms, Services
from thirdshift.adapters.hub import LocalHub
from thirdshift.adapters.ledger import open_ledger
from thirdshift.adapters.prices import Prices
from thirdshift.adapters.sandbox.factory import build_sandbox
from thirdshift.adapters.sandbox.setup_cache import SetupCache
from thirdshift.adapters.workspace.workspaces import Workspaces
from thirdshift.core.conversation import Message, Text, ToolCall, said_by_user
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import AttemptRow, JobRow, LoopRow, SpecDoc
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.scopes import BudgetLimits
from thirdshift.core.usage import Usage

NOW = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
JOB = "job-repo-spec-00000000"
LOOP = f"loop-{JOB}-main"
RUNG = Rung(model="local/small", tier=Tier.ECONOMY, max_output_tokens=1000)

SPEC = """---
title: Add two numbers
checks:
  - {id: unit, run: "python3 -m unittest -q", covers: [AC-1], timeout: 1m}
---
# Goal
Make add() add.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
"""

Answering = Callable[[ModelRequest], Awaitable[ModelAnswer]]


def answer(
    *calls: ToolCall,
    text: str = "",
    stop: StopKind | None = None,
    usage: Usage | None = None,
    served_model: str = "small",
) -> ModelAnswer:
    """An answer with a hundred input tokens and ten output tokens, unless told otherwise."""
    return ModelAnswer(
        message=Message(role="assistant", parts=(*([Text(text=text)] if text else []), *calls)),
        stop=stop or (StopKind.TOOLS if calls else StopKind.END),
        usage=usage or Usage(input_tokens=100, output_tokens=10),
        served_model=served_model,
    )


def call(name: str, **arguments: object) -> ToolCall:
    """A tool call."""
    return ToolCall(id=f"id-{name}", name=name, arguments=arguments)


@dataclass
class PlayedModel:
    """Implements ``core.ports.Model`` with a function, and remembers what it was sent."""

    plays: Answering
    requests: list[ModelRequest] = field(default_factory=list)
    sending: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        self.requests.append(request)
        self.sending.set()
        return await self.plays(request)

    async def count_input(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


def always(given: ModelAnswer) -> Answering:
    """Every request gets the same answer."""

    async def plays(request: ModelRequest) -> ModelAnswer:
        return given

    return plays


def services_at(root: Path, model: PlayedModel, limits: BudgetLimits | None = None, base_url: str = "") -> Services:
    """Services below a directory, with the loop and its job opened in the ledger."""
    sandbox, hub = build_sandbox("bubblewrap"), LocalHub(str(root / "hub.git"))
    return Services(
        host="here",
        clock=lambda: NOW,
        ledger=open_ledger(f"sqlite:///{root / 'ledger.db'}"),
        hub=hub,
        sandbox=sandbox,
        setups=SetupCache(sandbox, root / "setup"),
        workspaces=Workspaces(str(root / "work"), hub, sandbox),
        models={"local": model},
        terms={"local": ProviderTerms(kind="openai-chat", base_url=base_url)},
        prices=Prices({"local/small": {"input": "1", "output": "10"}}),
        scratch=str(root / "scratch"),
        limits=limits or BudgetLimits(),
    )


def open_attempt(services: Services, tree: str = "t" * 40, commit: str = "c" * 40, rung: Rung = RUNG) -> None:
    """A job, its loop and the first attempt, as the line would have opened them."""
    ledger = services.ledger
    ledger.put_spec(SpecDoc(id="spec", text=SPEC))
    ledger.open_job(
        JobRow(
            job_id=JOB,
            spec_id="spec",
            spec_path="spec.md",
            title="Add two numbers",
            task="bugfix",
            risk="low",
            repository="/repo",
            base_commit=commit,
            base_tree=tree,
            budget_nano=None,
            submitter="somebody",
            submitted_at=NOW,
        )
    )
    ledger.open_loop(LoopRow(loop_id=LOOP, job_id=JOB, packet="main", base_tree=tree, checks=("unit",), opened_at=NOW))
    ledger.open_attempt(
        AttemptRow(
            owner_id=LOOP,
            job_id=JOB,
            number=1,
            role="code",
            rung=rung,
            reason=ReasonCode.FIRST,
            start_tree=tree,
            start_commit=commit,
            host="here",
            opened_at=NOW,
            system="You are an engineer.",
            tools=(),
            opening=(said_by_user("Do the work now."),),
        )
    )
