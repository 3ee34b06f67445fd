"""Live progress: a job's journal as it grows, as plain lines or above a line that stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from thirdshift.core.ledger import JournalEntry
from thirdshift.core.money import format_usd
from thirdshift.core.text import one_line

if TYPE_CHECKING:
    from rich.live import Live

_INDENTED = frozenset({"step", "call", "tools"})
_WIDTH = 160
_STANDING = ("tier", "model", "attempt", "step", "money", "checks")


class Progress(Protocol):
    """Shows a job's journal."""

    def show(self, entry: JournalEntry) -> None:
        """Show what happened."""
        ...

    def say(self, text: str) -> None:
        """Show some lines beside the journal."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found."""
        ...


def line_of(entry: JournalEntry, began: datetime) -> str:
    """An entry as one line: time since the job began, what happened, and the money so far where it changed."""
    elapsed = f"{(entry.at - began).total_seconds():7.1f}s"
    indent = "  " if entry.kind in _INDENTED else ""
    money = f"   [{_money(entry)}]" if entry.kind in ("step", "call", "attempt_end", "stop") else ""
    return f"{elapsed}  {indent}{one_line(entry.text, _WIDTH)}{money}"


def _money(entry: JournalEntry) -> str:
    spent, budget = entry.data.get("cost_nano"), entry.data.get("budget_nano")
    text = f"${format_usd(spent if isinstance(spent, int) else 0, 4)}"
    return f"{text} of ${format_usd(budget, 2)}" if isinstance(budget, int) else text


class PlainProgress:
    """One line for each entry: for pipes, files and NO_COLOR."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began: datetime | None = None

    def show(self, entry: JournalEntry) -> None:
        """Write the entry's line."""
        self._began = self._began or entry.at
        self._write(line_of(entry, self._began))

    def say(self, text: str) -> None:
        """Write the lines."""
        self._write(text)

    def close(self) -> None:
        """Nothing to leave."""


class LiveProgress:
    """Lines that scroll, above one that says where the job stands: tier, attempt, step, money, checks."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._began: datetime | None = None
        self._standing: dict[str, str] = {}
        live.start()

    def show(self, entry: JournalEntry) -> None:
        """Print the entry's line above the standing line, and bring that one up to date."""
        from rich.text import Text

        self._began = self._began or entry.at
        style = _style(entry)
        self._live.console.print(Text(line_of(entry, self._began), style=style), highlight=False, soft_wrap=True)
        self._note(entry)
        self._live.update(
            Text(
                "  ·  ".join(self._standing[key] for key in _STANDING if key in self._standing),
                style="bold",
                overflow="ellipsis",
                no_wrap=True,
            )
        )

    def say(self, text: str) -> None:
        """Print the lines above the standing line."""
        from rich.text import Text

        self._live.console.print(Text(text, style="bold"), highlight=False, soft_wrap=True)

    def refresh(self) -> None:
        """Draw the standing line now."""
        self._live.refresh()

    def close(self) -> None:
        """Take the standing line away."""
        from rich.text import Text

        self._live.update(Text(""))
        self._live.stop()

    def _note(self, entry: JournalEntry) -> None:
        data = entry.data
        if entry.kind == "attempt":
            self._standing.pop("step", None)
        for key, shown in (("tier", "{}"), ("model", "{}"), ("attempt", "attempt {}"), ("step", "step {}")):
            if data.get(key) is not None:
                self._standing[key] = shown.format(data[key])
        self._standing["money"] = _money(entry)
        if entry.kind == "verdict":
            passed = len([name for name in str(data.get("checks_passed") or "").split(",") if name])
            failed = len(
                [n for k in ("checks_failed", "checks_not_run") for n in str(data.get(k) or "").split(",") if n]
            )
            self._standing["checks"] = f"checks {passed}/{passed + failed}"


def _style(entry: JournalEntry) -> str:
    if entry.kind == "verdict":
        return "green" if entry.data.get("passed") else "yellow"
    if entry.kind == "stop":
        return "bold green" if entry.data.get("stop_reason") == "accepted" else "bold red"
    return "bold" if entry.kind == "attempt" else "dim" if entry.kind in _INDENTED else ""


def choose_progress(plain: Callable[[str], None], *, as_json: bool) -> Progress:
    """A live display on a terminal, plain lines elsewhere; both on standard error, beside the result."""
    if as_json:
        return PlainProgress(plain)
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainProgress(plain)
    return LiveProgress(Live(console=console, refresh_per_second=8, transient=True))
