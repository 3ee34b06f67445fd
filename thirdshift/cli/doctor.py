"""``thirdshift doctor``: what is missing, and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import ThirdshiftError

if TYPE_CHECKING:
    from thirdshift.cli.inspections import Finding
    from thirdshift.settings import Settings


@click.command()
@invocation
def doctor(call: Invocation) -> int:
    """Look at everything a job needs: what is there, what is missing, and the remedy. Shows no key."""
    from thirdshift.cli import inspections

    machine = [inspections.inspect_python(), inspections.inspect_git()]
    try:
        settings = call.settings()
    except ThirdshiftError as error:
        return _tell(call, [*machine, inspections.missing("configuration", error)])
    found: list[Finding] = [*machine]

    async def look() -> int:
        found.extend(await _inspect(settings))
        return ExitCode.DONE

    run_until_done(look())
    return _tell(call, found)


async def _inspect(settings: Settings) -> list[Finding]:
    from thirdshift.cli import inspections as look

    shown = settings.describe()["configuration"]
    home = look.inspect_home(settings)
    findings = [look.Finding("configuration", True, shown), home, look.inspect_disk(settings)]
    findings.append(await look.inspect_sandbox(settings))
    binary = look.inspect_server_binary(settings)
    findings += [binary] if binary else []
    if home.ok:
        findings += [await look.inspect_server(settings), look.inspect_worker(settings), look.inspect_ledger(settings)]
    findings += look.inspect_intake(settings)
    return [*findings, *look.inspect_keys(settings), *look.inspect_prices(settings)]


def _tell(call: Invocation, findings: list[Finding]) -> int:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        call.say(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.name:<{width}}  {finding.detail}")
        for line in finding.remedy.splitlines():
            call.say(f"{'':<{width + 11}}{line}")
    wrong = sum(not finding.ok for finding in findings)
    call.say(f"\n{f'{wrong} missing' if wrong else 'everything is there'}")
    call.emit(
        {
            "ok": not wrong,
            "findings": [{"name": f.name, "ok": f.ok, "detail": f.detail, "remedy": f.remedy} for f in findings],
        }
    )
    return ExitCode.UNAVAILABLE if wrong else ExitCode.DONE
