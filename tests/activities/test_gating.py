from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.gating import GateActivities, GateLinks
from activities.services import Services
from activities.steering import SteeringActivities
from tests.activities.bench import JOB, LOOP, NOW, PlayedModel, always, answer, open_attempt, services_at
from tests.activities.test_tools import repository
from thirdshift.core.calls import ScopeKind
from thirdshift.core.gates import GateAnswer, GateEnd, GateVerdict
from thirdshift.core.notices import Notice as Told
from thirdshift.core.notices import NoticeNotSent
from thirdshift.core.plan import Plan
from thirdshift.core.ports import CommandEnd, Trailers
from thirdshift.core.spec import GateKind
from thirdshift.core.steering import Words
from thirdshift.core.verdict import CheckOutcome, Verdict
from thirdshift.gate_signatures import DecideGate, GateOpened, Notice, OpenGate, RaiseBudget, Say, Steered

LINKS = GateLinks(ui_url="http://127.0.0.1:8233", namespace="default")


@dataclass
class PlayedNotifier:
    """Implements ``core.notices.Notifier``."""

    sent: list[tuple[Told, tuple[str, ...]]] = field(default_factory=list)
    fails: bool = False

    def send(self, notice: Told, to: Sequence[str]) -> None:
        if self.fails:
            raise NoticeNotSent("nobody was reached")
        self.sent.append((notice, tuple(to)))


class Desk:
    """Real services with one job on a real repository, and a tree that changes it."""

    def __init__(self, root: Path) -> None:
        self.services: Services = services_at(root, PlayedModel(always(answer())))
        repo = repository(root)
        base = self.services.hub.resolve(str(repo), "main")
        self.base = self.services.hub.import_base(str(repo), base.commit, JOB)
        open_attempt(self.services, self.base.tree, self.base.commit)
        self.notifier = PlayedNotifier()

    def environment(self, owner: str = LOOP, activity_id: str = "1") -> ActivityEnvironment:
        made = ActivityEnvironment()
        made.info = replace(made.info, workflow_id=owner, workflow_run_id="run-1", activity_id=activity_id)
        return made

    @property
    def gates(self) -> GateActivities:
        return GateActivities(self.services, LINKS, self.notifier)

    async def open(self, kind: GateKind, tree: str, activity_id: str = "1", verdict: int | None = None) -> GateOpened:
        given = OpenGate(job_id=JOB, kind=kind, tree=tree, reason="because", verdict=verdict)
        return await self.environment(activity_id=activity_id).run(self.gates.open_gate, given)

    def tree_with(self, content: str) -> str:
        """A tree in the hub in which calc.py has other content."""
        workspace = str(Path(self.services.scratch) / "workspace")
        Path(workspace).mkdir(parents=True)
        self.services.hub.restore(workspace, self.base.tree, LOOP)
        (Path(workspace) / "calc.py").write_text(content)
        trailers = {"job": JOB, "loop": LOOP, "attempt": 1, "step": 1, "model": "m", "cost_usd": "0"}
        return self.services.hub.snapshot(workspace, LOOP, self.base.commit, Trailers.model_validate(trailers)).tree

    def journal(self, kind: str) -> list[str]:
        return [entry.text for entry in self.services.ledger.journal(JOB, 0) if entry.kind == kind]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_merge_gate_shows_the_diff_from_base_the_checks_and_the_cost(desk: Desk) -> None:
    tree = desk.tree_with("def add(a, b):\n    return a + b\n")
    outcomes = (
        CheckOutcome(id="unit", passed=True, end=CommandEnd.EXITED, exit_code=0, seconds=1.5, output=""),
        CheckOutcome(id="lint", passed=False, end=CommandEnd.EXITED, exit_code=1, seconds=0.5, output="E501\nF401\n"),
    )
    verdict = desk.services.ledger.put_verdict(LOOP, 1, Verdict(tree=tree, checks=outcomes), NOW)
    opened = await desk.open(GateKind.MERGE, tree, verdict=verdict)
    facts = opened.facts
    assert opened.seq == 1
    assert "-    return a - b\n+    return a + b" in facts.excerpt
    assert facts.excerpt_lines == len(facts.excerpt.splitlines())
    assert [(line.id, line.state) for line in facts.checks] == [("lint", "FAIL"), ("unit", "pass")]
    assert facts.failed_output == "E501\nF401"
    assert (facts.cost_nano, facts.budget_nano) == (0, None)
    assert f"thirdshift diff {JOB}" in facts.links
    assert desk.journal("gate") == ["gate 1 (merge) waits for a person: because"]


