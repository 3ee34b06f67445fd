"""Money, tokens and time as people read them."""

from __future__ import annotations

from thirdshift.core.money import NANO_PER_USD, format_usd
from thirdshift.core.views import Spend


def money(nano: int, places: int = 4) -> str:
    """Dollars to a hundredth of a cent (or ``places``), thousands marked; less than that is said to be so."""
    least = NANO_PER_USD // 10**places
    if 0 < nano < least:
        return f"<${format_usd(least)}"
    whole, _, rest = format_usd(nano, places).partition(".")
    return f"${int(whole):,}.{rest}"


def of_budget(nano: int, budget_nano: int | None) -> str:
    """What was spent, against the budget where there is one."""
    if budget_nano is None:
        return f"{money(nano)}, no budget"
    whole, _, cents = format_usd(budget_nano).partition(".")
    share = f" ({nano * 100 // budget_nano}%)" if budget_nano else ""
    return f"{money(nano)} of ${int(whole):,}.{cents:0<2}{share}"


def share(part: int, whole: int) -> str:
    """How much of the whole, in percent; ``<1%`` is not nothing."""
    if not whole or not part:
        return "0%"
    percent = part * 100 / whole
    return "<1%" if percent < 1 else f"{percent:.0f}%"


def numbered(number: int, noun: str) -> str:
    """``1 call``, ``12,345 calls``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def count(number: int) -> str:
    """A count in at most six characters: 950, 12,345, 1.25M."""
    if number < 1_000_000:
        return f"{number:,}"
    for unit, size in (("M", 1_000_000), ("G", 1_000_000_000)):
        if number < 1000 * size:
            return f"{number / size:.2f}{unit}"
    return f"{number / 1_000_000_000_000:.2f}T"


def duration(seconds: float) -> str:
    """45 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def beside(spend: Spend) -> list[str]:
    """What must not be added to the metered cost, each said in a sentence of its own."""
    said = []
    if spend.imputed_nano:
        said.append(f"Imputed: {money(spend.imputed_nano)} at list price, paid by a subscription; not in the cost.")
    if spend.unknown_nano:
        said.append(
            f"Unknown: calls that may have been billed, at most {money(spend.unknown_nano)}; not in the cost, "
            "but charged to the budget until reconciled."
        )
    if spend.held_nano:
        said.append(f"Held: {money(spend.held_nano)} for calls in flight.")
    return said
