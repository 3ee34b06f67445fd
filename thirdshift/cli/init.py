"""``thirdshift init``: a configuration and a first spec, from what is found here."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

import click

from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput, ServiceMissing, ThirdshiftError

CONFIG_NAME, SPEC_NAME = "thirdshift.toml", "spec.md"


@click.command()
@click.argument("directory", default=".", type=click.Path(path_type=Path, file_okay=False))
@invocation
def init(call: Invocation, directory: Path) -> None:
    """Write thirdshift.toml and a first spec from what is found here. Never overwrites anything.

    In an empty directory it also makes a git repository whose first commit holds the two files.
    """
    from thirdshift.adapters.repository_start import begin_repository, repository_root
    from thirdshift.cli.starter_files import SETUP_NETWORK, starter_spec, starter_toml
    from thirdshift.cli.suite_finding import find_suite
    from thirdshift.settings import load_settings

    directory.mkdir(parents=True, exist_ok=True)
    settings = load_settings(call.config, cwd=directory)
    root = repository_root(directory) or directory
    repo = os.path.relpath(root, directory.resolve()) if root != directory else "."
    suite = find_suite(root)
    command, setup = (suite.command, suite.setup) if suite else (None, "")
    rungs = settings.ladder.rungs if settings.ladder_is_default else ()
    written = [
        name
        for name, text in (
            (CONFIG_NAME, starter_toml(rungs, setup=bool(setup))),
            (SPEC_NAME, starter_spec(command, repo, setup)),
        )
        if _write_new(directory / name, text)
    ]
    kept = [name for name in (CONFIG_NAME, SPEC_NAME) if name not in written]
    repository = begin_repository(directory, written)
    spec = SPEC_NAME if directory == Path() else str(directory / SPEC_NAME)
    for name in written:
        call.say(f"wrote {directory / name}")
    for name in kept:
        call.say(f"kept  {directory / name}, which was there already")
    if repository:
        call.say(repository)
    call.say(f"tests: {command or 'none found; the first spec brings its own check'}")
    if setup:
        call.say(f"setup: {setup}")
    call.say(f"keys:  {', '.join(sorted(p for p, v in settings.providers.items() if v.ready)) or 'none found'}")
    typed = shlex.quote(spec)
    call.say(f"\nNext: edit {spec}, then\n  thirdshift check {typed}\n  thirdshift run {typed}")
    if setup and SPEC_NAME in written and CONFIG_NAME in kept:
        call.remark(f"\nThe spec's `setup` needs a network: under [sandbox] in {CONFIG_NAME}, {SETUP_NETWORK}")
    if not settings.ladder.rungs:
        call.remark(
            "\nBefore `run` works, a model is needed: set ANTHROPIC_API_KEY or OPENAI_API_KEY,"
            f" or name a server in {directory / CONFIG_NAME}"
        )
    call.emit(
        {
            "written": written,
            "kept": kept,
            "test_command": command,
            "setup": setup,
            "spec": spec,
            "repository": repository,
        }
    )


def _write_new(path: Path, text: str) -> bool:
    """Write the file if there is none; whether it was written."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with file:
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)  # half a file would be kept by the next `init`, as one of the person's own
        raise _unwritable(path, error) from None
    return True


def _unwritable(path: Path, error: OSError) -> ThirdshiftError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServiceMissing(f"{path}: the disk is full; free some space, then `thirdshift init` again")
    return BadInput(f"{path}: cannot be written: {error.strerror}")
