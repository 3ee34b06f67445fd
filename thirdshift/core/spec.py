"""The spec: what to build, and how it will be judged. Reading one from text is ``core.spec_text``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from thirdshift.core.frozen import Frozen


class TaskKind(StrEnum):
    """What sort of work a spec asks for."""

    BUGFIX = "bugfix"
    FEATURE = "feature"
    REFACTOR = "refactor"
    MIGRATION = "migration"
    TESTS = "tests"
    DOCS = "docs"
    CHORE = "chore"


class Risk(StrEnum):
    """How much a mistake would cost; picks the gates and the first tier."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class GateKind(StrEnum):
    """What a person is asked to decide."""

    PLAN = "plan"
    FRONTIER = "frontier"
    BUDGET = "budget"
    MERGE = "merge"


class Delivery(StrEnum):
    """How an accepted tree reaches its repository."""

    BRANCH = "branch"
    MERGE = "merge"
    PUSH = "push"
    PULL_REQUEST = "pull-request"


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class Check(Frozen):
    """A command that judges a tree: exit 0 is a pass."""

    id: Identifier
    run: Annotated[str, Field(min_length=1, max_length=4000)]
    covers: tuple[str, ...] = ()
    timeout_seconds: Annotated[float, Field(gt=0, le=24 * 3600)] = 600.0
    stop_on_fail: bool = False
    holdout: bool = False
    """Held out: its files are mounted for it alone, and the agent learns only the criterion that failed."""
    report: str | None = None
    """Glob of the JUnit XML files that it writes, relative to the repository; None where it writes none."""


class Criterion(Frozen):
    """One acceptance criterion, ``AC-<n>``."""

    id: Identifier
    text: str
    by_review: bool = False
    """Judged by a person at the merge gate instead of by a check."""


class Budget(Frozen):
    """The job's limits; each is a total over the job."""

    max_budget_nano: Annotated[int, Field(ge=0)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 6
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 40
    max_wall_seconds: Annotated[float, Field(gt=0)] = 45 * 60.0


class Packet(Frozen):
    """A scoped part of a job. A spec that declares none is one packet, ``main``, of all criteria."""

    id: Identifier
    title: str = ""
    covers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class Spec(Frozen):
    """A whole spec, checked. Times are seconds, money nano-dollars; ``body`` is the Markdown after the front matter."""

    title: str
    repo: str = "."
    base: str = "HEAD"
    task: TaskKind = TaskKind.FEATURE
    risk: Risk = Risk.LOW
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """Of its calls in the line for money, and of the spec on a night's list: the highest first."""
    write: tuple[str, ...] = ("**",)
    """Globs that a change may touch."""
    setup: str | None = None
    checks: tuple[Check, ...]
    """All checks in the order written: the visible ones, then the held-out ones."""
    holdout_dir: str = "holdout"
    """Where the held-out checks' files are, relative to the spec file; ``$HOLDOUT`` in their commands."""
    budget: Budget = Budget()
    gates: tuple[GateKind, ...] = ()
    deliver: Delivery = Delivery.BRANCH
    plan: Literal["auto", "none"] = "auto"
    loop: Literal["feedback", "ralph"] = "feedback"
    packets: tuple[Packet, ...] = ()
    goal: str
    criteria: tuple[Criterion, ...]
    body: str

    def checks_for(self, criteria: tuple[str, ...]) -> tuple[Check, ...]:
        """Checks that cover any of the criteria, and those that cover none (they guard everything)."""
        return tuple(c for c in self.checks if not c.covers or set(c.covers) & set(criteria))
