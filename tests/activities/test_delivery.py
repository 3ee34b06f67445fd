"""The activities that deliver, on a real ledger, hub and sandbox, and a forge on loopback."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.delivery import DeliveryActivities, DeliveryServices, MergeVerification
from activities.jobs import JobActivities
from activities.services import Services
from tests.activities.bench import JOB, LOOP, NOW, SPEC, PlayedModel, always, answer, services_at
from tests.adapters.hub.repositories import git, make_repository, write
from tests.fakes.forge.github_api import github_api
from tests.fakes.forge.server import TOKEN, ForgeServer, serving
from thirdshift.adapters.forge.build import build_forge
from thirdshift.adapters.hub import Transport
from thirdshift.adapters.hub.deliverer import HubDeliverer
from thirdshift.core.delivery import Delivered, MergeState
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.gates import GateAnswer, GateEnd, GateVerdict
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobRow, LoopRow, SpecDoc
from thirdshift.core.ports import CommandEnd, Trailers
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.core.verdict import CheckOutcome, Verdict
from thirdshift.delivery_signatures import DeliverTree, LandMerge, VerifyMerge
from thirdshift.signatures import FinishJob, Standing

URL = "ssh://git@far.example/srv/team.git"
WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
TEST = """import unittest
from calc import add


class T(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 3), 5)
"""
HOSTILE = "Fix <img src=x> `a|b` for @everyone, fixes #12 \u202e"


@dataclasses.dataclass
class Place:
    """A job whose tree is ready, its repository, that one's remote and the forge."""

    services: Services
    repository: Path
    far: Path
    forge: ForgeServer
    root: Path
    best: Standing

    def activities(self) -> DeliveryActivities:
        """New ones each time, as in another process."""
        transport = Transport(ssh_command=shlex.quote(str(self.root / "ssh")))
        delivery = DeliveryServices(
            deliverer=HubDeliverer(str(self.root / "hub.git"), transport=transport),
            forges={"far.example": build_forge("github", self.forge.url, TOKEN)},
            job_url=lambda job: f"https://ui.example/{job}",
        )
        return DeliveryActivities(self.services, delivery)

    @property
    def work(self) -> DeliverTree:
        return DeliverTree(tree=self.best.tree, onto="main", run="run-1")


def in_job() -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=JOB, workflow_run_id="run-1")
    return environment


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    repository = make_repository(tmp_path / "repo", {"calc.py": WRONG, "test_calc.py": TEST})
    git(tmp_path, "clone", "-q", "--bare", str(repository), "far.git")
    git(repository, "switch", "-q", "-c", "desk")
    git(repository, "remote", "add", "origin", URL)
    client = tmp_path / "ssh"
    client.write_text(
        f"#!/bin/sh\nfor last; do :; done\ncommand=$(echo \"$last\" | sed 's|/srv/team.git|{tmp_path}/far.git|')\n"
        'exec env -i PATH=/usr/bin:/bin HOME=/nonexistent sh -c "$command"\n'
    )
    client.chmod(0o755)
    services = services_at(tmp_path, PlayedModel(always(answer())))
    base = services.hub.import_base(str(repository), git(repository, "rev-parse", "main"), JOB)
    workspace = tmp_path / "w"
    services.hub.restore(str(workspace), base.tree, LOOP)
    write(workspace, {"calc.py": RIGHT})
    told = Trailers(job=JOB, loop=LOOP, attempt=1, step=1, model="m", cost_usd="0")
    snapshot = services.hub.snapshot(str(workspace), LOOP, base.commit, told)
    services.ledger.put_spec(SpecDoc(id="spec", text=SPEC.replace("their sum", f"their sum {HOSTILE[4:]}")))
    services.ledger.open_job(
        JobRow(
            job_id=JOB,
            spec_id="spec",
            spec_path="spec.md",
            title=HOSTILE,
            task="bugfix",
            risk="low",
            repository=str(repository),
            base_commit=base.commit,
            base_tree=base.tree,
            budget_nano=1_500_000_000,
            submitter="somebody",
            submitted_at=NOW,
        )
    )
    services.ledger.open_loop(
        LoopRow(loop_id=LOOP, job_id=JOB, packet="main", base_tree=base.tree, checks=("unit",), opened_at=NOW)
    )
    passed = CheckOutcome(
        id="unit", passed=True, end=CommandEnd.EXITED, exit_code=0, seconds=1.25, output="", covers=("AC-1",)
    )
    services.ledger.put_verdict(LOOP, 1, Verdict(tree=snapshot.tree, checks=(passed,)), NOW)
    with serving(github_api) as forge:
        best = Standing(tree=snapshot.tree, commit=snapshot.commit)
        yield Place(services, repository, tmp_path / "far.git", forge, tmp_path, best)


