"""Hostile programs inside the sandbox, one for each thing that they may want. Each leaves a mark if it gets it."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from tests.attacks.attempt import Attack
from tests.attacks.inside_host import HOST_ATTACKS
from tests.attacks.inside_kernel import KERNEL_ATTACKS
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.unconfined import Unconfined
from thirdshift.core.ports import Command, Mount, Sandbox, SandboxPlan

ATTACKS = HOST_ATTACKS + KERNEL_ATTACKS


def name(attack: Attack) -> str:
    return attack.name


async def attempted(sandbox: Sandbox, attack: Attack, prey: dict[str, object], workspace: Path) -> str:
    """What the attack printed; it got to its end."""
    workspace.mkdir()
    (workspace / "try.py").write_text(attack.program)
    facts = {key: fact for key, fact in prey.items() if key != "setup"}
    run = f"python3 -I -W ignore try.py {shlex.quote(json.dumps(facts))}"
    plan = SandboxPlan(workspace=str(workspace), mounts=(Mount(host=str(prey["setup"]), guest="/opt/setup"),))
    result = await sandbox.run_once(plan, Command(run=run, timeout_seconds=60))
    assert result.output.endswith("TRIED\n"), result
    return result.output


@pytest.mark.parametrize("attack", ATTACKS, ids=name)
async def test_the_wall_holds(attack: Attack, prey: dict[str, object], tmp_path: Path) -> None:
    said = await attempted(Bubblewrap(), attack, prey, tmp_path / "workspace")
    assert "MARK" not in said
    assert Path(str(prey["canary"])).read_text() == prey["secret"]
    assert Path(str(prey["setup"]), "tool").read_text() == "untouched"


@pytest.mark.skipif(os.geteuid() != 0, reason="without a sandbox, most of these need root to succeed")
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.control], ids=name)
async def test_without_the_wall_the_same_attempt_succeeds(
    attack: Attack, prey: dict[str, object], tmp_path: Path
) -> None:
    assert "MARK" in await attempted(Unconfined(), attack, prey, tmp_path / "workspace")


def test_no_two_attacks_share_a_name() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
