"""``thirdshift demo``: the whole line on a bundled repository, with made-up models and everything else real."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput

if TYPE_CHECKING:
    from thirdshift.adapters.samples import Sample


@click.command()
@invocation
def demo(call: Invocation) -> int:
    """Run a bundled spec on a bundled repository with scripted models; all else is real. Needs no key.

    Each run begins anew, in a directory of its own under THIRDSHIFT_HOME.
    """
    from thirdshift.adapters.samples import materialise
    from thirdshift.cli.run import run_spec
    from thirdshift.settings import load_settings

    root = load_settings(call.config).home / "demo"
    _clear(root)
    sample = materialise(root / "bench")
    settings = load_settings(sample.config, root, {"THIRDSHIFT_HOME": str(root / "state"), "USER": "demo"})
    call = Invocation(call.as_json, sample.config, settings.home)
    call.remark(f"a repository with a bug and a spec for it were written to {root / 'bench'}\n")
    code = run_until_done(run_spec(call, settings, sample.spec))
    call.remark(_next_steps(call, sample))
    return code


def _clear(root: Path) -> None:
    """Make room for a new demonstration. Raises BadInput while one is running."""
    from thirdshift.adapters.engine.access import find_running

    if (root / "state").exists() and find_running(root / "state") is not None:
        raise BadInput(
            "another `thirdshift demo` is running; wait for it, or give this one a THIRDSHIFT_HOME of its own"
        )
    shutil.rmtree(root, ignore_errors=True)


def _next_steps(call: Invocation, sample: Sample) -> str:
    return (
        "\nTo look around:\n"
        f"  git -C {shlex.quote(str(sample.repository))} log --all --graph --stat\n      what landed\n"
        f"  {call.command('up')}\n      the same job in the Temporal Web UI, at the link above\n"
        "  thirdshift init\n      in a repository of your own"
    )
