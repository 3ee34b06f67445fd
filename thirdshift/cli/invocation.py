"""What every command shares: its configuration, and two ways of answering, for people and for programs."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from thirdshift.settings import Settings
    from thirdshift.settings.duties import Duty


class Invocation:
    """One call of one command. Results go to standard output, remarks and progress to standard error."""

    def __init__(self, as_json: bool, config: Path | None, home: Path | None = None) -> None:
        self.as_json = as_json
        self.config = config
        self.home = home
        """Set where it is another one than the person's own, as in the demonstration."""

    def settings(self, beside: Path | None = None, duty: Duty | None = None) -> Settings:
        """The configuration; ``beside`` is a directory of specs that may hold the file.

        With a ``duty``, it holds the secrets of that one alone.
        """
        from thirdshift.settings import load_settings

        return load_settings(self.config, beside=beside, duty=duty)

    def command(self, words: str) -> str:
        """A command for the person to type next, with the configuration that this one was given."""
        place = f"THIRDSHIFT_HOME={shlex.quote(str(self.home))} " if self.home else ""
        return f"{place}thirdshift {words}" + (f" --config {shlex.quote(str(self.config))}" if self.config else "")

    def say(self, text: str) -> None:
        """Print for a person; silent where a program reads."""
        if not self.as_json:
            click.echo(text)

    def remark(self, text: str) -> None:
        """Print beside the result, for whoever watches."""
        click.echo(text, err=True)

    def write_file(self, file: str, text: str) -> None:
        """Write what was asked for as a file, and say so. Raises BadInput for a path that cannot be a file."""
        from thirdshift.core.errors import BadInput

        path = Path(file)
        try:
            path.write_text(text, encoding="utf-8", newline="")
        except (FileNotFoundError, NotADirectoryError):
            raise BadInput(f"{file}: there is no directory {path.parent}; make it, or name another file") from None
        except IsADirectoryError:
            raise BadInput(f"{file}: is a directory; name a file in it") from None
        self.remark(f"wrote {file}")

    def emit(self, value: Mapping[str, Any]) -> None:
        """Print one JSON value on one line, where a program reads."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, default=str))

    def answer(self, value: Mapping[str, Any], text: Callable[[], str]) -> None:
        """Answer a program with the value, or a person with the text, which is made only then."""
        if self.as_json:
            self.emit(value)
        else:
            self.say(text())


def invocation(function: Callable[..., int | None]) -> Callable[..., int]:
    """Give a command ``--json`` and ``--config``, and an ``Invocation`` as its first argument.

    The function returns an exit code, or None for 0.
    """

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The thirdshift.toml to use instead of the one here.",
    )
    @functools.wraps(function)
    def wrapped(*arguments: Any, as_json: bool, config: Path | None, **options: Any) -> int:
        return function(Invocation(as_json, config), *arguments, **options) or 0

    return wrapped
