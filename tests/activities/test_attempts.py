from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.attempts import AttemptActivities
from activities.model import ModelActivities
from activities.services import Services
from activities.tools import ToolActivities
from tests.activities.bench import JOB, LOOP, NOW, PlayedModel, always, answer, services_at
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import JobRow, SpecDoc
from thirdshift.signatures import CallModel, OpenAttempt, OpenLoop, RunTools, Standing

SPEC = """---
title: Add two numbers
checks:
  - {id: unit, run: "python3 -m unittest -q", covers: [AC-1], timeout: 1m}
---
# Goal
Make add() in calc.py add.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
"""


class Opening:
    """A loop on a repository of many files; attempts on it are opened and answered as the line would."""

    def __init__(self, root: Path, said: str) -> None:
        self.services: Services = services_at(root, PlayedModel(always(answer(text=said))))
        head = self.services.hub.resolve(str(_repository(root)), "main")
        base = self.services.hub.import_base(str(root / "repo"), head.commit, JOB)
        self.start = Standing(tree=base.tree, commit=base.commit)
        ledger = self.services.ledger
        ledger.put_spec(SpecDoc(id="spec", text=SPEC))
        ledger.open_job(
            JobRow(
                job_id=JOB,
                spec_id="spec",
                spec_path="spec.md",
                title="Add two numbers",
                task="bugfix",
                risk="low",
                repository=str(root / "repo"),
                base_commit=base.commit,
                base_tree=base.tree,
                budget_nano=None,
                submitter="somebody",
                submitted_at=NOW,
            )
        )
        self.activities = AttemptActivities(self.services)

    def environment(self, activity_id: str) -> ActivityEnvironment:
        made = ActivityEnvironment()
        fields = {name: getattr(made.info, name) for name in made.info.__dataclass_fields__}
        made.info = made.info.__class__(**{**fields, "workflow_id": LOOP, "activity_id": activity_id})
        return made

    async def claim(self) -> None:
        given = OpenLoop(job_id=JOB, packet="main", start=self.start, checks=("unit",))
        await self.environment("loop").run(self.activities.open_loop, given)

    async def prompt(self, number: int, rung: Rung) -> tuple[str, str]:
        """Open an attempt: its system text and its first message."""
        given = OpenAttempt(
            job_id=JOB,
            number=number,
            of=6,
            rung=rung,
            reason=ReasonCode.FIRST,
            start=self.start,
            verdict=None,
        )
        await self.environment(f"open-{number}").run(self.activities.open_attempt, given)
        talk = self.services.ledger.conversation(LOOP, number)
        return talk.attempt.system, talk.messages[0].text

    async def answered(self, number: int) -> None:
        """The model's one step of a text attempt."""
        here = self.environment(f"step-{number}")
        asked = await here.run(ModelActivities(self.services).call_model, CallModel(n=number, s=1))
        await here.run(ToolActivities(self.services).run_tools, RunTools(n=number, call=asked.call))


def _repository(root: Path) -> Path:
    repo = root / "repo"
    repo.mkdir()
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    for number in range(200):
        (repo / f"chapter_{number:03}.txt").write_text(f"Chapter {number}.\n" * 20)
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", *arguments], cwd=repo, check=True)
    return repo


def text_rung(context_tokens: int | None = None) -> Rung:
    return Rung(
        model="local/small",
        tier=Tier.ECONOMY,
        tools="text",
        max_output_tokens=500,
        context_tokens=context_tokens,
    )


@pytest.mark.parametrize("context_tokens", [2048, 4096, 8192])
async def test_a_text_rung_is_shown_what_its_window_holds_and_first_of_all_what_the_spec_names(
    tmp_path: Path, context_tokens: int
) -> None:
    line = Opening(tmp_path, said="")
    await line.claim()
    system, opening = await line.prompt(1, text_rung(context_tokens))
    assert "calc.py\n```\ndef add(a, b):\n    return a - b\n```" in opening
    assert len((system + opening).encode()) / 3 + 500 < context_tokens
    await line.services.workspaces.close()


async def test_a_text_rung_without_a_stated_window_is_shown_more_than_a_small_one_holds(tmp_path: Path) -> None:
    line = Opening(tmp_path, said="")
    await line.claim()
    _, opening = await line.prompt(1, text_rung())
    assert len(opening.encode()) > 3 * 4096
    await line.services.workspaces.close()


async def test_the_next_text_attempt_is_told_what_of_the_answer_before_could_not_be_used(tmp_path: Path) -> None:
    line = Opening(tmp_path, said="Here it is:\n```python\ndef add(a, b):\n    return a + b\n```\n")
    await line.claim()
    _, first = await line.prompt(1, text_rung())
    await line.answered(1)
    _, second = await line.prompt(2, text_rung())
    told = "Of the last answer, this could not be used:\n```\nThe block on line 2 was not used: no line above it says"
    assert told not in first
    assert told in second
    _, with_tools = await line.prompt(3, text_rung().model_copy(update={"tools": "auto"}))
    assert "could not be used" not in with_tools
    await line.services.workspaces.close()
