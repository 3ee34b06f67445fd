from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.verification import VerificationActivities
from tests.fakes.trial import Trial, lines, trial
from thirdshift.core.verdict import VerdictBrief
from thirdshift.signatures import Verify


def check(run: str) -> str:
    return f"id: unit, run: '{run}', covers: [AC-1], timeout: 1m"


async def verified(made: Trial, number: int, tree: str) -> VerdictBrief:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id="loop")
    return await environment.run(VerificationActivities(made.services).verify, Verify(n=number, tree=tree))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("no-such-runner --all", "exit 127, the sandbox has no `no-such-runner`"),
        ("/opt/no/such/runner", "exit 127, the sandbox has no `/opt/no/such/runner`"),
        ("python3 -m nox", "exit 1, the sandbox has no `nox`"),
    ],
)
async def test_a_check_that_cannot_run_on_base_is_refused_before_anything_is_paid(
    tmp_path: Path, run: str, said: str
) -> None:
    async with trial(tmp_path, {"a.txt": "a"}, checks=lines(check(run))) as made:
        with pytest.raises(ApplicationError) as refused:
            await verified(made, 0, made.base.tree)
        assert (refused.value.type, refused.value.non_retryable) == ("setup_failed", True)
        assert f"Check `unit` cannot run here: {said}" in refused.value.message
        assert "`setup`" in refused.value.message
        # What it printed is in the ledger, where a report finds it.
        assert made.services.ledger.find_verdict("loop", 0, made.base.tree) is not None


@pytest.mark.parametrize(
    "run",
    [
        "false",
        "exit 127",
        "./hello",
        "bin/hello | grep Hello",
        "/workspace/hello",
        "PATH=$PWD:$PATH hello",
        "python3 hello.py",
        "python3 -m hello",
        "python3 -m no_such_tests || python3 -m unittest test_hello",
    ],
)
async def test_a_check_of_what_is_still_to_be_written_fails_on_base_and_refuses_nothing(
    tmp_path: Path, run: str
) -> None:
    async with trial(tmp_path, {"a.txt": "a"}, checks=lines(check(run))) as made:
        assert (await verified(made, 0, made.base.tree)).failed == ("unit",)


async def test_what_a_later_tree_broke_is_a_failure_like_any_other(tmp_path: Path) -> None:
    async with trial(tmp_path, {"a.txt": "a"}, checks=lines(check("sh run.sh"))) as made:
        tree = made.tree({"run.sh": "no-such-runner\n"})
        assert (await verified(made, 1, tree)).failed == ("unit",)
