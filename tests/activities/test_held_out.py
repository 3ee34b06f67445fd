from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.held_out import refuse_known_holdout
from tests.fakes.trial import lines, trial
from thirdshift.core.history import StopReason

CHECKS = lines("id: unit, run: 'true', covers: [AC-1]")
HELD = "def test_cents():\n    assert round_half_up('0.125') == '0.13'\n"


async def test_a_held_out_file_that_base_has_under_any_name_is_refused(tmp_path: Path) -> None:
    files = {"a.py": "", "specs/kept/old_name.txt": HELD, "specs/__init__.py": ""}
    held = {"test_cents.py": HELD, "__init__.py": ""}
    async with trial(
        tmp_path, files, checks=CHECKS, holdout=CHECKS.replace("unit", "held"), holdout_files=held
    ) as made:
        with pytest.raises(ApplicationError) as refused:
            refuse_known_holdout(made.services, made.context.job, made.base.tree)
    assert refused.value.type == StopReason.SPEC_INVALID
    assert refused.value.non_retryable
    assert "specs/kept/old_name.txt" in str(refused.value)
    assert "holdout_dir" in str(refused.value)


async def test_hold_outs_that_are_elsewhere_are_fine_and_empty_files_give_nothing_away(tmp_path: Path) -> None:
    files = {"a.py": "", "specs/__init__.py": "", "near.py": HELD + "\n"}
    held = {"test_cents.py": HELD, "__init__.py": ""}
    async with trial(
        tmp_path, files, checks=CHECKS, holdout=CHECKS.replace("unit", "held"), holdout_files=held
    ) as made:
        refuse_known_holdout(made.services, made.context.job, made.base.tree)