async def test_a_pull_request_is_pushed_and_opened_once_however_often_it_is_tried(place: Place) -> None:
    for _ in range(3):
        done = await in_job().run(place.activities().request_merge, place.work)
    assert (done.done, done.kind, done.branch) == (True, Delivery.PULL_REQUEST, f"thirdshift/{JOB}")
    assert done.url == "https://github.example/srv/team/pull/1"
    assert git(place.far, "rev-parse", done.branch) == done.commit
    assert git(place.far, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines() == [
        "main",
        done.branch,
    ]
    (found,) = place.forge.requests
    assert (found.project, found.head, found.base) == ("srv/team", done.branch, "main")


async def test_what_a_pull_request_says_is_the_acceptance_table_and_no_foreign_text_does_anything(
    place: Place,
) -> None:
    await in_job().run(place.activities().request_merge, place.work)
    (found,) = place.forge.requests
    assert found.title == "Fix <img src=x> `a|b` for @ everyone, fixes # 12 <U+202E>"
    assert found.body == (
        "## Acceptance\n\n"
        "| criterion | what it says | judged by | result |\n"
        "| --- | --- | --- | --- |\n"
        "| AC-1 | When two numbers are given, the system shall return their sum &#60;img src=x&#62; "
        "&#96;a&#124;b&#96; for &#64; everyone, fixes &#35; 12 &#60;U&#43;202E&#62;. | unit | passed |\n\n"
        "## Checks\n\n"
        "| check | result | seconds |\n"
        "| --- | --- | ---: |\n"
        "| unit | passed | 1.2 |\n\n"
        "## Cost\n\n"
        "$0.0000 of a budget of $1.50, in 0 attempts.\n\n"
        "## Ledger\n\n"
        f"`thirdshift report {JOB}` has every attempt, call and verdict.\n"
        f"[The job in Temporal](https://ui.example/{JOB})\n\n"
        f"Tree: {place.best.tree}\n"
        f"Thirdshift-Job: {JOB}\n"
        "Run-Id: run-1\n"
    )


async def test_a_forge_that_nobody_configured_is_named_with_the_lines_to_add(place: Place) -> None:
    git(place.repository, "remote", "set-url", "origin", "git@near.example:team/app")
    with pytest.raises(ApplicationError, match=r"(?s)No forge is configured for near.example.*\[forges.NAME\]") as told:
        await in_job().run(place.activities().request_merge, place.work)
    assert (told.value.non_retryable, told.value.type) == (True, StopReason.UNDELIVERED)
    git(place.repository, "remote", "set-url", "origin", str(place.far))
    with pytest.raises(ApplicationError, match="on no forge"):
        await in_job().run(place.activities().request_merge, place.work)
    assert git(place.far, "branch", "--list", "thirdshift/*") == ""


async def test_a_forge_that_is_busy_is_asked_again_when_it_says(place: Place) -> None:
    place.forge.mishaps["POST"] = ["rate_limit"]
    with pytest.raises(ApplicationError) as told:
        await in_job().run(place.activities().request_merge, place.work)
    assert not told.value.non_retryable
    assert told.value.next_retry_delay is not None
    assert told.value.next_retry_delay.total_seconds() == 7


def commit_on_main(place: Place, files: dict[str, str | bytes]) -> None:
    git(place.repository, "switch", "-q", "main")
    write(place.repository, files)
    git(place.repository, "add", "-A")
    git(place.repository, "commit", "-q", "-m", "theirs")
    git(place.repository, "switch", "-q", "desk")


async def test_a_merge_with_a_moved_base_is_judged_as_a_change_to_that_base_and_then_lands(place: Place) -> None:
    commit_on_main(place, {"other.py": "x = 1\n"})
    activities = place.activities()
    plan = await in_job().run(activities.plan_merge, place.work)
    assert plan.moved
    judged = await in_job().run(
        MergeVerification(place.services).verify_merge, VerifyMerge(packet="main", number=1, plan=plan)
    )
    assert judged.verdict.ok
    assert judged.failing_before == ("unit",)
    assert await in_job().run(activities.land_merge, LandMerge(work=place.work, plan=plan))
    assert git(place.repository, "show", "main:calc.py") == RIGHT.strip()
    assert (await in_job().run(place.activities().plan_merge, place.work)).state is MergeState.LANDED


async def test_a_merge_that_is_wrong_though_both_sides_were_right_is_found_by_the_checks(place: Place) -> None:
    commit_on_main(place, {"test_calc.py": TEST.replace("add(2, 3), 5", "add(2, 3), 6")})
    plan = await in_job().run(place.activities().plan_merge, place.work)
    judged = await in_job().run(
        MergeVerification(place.services).verify_merge, VerifyMerge(packet="main", number=1, plan=plan)
    )
    assert not judged.verdict.ok
    assert judged.verdict.failed == ("unit",)


def finish(place: Place, delivered: Delivered, stop: StopReason = StopReason.ACCEPTED) -> FinishJob:
    return FinishJob(stop=stop, evidence=delivered.detail, best=place.best, verified=True, delivered=delivered)


async def test_a_job_whose_work_has_landed_leaves_no_branch_of_its_own(place: Place) -> None:
    landed = Delivered(done=True, kind=Delivery.MERGE, detail="merged", branch="main", commit="a" * 40, onto="main")
    for _ in range(2):
        done = await in_job().run(JobActivities(place.services).finish_job, finish(place, landed))
    assert (done.branch, done.commit) == ("main", "a" * 40)
    assert git(place.repository, "branch", "--list", "thirdshift/*") == ""
    (row,) = place.services.ledger.list_deliveries()
    assert row.delivered == landed
    told = [entry.text for entry in place.services.ledger.journal(JOB, 0) if entry.kind == "delivery"]
    assert told == ["merged"]


async def test_what_could_not_be_delivered_is_kept_on_a_branch_and_can_be_resumed(place: Place) -> None:
    failed = Delivered(done=False, kind=Delivery.MERGE, detail="NOT DELIVERED: a conflict", onto="main")
    done = await in_job().run(JobActivities(place.services).finish_job, finish(place, failed, StopReason.UNDELIVERED))
    assert done.branch == f"thirdshift/{JOB}"
    assert git(place.repository, "rev-parse", f"{done.branch}^{{tree}}") == place.best.tree
    view = place.services.ledger.job_view(JOB)
    assert (view.stop_reason, view.state, view.remedy) == (StopReason.UNDELIVERED, "failed", f"thirdshift resume {JOB}")
    assert view.evidence == "NOT DELIVERED: a conflict"


async def test_where_not_even_a_branch_can_be_made_the_hub_keeps_the_work_and_the_job_ends(place: Place) -> None:
    place.repository.rename(place.root / "moved")
    failed = Delivered(done=False, kind=Delivery.PUSH, detail="NOT DELIVERED: gone", onto="main")
    done = await in_job().run(JobActivities(place.services).finish_job, finish(place, failed, StopReason.UNDELIVERED))
    assert (done.branch, done.commit) == ("", place.best.commit)
    assert place.services.ledger.list_deliveries() == ()
    found = place.services.ledger.delivery_of(JOB)
    assert found is not None
    assert found.delivered.onto == "main"


@pytest.mark.parametrize("deliver", ["branch", "push"])
async def test_who_the_server_vouches_for_is_named_in_the_commit_and_who_only_claims_is_not(
    place: Place, deliver: str
) -> None:
    opening = GateOpening(
        open_key="run-1/7",
        job_id=JOB,
        owner_id=JOB,
        kind=GateKind.MERGE,
        tree=place.best.tree,
        reason="because",
        reviewers=(),
        opened_at=NOW,
    )
    ledger = place.services.ledger
    seq = ledger.open_gate(opening)
    claimed = GateAnswer(verdict=GateVerdict.APPROVE, reviewer="bob", at=NOW)
    verified = claimed.model_copy(update={"reviewer": "ada", "verified_as": "ada@example.org"})
    ledger.decide_gate(JOB, seq, [claimed, verified], GateEnd.APPROVED, NOW)
    if deliver == "push":
        commit = (await in_job().run(place.activities().push_branch, place.work)).commit
        message = git(place.far, "log", "-1", "--format=%B", commit)
    else:
        done = FinishJob(stop=StopReason.ACCEPTED, evidence="", best=place.best, verified=True)
        commit = (await in_job().run(JobActivities(place.services).finish_job, done)).commit
        message = git(place.repository, "log", "-1", "--format=%B", commit)
    assert [line for line in message.splitlines() if "Reviewed-by" in line] == ["Reviewed-by: ada@example.org"]
