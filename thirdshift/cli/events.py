"""``thirdshift events``: what machines told us, and what was decided on each event."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput
from thirdshift.core.text import visible

if TYPE_CHECKING:
    from thirdshift.core.event_book import EventRecord
    from thirdshift.core.triage import Rule
    from thirdshift.settings import Settings

_LATE = timedelta(minutes=1)
"""An event that waits for longer may have lost its signal; one that has not is only decided a little later."""
_LOOKED_AT = 2000


@click.group(invoke_without_command=True)
@click.option("--undecided", is_flag=True, help="Only those that wait for a decision.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many, the newest.")
@click.option("--repository", help="Only those of one repository, named as the sender names it: acme/shop.")
@invocation
def events(call: Invocation, undecided: bool, limit: int, repository: str | None) -> int:
    """List the events that machines sent, the newest first, each with the decision that it ended in."""
    if click.get_current_context().invoked_subcommand:
        return ExitCode.DONE
    from thirdshift.bootstrap.books import now, open_books
    from thirdshift.reports.event_list import render_events

    with closing(open_books(call.settings())) as ledger:
        found = ledger.events(limit, undecided=undecided, repository=repository)
    at = now()
    call.answer({"events": [_as_json(record, at) for record in found]}, lambda: render_events(found, at))
    return ExitCode.DONE


@events.command()
@click.argument("number", type=click.IntRange(1))
@invocation
def show(call: Invocation, number: int) -> int:
    """Show the whole of one event. What came from outside is shown so that it can do nothing to a terminal."""
    from thirdshift.bootstrap.books import now, open_books
    from thirdshift.reports.event_list import render_event

    with closing(open_books(call.settings())) as ledger:
        try:
            record = ledger.event(number)
        except KeyError:
            raise BadInput(f"no event {number} in the ledger; see `thirdshift events`") from None
    at = now()
    whole = {"text": visible(record.event.text), "delivery": visible(record.event.delivery)}
    call.answer(_as_json(record, at) | whole, lambda: render_event(record, at))
    return ExitCode.DONE


@events.command()
@invocation
def check(call: Invocation) -> int:
    """Lint the rules of [intake] and their templates, and look whether their repositories are there."""
    from thirdshift.bootstrap.intake_rules import repository_refusal, template_findings

    rules = call.settings().intake.terms.rules
    found = template_findings(rules)
    for rule in rules:
        if rule.name not in found and rule.template and (refusal := repository_refusal(rule)):
            found[rule.name] = (f"rule {rule.name}: its events would be refused: {refusal}",)
    for rule in rules:
        call.say(_rule_line(rule, ok=rule.name not in found))
    for lines in found.values():
        for line in lines:
            call.remark(line)
    if not rules:
        call.remark("no rules; every event ends as `unmatched` until [[intake.rules]] says otherwise")
    answer = [_rule_json(rule) | {"findings": list(found.get(rule.name, ()))} for rule in rules]
    call.emit({"ok": not found, "rules": answer})
    return ExitCode.BAD_INPUT if found else ExitCode.DONE


@events.command()
@click.argument("numbers", nargs=-1, type=click.IntRange(1), metavar="[NUMBER...]")
@invocation
def retry(call: Invocation, numbers: tuple[int, ...]) -> int:
    """Signal again what may have been lost: events undecided for over a minute, and jobs that were never begun.

    With a NUMBER or several, those events alone. An event that is decided stays as it was decided.
    """
    return run_until_done(_retry(call, call.settings(), numbers))


async def _retry(call: Invocation, settings: Settings, numbers: tuple[int, ...]) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import now, open_books, redactor_of
    from thirdshift.bootstrap.intake_signals import never_begun, signal_arrival
    from thirdshift.cli.at_work import worker_is_up

    with closing(open_books(settings)) as ledger:
        async with open_engine(
            settings.engine, settings.home, may_start=False, redactor=redactor_of(settings)
        ) as engine:
            late = now() - _LATE
            if numbers:
                lost = [_known(ledger, number) for number in numbers]
            else:
                lost = [one for one in ledger.events(_LOOKED_AT, undecided=True) if one.event.received_at < late]
                lost += await never_begun(ledger, engine.client, ledger.events(_LOOKED_AT), late)
            signalled = _one_for_each(lost)
            for record in signalled:
                await signal_arrival(settings, engine.client, record)
            up = await worker_is_up(settings, engine.client)
    call.say(f"{len(lost)} events, {len(signalled)} signals sent" if lost else "nothing was lost")
    if lost and not up:
        call.remark("no worker is up, so nothing is decided yet; start one: thirdshift up")
    call.emit({"events": [record.number for record in lost], "signals": len(signalled), "worker_up": up})
    return ExitCode.DONE


def _known(ledger: Any, number: int) -> EventRecord:
    try:
        found: EventRecord = ledger.event(number)
    except KeyError:
        raise BadInput(f"no event {number} in the ledger; see `thirdshift events`") from None
    return found


def _one_for_each(records: list[EventRecord]) -> list[EventRecord]:
    """The newest of each fingerprint: its signal stands for those before it."""
    newest: dict[tuple[str, str], EventRecord] = {}
    for record in sorted(records, key=lambda one: one.number):
        newest[record.event.repository, record.event.fingerprint] = record
    return list(newest.values())


def _as_json(record: EventRecord, now: datetime) -> dict[str, Any]:
    event, decision = record.event, record.decision
    return {
        "number": record.number,
        "source": visible(event.source),
        "kind": visible(event.kind),
        "repository": visible(event.repository),
        "fingerprint": visible(event.fingerprint),
        "title": visible(event.title),
        "facts": {visible(name): visible(value) for name, value in event.facts.items()},
        "received_at": event.received_at.isoformat(),
        "age_seconds": max(0, int((now - event.received_at).total_seconds())),
        "decision": decision and decision.model_dump(mode="json") | {"why": visible(decision.why)},
    }


def _rule_line(rule: Rule, *, ok: bool) -> str:
    wanted = ", ".join(f"{name} {'|'.join(patterns)}" for name, patterns in rule.match.items()) or "everything"
    unless = "".join(f", unless {name} {'|'.join(patterns)}" for name, patterns in rule.unless.items())
    then = f"{rule.work}:{rule.shift}" if rule.shift else str(rule.work)
    return f"{'ok     ' if ok else 'WRONG  '}  {rule.name}: {wanted}{unless} -> {then}"


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "match": {name: list(patterns) for name, patterns in rule.match.items()},
        "unless": {name: list(patterns) for name, patterns in rule.unless.items()},
        "then": f"{rule.work}:{rule.shift}" if rule.shift else str(rule.work),
        "spec": rule.template,
    }
