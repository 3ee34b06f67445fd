"""A place to put trees before the real judge: a real hub, a real sandbox and a real ledger, with no workflow around."""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from activities.context import LoopContext
from activities.judging import judge, known_base
from activities.services import Services
from tests.adapters.hub.repositories import make_repository
from thirdshift.bootstrap.services import open_services
from thirdshift.core.ledger import JobRow, LoopRow, SpecDoc
from thirdshift.core.ports import Base, Trailers
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.verdict import CheckOutcome, Verdict
from thirdshift.settings import load_settings

SITE_PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
PYTEST = f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PYTHONPATH=src:{SITE_PACKAGES} python3 -m pytest -q"
UNITTEST = "PYTHONPATH=src python3 -m unittest discover -s tests -t ."
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)

CONFIG = f"""
[providers.none]
kind = "scripted"
script = "none.yaml"

[[tiers.economy]]
model = "none/none"

[prices."none/none"]
input = "0.10"
output = "0.40"

[sandbox]
read_only = ["{SITE_PACKAGES}"]
"""
SPEC = """---
title: A title
scope:
  write: [{write}]
checks:
{checks}
holdout:
{holdout}
---
# Goal
A goal.

# Acceptance
- AC-1: A criterion.
- AC-2 (by: review): Another.
"""

Edit = str | bytes | None
"""What a file becomes; None deletes it; text that begins with ``-> `` is a link's target."""


def lines(*checks: str) -> str:
    """Checks as they stand in a spec."""
    return "\n".join(f"  - {{{check}}}" for check in checks)


@dataclass
class Trial:
    """One repository and one spec before the judge."""

    services: Services
    root: Path
    base: Base
    context: LoopContext
    trees: int = 0
    known: Verdict | None = field(default=None)

    def tree(self, edits: Mapping[str, Edit]) -> str:
        """The tree that base becomes when an agent makes these edits, snapshotted as any step is."""
        self.trees += 1
        workspace = self.root / f"workspace-{self.trees}"
        self.services.hub.restore(str(workspace), self.base.tree, "loop")
        for name, content in edits.items():
            path = workspace / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink() or (isinstance(content, str) and content.startswith("-> ")):
                path.unlink(missing_ok=True)
            if isinstance(content, str) and content.startswith("-> "):
                path.symlink_to(content.removeprefix("-> "))
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        trailers = Trailers(job="job", loop="loop", attempt=1, step=1, model="none/none", cost_usd="0")
        return self.services.hub.snapshot(str(workspace), "loop", self.base.commit, trailers).tree

    async def verdict(self, edits: Mapping[str, Edit]) -> Verdict:
        """What the judge says of those edits, having judged base before."""
        self.known = self.known or await known_base(self.services, self.context)
        return await judge(self.services, self.context, self.tree(edits), self.known)


def outcome(verdict: Verdict, check: str) -> CheckOutcome:
    """One check's outcome."""
    return next(found for found in verdict.checks if found.id == check)


@contextlib.asynccontextmanager
async def trial(
    root: Path,
    files: Mapping[str, str | bytes],
    *,
    checks: str,
    holdout: str = "",
    holdout_files: Mapping[str, str] | None = None,
    write: str = '"**"',
) -> AsyncIterator[Trial]:
    """A trial over a repository of these files. ``checks`` and ``holdout`` are as ``lines`` gives them."""
    repository = make_repository(root / "repository", dict(files))
    (root / "thirdshift.toml").write_text(CONFIG)
    (root / "none.yaml").write_text("version: 1\nplays: [{steps: [{say: nothing}]}]\n")
    settings = load_settings(
        root / "thirdshift.toml", root, {"THIRDSHIFT_HOME": str(root / "home"), "PATH": "/usr/bin"}
    )
    text = SPEC.format(write=write, checks=checks, holdout=holdout)
    text = text if holdout else text.replace("holdout:\n\n", "")
    spec = parse_spec(text, "spec.md")
    held = {name: base64.b64encode(content.encode()).decode() for name, content in (holdout_files or {}).items()}
    async with open_services(settings) as services:
        found = services.hub.resolve(str(repository), "main")
        base = services.hub.import_base(str(repository), found.commit, "job")
        services.ledger.put_spec(SpecDoc(id="spec", text=text, holdout=held))
        job = JobRow(
            job_id="job",
            spec_id="spec",
            spec_path="spec.md",
            title="A title",
            task="bugfix",
            risk="low",
            repository=str(repository),
            base_commit=base.commit,
            base_tree=base.tree,
            budget_nano=None,
            submitter="somebody",
            submitted_at=AT,
        )
        every = tuple(check.id for check in spec.checks)
        loop = LoopRow(loop_id="loop", job_id="job", packet="main", base_tree=base.tree, checks=every, opened_at=AT)
        services.ledger.open_job(job)
        services.ledger.open_loop(loop)
        yield Trial(services, root, base, LoopContext(job=job, loop=loop, spec=spec))