async def test_a_plan_gate_shows_the_plan(desk: Desk) -> None:
    plan = Plan(approach="Add, do not subtract.", files=("calc.py",))
    desk.services.ledger.put_plan(JOB, plan.model_dump_json(), NOW)
    facts = (await desk.open(GateKind.PLAN, desk.base.tree)).facts
    assert facts.excerpt_of == "plan"
    assert "Add, do not subtract." in facts.excerpt
    assert "calc.py" in facts.excerpt


async def test_opening_a_gate_again_after_a_crash_is_the_same_gate_and_the_next_one_is_another(desk: Desk) -> None:
    first = await desk.open(GateKind.FRONTIER, desk.base.tree)
    again = await desk.open(GateKind.FRONTIER, desk.base.tree)
    other = await desk.open(GateKind.FRONTIER, desk.base.tree, activity_id="2")
    assert (first.seq, again.seq, other.seq) == (1, 1, 2)


async def test_an_answer_is_written_into_the_books(desk: Desk) -> None:
    seq = (await desk.open(GateKind.FRONTIER, desk.base.tree)).seq
    given = GateAnswer(verdict=GateVerdict.APPROVE, reviewer="ada", at=NOW)
    decided = DecideGate(job_id=JOB, seq=seq, answers=(given,), end=GateEnd.APPROVED)
    await desk.environment().run(desk.gates.decide_gate, decided)
    (gate,) = desk.services.ledger.gates(JOB)
    assert (gate.owner_id, gate.end, gate.answers[0].answer) == (LOOP, GateEnd.APPROVED, given)


async def test_a_notice_has_the_direct_link_and_a_failed_one_is_an_error_of_its_own(desk: Desk) -> None:
    notice = Notice(job_id=JOB, seq=1, kind=GateKind.MERGE, what="opened", to=("ada",))
    await desk.environment(owner=JOB).run(desk.gates.notify, notice)
    ((told, to),) = desk.notifier.sent
    assert to == ("ada",)
    assert told.title == "[thirdshift] gate 1 (merge): Add two numbers"
    assert f"http://127.0.0.1:8233/namespaces/default/workflows/{JOB}/run-1/user-metadata" in told.body
    desk.notifier.fails = True
    with pytest.raises(NoticeNotSent):
        await desk.environment(owner=JOB).run(desk.gates.notify, notice)


async def test_words_are_the_next_turn_of_the_conversation_and_said_once(desk: Desk) -> None:
    steering = SteeringActivities(desk.services)
    for _ in range(2):
        await desk.environment().run(steering.say, Say(n=1, words=Words(text="mind the cents", who="ada")))
    messages = desk.services.ledger.conversation(LOOP, 1).messages
    assert [message.text for message in messages] == [
        "Do the work now.",
        "A person who watches this work says:\n\nmind the cents",
    ]


async def test_who_steered_is_in_the_journal(desk: Desk) -> None:
    steering = SteeringActivities(desk.services)
    await desk.environment().run(steering.note_steering, Steered(job_id=JOB, what="pause", who="ada"))
    await desk.environment().run(steering.note_steering, Steered(job_id=JOB, what="steer", who="bob", text="go\nleft"))
    assert desk.journal("steering") == ["ada paused it", "bob said: go left"]


async def test_a_raise_that_is_retried_raises_once(desk: Desk) -> None:
    steering = SteeringActivities(desk.services)
    given = RaiseBudget(raise_id="r1", kind=ScopeKind.JOB, key=JOB, usd_nano=500_000_000, reviewer="ada")
    for _ in range(2):
        await desk.environment().run(steering.raise_budget, given)
    assert desk.journal("budget") == ["ada raised the budget by $0.5000"]


async def test_who_the_server_vouches_for_is_in_the_books(desk: Desk) -> None:
    async def vouched(owner: str, run: str, seq: int, answers: Sequence[GateAnswer]) -> tuple[GateAnswer, ...]:
        assert (owner, run, seq) == (LOOP, "run-1", 1)
        return tuple(one.model_copy(update={"verified_as": "ada@example.org"}) for one in answers)

    tree = desk.tree_with("def add(a, b):\n    return a + b\n")
    await desk.open(GateKind.MERGE, tree)
    gates = GateActivities(desk.services, LINKS, vouched=vouched)
    answer = GateAnswer(verdict=GateVerdict.APPROVE, reviewer="ada", at=NOW)
    await desk.environment().run(gates.decide_gate, DecideGate(job_id=JOB, seq=1, answers=(answer,), end=None))
    (record,) = desk.services.ledger.gates(JOB)
    assert [(one.answer.reviewer, one.identity) for one in record.answers] == [("ada@example.org", "verified")]
