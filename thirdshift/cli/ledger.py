"""``thirdshift ledger``: do the books add up, what was every call, and what would it have cost."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.cli.ledger_bills import reconcile, reprice
from thirdshift.core.money import format_usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thirdshift.core.audit import Audit

_SHOWN = 50
"""So many differences are listed for a person; a program gets all."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@click.group()
def ledger() -> None:
    """The books: verify their sums, price them anew, settle unknown calls by a vendor's bill, export the calls."""


ledger.add_command(reconcile)
ledger.add_command(reprice)


@ledger.command()
@invocation
def verify(call: Invocation) -> int:
    """Recompute every total from the calls and say whether the books add up. Exit code 1 if they do not."""
    from thirdshift.bootstrap.services import open_books

    with closing(open_books(call.settings())) as books:
        audit = books.verify()
    call.answer(_audit_value(audit), lambda: _audit_text(audit))
    return ExitCode.DONE if audit.adds_up else ExitCode.FAILED


def _audit_value(audit: Audit) -> dict[str, Any]:
    return {
        "adds_up": audit.adds_up,
        **{name: getattr(audit, name) for name in ("calls", "tallies", "scopes", "attempts", "loops", "jobs")},
        "nights": audit.nights,
        "events": audit.events,
        "metered_usd": format_usd(audit.metered_nano),
        "imputed_usd": format_usd(audit.imputed_nano),
        "held_usd": format_usd(audit.held_nano),
        "unknown_usd": format_usd(audit.unknown_nano),
        "differences": [difference.model_dump() for difference in audit.differences],
        "over_limit": [
            {
                "scope": over.scope,
                "charged_usd": format_usd(over.charged_nano),
                "limit_usd": format_usd(over.limit_nano),
            }
            for over in audit.over_limit
        ],
    }


def _audit_text(audit: Audit) -> str:
    lines = [
        f"{audit.calls:,} calls make {audit.attempts:,} attempts, {audit.loops:,} loops, {audit.jobs:,} jobs "
        f"and {audit.scopes:,} budget scopes",
        f"{audit.nights:,} nights and {audit.events:,} events",
        f"metered ${format_usd(audit.metered_nano)}, imputed ${format_usd(audit.imputed_nano)}, "
        f"held ${format_usd(audit.held_nano)}, unknown ${format_usd(audit.unknown_nano)}",
    ]
    lines += [
        f"over its limit: {over.scope} is charged ${format_usd(over.charged_nano)} of ${format_usd(over.limit_nano)} "
        "(the limit was lowered, or a vendor billed more than was asked of it)"
        for over in audit.over_limit[:_SHOWN]
    ]
    if audit.adds_up:
        return "\n".join([*lines, "the books add up"])
    lines += [f"  {difference.words}" for difference in audit.differences[:_SHOWN]]
    hidden = len(audit.differences) - _SHOWN
    if hidden > 0:
        lines.append(f"  ... and {hidden:,} more; --json lists them all")
    return "\n".join([*lines, f"the books do NOT add up: {len(audit.differences):,} differences"])


@ledger.command()
@click.argument("what", type=click.Choice(["calls", "nights", "lines", "events"]), default="calls")
@click.option("--job", help="The calls of one job only.")
@click.option("--format", "style", type=click.Choice(["csv", "json"]), help="Default: csv, or json with --json.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output.")
@invocation
def export(call: Invocation, what: str, job: str | None, style: str | None, output: Path | None) -> int:
    """Write calls, nights, the lines of nights' lists, or events, whole. JSON is one object a line.

    A call's row says where it belongs, its state, money, tokens, times and keys; a night's what it came to; an event's
    what was told and how it was decided.
    """
    from thirdshift.bootstrap.services import open_books
    from thirdshift.cli.standing import find_job

    if job and what != "calls":
        raise click.UsageError(f"--job chooses calls; {what} are exported whole. Leave it out")
    with closing(open_books(call.settings())) as books:
        job_id = find_job(books, job).job.job_id if job else None
        rows = {"nights": books.exported_nights, "lines": books.exported_lines, "events": books.exported_events}
        with _opened(output) as out:
            write = _write_json if (style or ("json" if call.as_json else "csv")) == "json" else _write_csv
            written = write(out, rows[what]() if what in rows else books.exported_calls(job_id))
    call.remark(f"{written:,} {what} exported" + (f" to {output}" if output else ""))
    return ExitCode.DONE


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
    else:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file


def _write_json(out: IO[str], rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _write_csv(out: IO[str], rows: Iterable[Mapping[str, Any]]) -> int:
    writer: csv.DictWriter[str] | None = None
    count = 0
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(out, fieldnames=list(row))
            writer.writeheader()
        writer.writerow({name: _harmless(value) for name, value in row.items()})
        count += 1
    return count


def _harmless(value: Any) -> Any:
    """A server names its models, and people their files, as they like: no cell may be read as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
