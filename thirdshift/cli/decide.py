"""``thirdshift decide``: read what waits, and answer it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.cli.quantities import Dollars
from thirdshift.core.errors import BadInput
from thirdshift.core.money import format_usd

_F = TypeVar("_F", bound=Callable[..., object])

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.gate_book import GateRecord
    from thirdshift.core.gates import Decision
    from thirdshift.core.views import JobView
    from thirdshift.settings import Settings


def _verdict(word: str, words: str) -> Callable[[_F], _F]:
    """An option that may be given beside its siblings, so that two verdicts are seen and refused."""
    return click.option(f"--{word}", "verdicts", multiple=True, flag_value=word, help=words)


@click.command()
@click.argument("job")
@_verdict("approve", "Let it go on.")
@_verdict("rework", "Send it back; the note is told to the next attempt.")
@_verdict("reject", "End the job; the note says why.")
@click.option("--gate", type=click.IntRange(1), metavar="N", help="The gate's number; the job's open one if left out.")
@click.option("--tree", metavar="HASH", help="The tree that you looked at; the gate's own if left out.")
@click.option("--reviewer", metavar="NAME", help="Your name; your login name if left out.")
@click.option("--note", default="", metavar="TEXT", help="What is wrong; a rework and a reject need one.")
@click.option("--usd", type=Dollars(), metavar="USD", help="To approve a budget gate: how much more.")
@invocation
def decide(
    call: Invocation,
    job: str,
    verdicts: tuple[str, ...],
    gate: int | None,
    tree: str | None,
    reviewer: str | None,
    note: str,
    usd: int | None,
) -> int:
    """Answer the gate that JOB waits at. Without a verdict: shows what is asked and the change, then asks you.

    It is decided when RECORDED is printed, and not before.
    """
    from thirdshift.core.gates import Decision

    if len(set(verdicts)) > 1:
        raise click.UsageError(f"NOT RECORDED: --{' and --'.join(verdicts)} exclude each other; say one")
    verdict = verdicts[0] if verdicts else None
    settings = call.settings()
    given = {"note": note, "reviewer": reviewer or settings.submitter, "usd": "" if usd is None else format_usd(usd)}
    if verdict is None and (call.as_json or not sys.stdin.isatty()):
        raise BadInput("there is nobody to ask here; say --approve, --rework or --reject")
    found, view = _find(settings, job, gate)
    answer = {"gate": found.seq if gate is None else gate, "tree": _whole(tree, found), **given}
    if verdict is None:
        answer = {**answer, **_asked(call, settings, view, found, given, named=reviewer is not None)}
    else:
        answer["verdict"] = verdict
    return run_until_done(_send(call, settings, found, Decision.model_validate(answer)))


def _find(settings: Settings, job: str, number: int | None) -> tuple[GateRecord, JobView]:
    """The gate that is meant, else the one that is open: refusing an old number is the workflow's to do."""
    from thirdshift.bootstrap.services import open_books
    from thirdshift.cli.standing import find_job

    with closing(open_books(settings)) as ledger:
        view = find_job(ledger, job)
        return _gate(ledger, view, number), view


def _gate(ledger: SqlLedger, view: JobView, number: int | None) -> GateRecord:
    job_id = view.job.job_id
    gates = ledger.gates(job_id)
    waiting = [gate for gate in gates if gate.end is None]
    if number is not None:
        meant = [gate for gate in gates if gate.seq == number]
        if not meant:
            raise BadInput(f"NOT RECORDED: {job_id} has no gate {number}; see `thirdshift gates {job_id}`")
        return meant[0]
    if not waiting:
        raise BadInput(f"{job_id} waits for nobody now; see `thirdshift status {job_id}`")
    return waiting[-1]


def _whole(tree: str | None, gate: GateRecord) -> str:
    """The full hash: what was typed may be its beginning. Another tree is passed on, and refused."""
    if tree is None:
        return gate.tree
    return gate.tree if len(tree) >= 7 and gate.tree.startswith(tree.lower()) else tree


def _asked(
    call: Invocation, settings: Settings, view: JobView, gate: GateRecord, given: dict[str, str], *, named: bool
) -> dict[str, str]:
    """Show the gate and the change, and ask; what the person answers."""
    from thirdshift.cli.changes import coloured, show, stat, whole_diff
    from thirdshift.core.gates import GateVerdict
    from thirdshift.core.spec import GateKind
    from thirdshift.reports.gate_question import render_question

    diff = whole_diff(settings, view.job.base_tree, gate.tree)
    question = render_question(view, gate, stat(diff))
    if gate.kind is GateKind.PLAN:
        call.say(question)
    else:
        show(f"{question}\n\n{coloured(diff)}")
        call.say(question)
    verdict = click.prompt("\nYour answer", type=click.Choice([verdict.value for verdict in GateVerdict]))
    answer = dict(given)
    if verdict == GateVerdict.APPROVE and gate.kind is GateKind.BUDGET and not answer["usd"]:
        answer["usd"] = format_usd(click.prompt("How many US dollars more", type=Dollars()))
    if verdict != GateVerdict.APPROVE and not answer["note"]:
        answer["note"] = click.prompt("What is wrong")
    if not named:
        answer["reviewer"] = click.prompt("Your name", default=answer["reviewer"])
    click.confirm(f"Send `{verdict}` for gate {gate.seq}, tree {gate.tree[:12]}?", default=True, abort=True)
    return {**answer, "verdict": verdict}


async def _send(call: Invocation, settings: Settings, gate: GateRecord, decision: Decision) -> int:
    from thirdshift.cli.telling_work import required, told
    from thirdshift.cli.whereabouts import engine_if_up

    async with engine_if_up(settings, identity=decision.reviewer) as found:
        engine = required(found)
        given = decision.model_dump(mode="json")
        answer = await told(settings, engine.client, gate.owner_id, "decide", given)
    call.answer({"job_id": gate.job_id, "gate": gate.seq, "recorded": True, "answer": answer}, lambda: answer)
    return ExitCode.DONE
