"""``thirdshift diff``: the whole change of a job."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.core.gate_book import GateRecord
    from thirdshift.core.views import JobView


@click.command()
@click.argument("job")
@click.option("--stat", "stat_only", is_flag=True, help="Only how much changed in each file.")
@invocation
def diff(call: Invocation, job: str, stat_only: bool) -> int:
    """Show what a job has changed, from its base to the tree that its open gate asks about, or to its best one.

    Characters that do not show themselves are written out, like <U+202E>.
    """
    from thirdshift.bootstrap.services import open_books
    from thirdshift.cli.changes import coloured, show, stat, whole_diff
    from thirdshift.cli.standing import find_job
    from thirdshift.core.diff_shape import changes
    from thirdshift.core.text import visible

    settings = call.settings()
    with closing(open_books(settings)) as ledger:
        view = find_job(ledger, job)
        tree = tree_to_show(view, ledger.gates(view.job.job_id, only_open=True))
    text = whole_diff(settings, view.job.base_tree, tree)
    if call.as_json:
        files = [{**file.model_dump(), "path": visible(file.path)} for file in changes(text)]
        shown = {} if stat_only else {"diff": visible(text)}
        call.emit({"job_id": view.job.job_id, "base": view.job.base_tree, "tree": tree, "files": files, **shown})
    elif stat_only or not text:
        call.say(stat(text))
    else:
        show(coloured(text))
    return ExitCode.DONE


def tree_to_show(view: JobView, gates: tuple[GateRecord, ...]) -> str:
    """The tree that a person would want to see: the one that is asked about, the delivered one, the best, the base."""
    if gates:
        return gates[-1].tree
    return view.tree or (view.best.tree if view.best else "") or view.job.base_tree
