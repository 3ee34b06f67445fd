"""What ``thirdshift stop`` is given, and what it finds where nothing runs. Stops of work at work are in tests/e2e."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tests.cli.conftest import Shell
from thirdshift.cli.main import invoke
from thirdshift.cli.stop import stop


@pytest.mark.parametrize("given", [[], ["job-a", "--all"]])
def test_a_stop_is_of_one_job_or_of_everything(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["stop", *given]) == 64
    assert "name one JOB, or use --all" in capsys.readouterr().err


def test_a_night_that_is_named_as_a_job_is_told_how_nights_are_stopped(shell: Shell) -> None:
    code, _, err = shell("stop", "shift-nightly-2026-11-21T21:00:00Z")
    assert code == 64
    assert "a night is ended with: thirdshift shift stop NAME" in err


def test_the_help_says_what_everything_is() -> None:
    told = CliRunner().invoke(stop, ["--help"]).output
    assert "--all" in told
    assert "wait for a person or are parked" in " ".join(told.split())
