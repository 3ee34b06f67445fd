"""A change shown in the terminal: whole, in colour, through the pager, its hidden characters written out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from thirdshift.core.diff_shape import LineKind, changes, told_apart
from thirdshift.core.text import visible
from thirdshift.core.words import counted

if TYPE_CHECKING:
    from thirdshift.settings import Settings

_MOST_LINES = 2_000_000
_COLOURS = {
    LineKind.FILE: "bold",
    LineKind.HEADING: "bold",
    LineKind.HUNK: "cyan",
    LineKind.ADDED: "green",
    LineKind.REMOVED: "red",
}


def whole_diff(settings: Settings, old_tree: str, new_tree: str) -> str:
    """The diff between two trees of the hub, in git's own format."""
    from thirdshift.adapters.hub import LocalHub

    if old_tree == new_tree:
        return ""
    return LocalHub(str(settings.hub_path)).diff(old_tree, new_tree, _MOST_LINES)


def coloured(diff: str) -> str:
    """The diff for a terminal. What is in it cannot bring colours or controls of its own."""
    lines = []
    for kind, line in told_apart(diff):
        colour = _COLOURS.get(kind)
        shown = visible(line)
        if colour == "bold":
            shown = click.style(shown, bold=True)
        elif colour:
            shown = click.style(shown, fg=colour)
        lines.append(shown)
    return "\n".join(lines) + "\n" if lines else ""


def stat(diff: str) -> str:
    """One line for each file, and their sum."""
    files = changes(diff)
    if not files:
        return "nothing changed"
    lines = [f"{f'+{file.added}':>7} {f'-{file.removed}':>7}  {visible(file.path)}" for file in files]
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    return "\n".join([*lines, f"{f'+{added}':>7} {f'-{removed}':>7}  in {counted(len(files), 'file')}"])


def show(text: str) -> None:
    """Through the pager where somebody sits before a terminal, else straight."""
    if sys.stdout.isatty() and sys.stdin.isatty():
        click.echo_via_pager(text, color=True)
    else:
        click.echo(text, nl=False)
