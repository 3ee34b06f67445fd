import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import thirdshift
from tests.cli.conftest import Shell
from thirdshift.cli.exit_codes import ExitCode, code_for_error, code_for_stop
from thirdshift.cli.main import _COMMANDS
from thirdshift.cli.main import thirdshift as thirdshift_group
from thirdshift.core.errors import (
    EngineUnavailable,
    ModelsUnavailable,
    PriceUnknown,
    RepositoryRefused,
    SettingsInvalid,
    SetupFailed,
    SpecInvalid,
)
from thirdshift.core.history import StopReason


def every_command() -> Iterator[tuple[str, ...]]:
    """Every command, and in its place every command of a group."""
    for name in _COMMANDS:
        command = thirdshift_group.get_command(click.Context(thirdshift_group), name)
        yield from ((name, part) for part in command.commands) if isinstance(command, click.Group) else ((name,),)


@pytest.mark.parametrize("arguments", [("--help",), *((*names, "--help") for names in every_command())])
def test_every_command_helps_itself_to_json_and_config(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, out, _ = shell(*arguments)
    assert code == 0
    if arguments != ("--help",):
        assert "--json" in out
        assert "--config" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("check",), "Missing argument 'SPEC...'"),
        (("status", "--jsn"), "No such option"),
        (("run", "a.md", "b.md"), "unexpected extra argument"),
    ],
)
def test_bad_usage_is_64_with_the_way_to_help(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = shell(*arguments)
    assert code == 64
    assert said in err
    assert "--help" in err


def test_an_error_is_json_too_where_a_program_reads(shell: Shell) -> None:
    code, answer = shell.json("run", "gone.md", "--config", "gone.toml")
    assert code == 64
    assert answer["error"]["kind"] == "SettingsInvalid"
    assert answer["exit_code"] == 64


def test_a_fault_of_ours_is_one_line_and_a_log(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A module that cannot be imported stands for any fault that nobody foresaw.
    monkeypatch.setitem(_COMMANDS, "check", "thirdshift.cli.not_there")
    code, _, err = shell("check", "x.md")
    assert code == 1
    assert len(err.splitlines()) == 1
    log = next((tmp_path / "home" / "logs").glob("error-*.log"))
    assert str(log) in err
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecInvalid("x"), 64),
        (SettingsInvalid("x"), 64),
        (RepositoryRefused("x"), 64),
        (PriceUnknown("x"), 64),
        (EngineUnavailable("x"), 69),
        (ModelsUnavailable("x"), 69),
        (SetupFailed("x"), 1),
    ],
)
def test_each_kind_of_error_has_its_code(error: Exception, code: int) -> None:
    assert code_for_error(error) == code


def test_every_stop_reason_has_a_code_and_only_acceptance_is_zero() -> None:
    codes = {reason: code_for_stop(reason) for reason in StopReason}
    assert [reason for reason, code in codes.items() if code == 0] == [StopReason.ACCEPTED]
    assert codes[StopReason.BUDGET] == codes[StopReason.MAX_ATTEMPTS] == ExitCode.LIMIT
    assert codes[StopReason.REJECTED] == codes[StopReason.TAMPERING] == ExitCode.FAILED


def test_looking_needs_no_temporal_client(tmp_path: Path) -> None:
    """Commands that only look answer at once, because they load nothing that they do not need."""
    code = (
        "import sys\n"
        "from thirdshift.cli.main import invoke\n"
        "invoke(['--help'])\n"
        "invoke(['check', 'gone.md'])\n"
        "heavy = {'temporalio', 'sqlalchemy', 'anthropic', 'openai', 'genai_prices'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {
        "PYTHONPATH": str(Path(thirdshift.__file__).parents[1]),
        "THIRDSHIFT_HOME": str(tmp_path),
        "PATH": os.defpath,
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_output_cut_short_by_its_reader_is_no_fault(tmp_path: Path) -> None:
    command = f"{sys.executable} -c 'from thirdshift.cli.main import main; main()' --help | head -c 1 >/dev/null"
    environment = {
        "PYTHONPATH": str(Path(thirdshift.__file__).parents[1]),
        "THIRDSHIFT_HOME": str(tmp_path),
        "PATH": os.defpath,
    }
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
