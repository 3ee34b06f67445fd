"""``thirdshift ledger reconcile`` and ``reprice``: the books beside a vendor's bill, and beside other prices."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.audit import Repriced
from thirdshift.core.errors import BadInput, PriceUnknown
from thirdshift.core.money import format_usd
from thirdshift.core.reconciling import Decision, NeverBilled, NotMatched, SettleByBill

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.adapters.prices import Prices
    from thirdshift.core.rates import Rates
    from thirdshift.core.reconciling import UsageExport
    from thirdshift.settings import Settings

_KINDS = {"anthropic": ("anthropic",), "openai": ("openai", "openai-chat")}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--provider", multiple=True, help="The configured provider that the bill is for; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what would be settled; change nothing.")
@invocation
def reconcile(call: Invocation, file: Path, provider: tuple[str, ...], dry_run: bool) -> int:
    """Settle unknown calls by a vendor's usage export, and say what it does not decide.

    FILE is what Anthropic's usage_report/messages or OpenAI's usage/completions answers, as JSON, or the same fields
    as CSV, grouped by model; buckets of a minute decide the most. Doing it again changes nothing.
    """
    from thirdshift.adapters.usage_export import read_export
    from thirdshift.bootstrap.services import now, open_books
    from thirdshift.core.reconciling import reconcile as decide

    settings = call.settings()
    export = read_export(file)
    names = provider or _providers(settings, export)
    with closing(open_books(settings)) as books:
        booked = books.booked_calls(names, export.buckets[0].starts_at, export.buckets[-1].ends_at)
        decisions = decide(export, booked, {name: rates for name, (rates, _) in books.price_lists().items()})
        done = [d for d in decisions if not isinstance(d, NotMatched) and (dry_run or books.settle_by_bill(d, now()))]
    open_ones = [d for d in decisions if isinstance(d, NotMatched)]
    call.answer(_reconciled_value(done, open_ones, dry_run), lambda: _reconciled_text(done, open_ones, dry_run))
    return ExitCode.DONE


def _providers(settings: Settings, export: UsageExport) -> tuple[str, ...]:
    """The vendor's own account: configured providers of its kind that name no other address."""
    kinds = _KINDS[export.vendor]
    found = tuple(name for name, p in settings.providers.items() if p.kind in kinds and not p.base_url)
    return found or (export.vendor,)


def _reconciled_value(done: Sequence[Decision], open_ones: list[NotMatched], dry_run: bool) -> dict[str, Any]:
    settled = [d for d in done if isinstance(d, SettleByBill)]
    return {
        "dry_run": dry_run,
        "settled": [{"call": d.call_id, "cost_usd": format_usd(d.cost_nano), **d.usage.model_dump()} for d in settled],
        "released": [d.call_id for d in done if isinstance(d, NeverBilled)],
        "not_matched": [d.model_dump(mode="json") for d in open_ones],
    }


def _reconciled_text(done: Sequence[Decision], open_ones: list[NotMatched], dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    lines = []
    for decision in done:
        match decision:
            case SettleByBill():
                lines.append(f"call {decision.call_id} {would}settled at ${format_usd(decision.cost_nano)}")
            case NeverBilled():
                lines.append(f"call {decision.call_id} {would}released: it was never billed")
    for left in open_ones:
        calls = f"calls {', '.join(map(str, left.calls))} of " if left.calls else ""
        lines.append(
            f"not matched: {calls}{left.model}, {left.starts_at:%Y-%m-%d %H:%M} to {left.ends_at:%H:%M}: {left.why}"
        )
    lines.append(f"{len(done)} unknown calls {would}decided, {len(open_ones)} things not matched")
    return "\n".join(lines)


@click.command()
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The catalogue's prices of that day (UTC).")
@click.option(
    "--prices", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A TOML file with [prices]."
)
@click.option("--own", is_flag=True, help="By the very list that each call was priced by: a check of the books.")
@invocation
def reprice(call: Invocation, as_of: datetime | None, file: Path | None, own: bool) -> int:
    """Say what all settled calls would have cost by other prices: today's, a day's, or a file's. Changes nothing.

    With --own a difference is a fault in the books, and the exit code is 1.
    """
    from thirdshift.adapters.prices import Prices
    from thirdshift.bootstrap.services import now, open_books
    from thirdshift.settings import load_settings

    if own and (as_of or file):
        raise BadInput("--own is by the lists that are in the ledger; leave out --as-of and --prices")
    settings = call.settings()
    written = load_settings(file).prices if file else settings.prices
    day = as_of.replace(tzinfo=UTC) if as_of else now()
    prices = Prices(written, clock=lambda: day)
    with closing(open_books(settings)) as books:
        found = [_reprice(books, settings, prices, model, own=own) for model in books.models_called()]
    call.answer(_repriced_value(found), lambda: _repriced_text(found))
    return ExitCode.FAILED if own and any(line.difference_nano or line.why for line in found) else ExitCode.DONE


def _reprice(books: SqlLedger, settings: Settings, prices: Prices, model: str, *, own: bool) -> Repriced:
    rates: Rates | None = None
    why = ""
    name, _, vendor_model = model.partition("/")
    provider = settings.providers.get(name)
    if not own:
        try:
            kind, address = (provider.kind, provider.base_url) if provider else (name, "")
            rates = prices.quote(kind, name, vendor_model, address).rates
        except PriceUnknown as unknown:
            why = str(unknown).partition("\n")[0]
    return books.repriced(model, rates, why)


def _repriced_value(found: list[Repriced]) -> dict[str, Any]:
    priced = [line for line in found if line.repriced_nano is not None]
    return {
        "models": [
            {
                "model": line.model,
                "calls": line.calls,
                "booked_usd": format_usd(line.booked_nano),
                "repriced_usd": None if line.repriced_nano is None else format_usd(line.repriced_nano),
                "difference_usd": format_usd(line.difference_nano),
                "why_not": line.why,
            }
            for line in found
        ],
        "booked_usd": format_usd(sum(line.booked_nano for line in priced)),
        "repriced_usd": format_usd(sum(line.repriced_nano or 0 for line in priced)),
        "difference_usd": format_usd(sum(line.difference_nano for line in priced)),
        "not_priced": [line.model for line in found if line.repriced_nano is None],
    }


def _repriced_text(found: list[Repriced]) -> str:
    lines = []
    for line in found:
        asked = f"${format_usd(line.repriced_nano)}" if line.repriced_nano is not None else f"not priced: {line.why}"
        lines.append(f"{line.model}: {line.calls:,} calls, booked ${format_usd(line.booked_nano)}, {asked}")
    total = _repriced_value(found)
    lines.append(
        f"together: booked ${total['booked_usd']}, repriced ${total['repriced_usd']}, "
        f"difference ${total['difference_usd']}"
    )
    if total["not_priced"]:
        lines.append(f"left out of the sum: {', '.join(total['not_priced'])}")
    return "\n".join(lines)
