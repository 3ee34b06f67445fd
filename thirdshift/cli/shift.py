"""``thirdshift shift``: nights by schedule. Each command is in a module of its own, imported when it is asked for."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "create": ("thirdshift.cli.shift_create", "create"),
    "apply": ("thirdshift.cli.shift_apply", "apply"),
    "list": ("thirdshift.cli.shift_list", "list_shifts"),
    "show": ("thirdshift.cli.shift_show", "show"),
    "trigger": ("thirdshift.cli.shift_at_hand", "trigger"),
    "pause": ("thirdshift.cli.shift_at_hand", "pause"),
    "resume": ("thirdshift.cli.shift_at_hand", "resume"),
    "stop": ("thirdshift.cli.shift_stop", "stop"),
    "delete": ("thirdshift.cli.shift_at_hand", "delete"),
    "report": ("thirdshift.cli.shift_report", "report"),
}


class _LazyShift(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_LazyShift)
def shift() -> None:
    """Run batches of specs by night: one window, one budget, no people.

    Begin with `thirdshift shift create`, or keep shifts in files and use `thirdshift shift apply`.
    """
