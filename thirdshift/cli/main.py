"""The command line's entry: every command, every error's last stop, and the one exit."""

from __future__ import annotations

import errno
import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from thirdshift.cli.exit_codes import ExitCode, code_for_error
from thirdshift.core.errors import ThirdshiftError

_COMMANDS = {
    "demo": "thirdshift.cli.demo",
    "init": "thirdshift.cli.init",
    "check": "thirdshift.cli.check",
    "run": "thirdshift.cli.run",
    "submit": "thirdshift.cli.submit",
    "status": "thirdshift.cli.status",
    "watch": "thirdshift.cli.watch",
    "gates": "thirdshift.cli.gates",
    "decide": "thirdshift.cli.decide",
    "diff": "thirdshift.cli.diff",
    "steer": "thirdshift.cli.steer",
    "pause": "thirdshift.cli.pause",
    "resume": "thirdshift.cli.resume",
    "stop": "thirdshift.cli.stop",
    "raise-budget": "thirdshift.cli.raise_budget",
    "shift": "thirdshift.cli.shift",
    "listen": "thirdshift.cli.listen",
    "events": "thirdshift.cli.events",
    "report": "thirdshift.cli.report",
    "outcomes": "thirdshift.cli.outcomes",
    "ledger": "thirdshift.cli.ledger",
    "up": "thirdshift.cli.up",
    "worker": "thirdshift.cli.worker",
    "doctor": "thirdshift.cli.doctor",
}
"""Command to module; the module has it under the same name. Imported when asked for, because a command that needs
no Temporal client should not wait for one."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        return command if isinstance(command, click.Command) else None


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="thirdshift")
def thirdshift() -> None:
    """Run agent loops unattended, on a budget, with a line that stops itself.

    Begin with `thirdshift demo`, then `thirdshift init` in a repository of your own.

    Exit codes: 0 accepted or done, 1 failed or rejected, 2 a limit stopped it, 3 waiting for a person,
    64 bad usage or bad spec, 69 a needed service is missing, 130 interrupted.
    """


def main() -> NoReturn:
    """Run the command line and leave. Never returns."""
    code = invoke(sys.argv[1:])
    # A Temporal client's threads can abort the interpreter while it shuts down, after the work has succeeded.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def invoke(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Every error has been told by then."""
    wants_json = "--json" in arguments
    try:
        result = thirdshift.main(args=list(arguments), prog_name="thirdshift", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help(), err=True)
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        return _tell_usage(error, wants_json)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except ThirdshiftError as error:
        return _tell(type(error).__name__, str(error), code_for_error(error), wants_json)
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has seen enough; there is nobody left to tell.
        return ExitCode.FAILED
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            return _tell("SystemRefused", _system_remedy(error), ExitCode.UNAVAILABLE, wants_json)
        return _tell_unexpected(error, wants_json)
    except Exception as error:  # noqa: BLE001 - the last stop: nobody is to see a traceback instead of a sentence
        return _tell_unexpected(error, wants_json)
    return result if isinstance(result, int) else ExitCode.DONE


def _tell(kind: str, message: str, code: ExitCode, wants_json: bool) -> ExitCode:
    if wants_json:
        click.echo(
            json.dumps({"error": {"kind": kind, "message": message}, "exit_code": int(code)}, ensure_ascii=False)
        )
    click.echo(f"thirdshift: {message}", err=True)
    return code


def _tell_usage(error: click.ClickException, wants_json: bool) -> ExitCode:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        hint = f"; see `{error.ctx.command_path} --help`"
    else:
        hint = ""
    return _tell("BadUsage", error.format_message().rstrip(".") + hint, ExitCode.BAD_INPUT, wants_json)


def _system_remedy(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full; free some space, or set THIRDSHIFT_HOME to a directory on another disk"
    return f"{where}{os.strerror(error.errno or 0)}; mend the permissions, or set THIRDSHIFT_HOME to another directory"


def _tell_unexpected(error: Exception, wants_json: bool) -> ExitCode:
    """One line for the person, the traceback for whoever mends it."""
    first = str(error).strip().partition("\n")[0][:300]
    message = f"unexpected {type(error).__name__}: {first}; this is a fault of Thirdshift"
    with suppress(OSError):
        message += f", its details are in {_write_traceback(error)}"
    return _tell("Unexpected", message, ExitCode.FAILED, wants_json)


def _write_traceback(error: Exception) -> Path:
    from thirdshift.core.text import redact
    from thirdshift.settings import load_settings

    directory = Path(tempfile.gettempdir())
    with suppress(ThirdshiftError, OSError):
        home_logs = load_settings().log_dir
        home_logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory = home_logs
    descriptor, name = tempfile.mkstemp(prefix="error-", suffix=".log", dir=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(redact("".join(traceback.format_exception(error))))
    return Path(name)
