"""``thirdshift listen``: takes events from machines over HTTP until it is stopped."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.event_loop import run_until_done, until_asked_to_stop
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.settings import Settings
    from thirdshift.settings.listening import EventSource

_SETUP = {
    "github": "Settings > Webhooks > Add webhook: payload URL, content type application/json, secret, and these events",
    "gitlab": "Settings > Webhooks: URL, secret token or signing token, and these triggers",
    "sentry": "Settings > Integrations > Create internal integration: webhook URL, and these; its client secret",
    "sarif": "in CI: POST, signed as docs/events.md shows",
    "generic": "POST one JSON object, signed by Standard Webhooks",
}
_LOOPBACK = ("127.", "localhost", "::1")


@click.command()
@click.option("--host", help="The address to listen on, instead of [listen] host (127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of [listen] port (8479); 0 takes any free one.")
@invocation
def listen(call: Invocation, host: str | None, port: int | None) -> int:
    """Take events from GitHub, GitLab, Sentry, scanners and others over HTTP, until stopped (Ctrl-C or SIGTERM).

    Each event is checked, stored in the ledger and handed to the Intake of its repository. It speaks plain HTTP on
    loopback: put a proxy with TLS in front.
    """
    return run_until_done(_listen(call, host, port))


async def _listen(call: Invocation, host: str | None, port: int | None) -> int:
    from thirdshift.bootstrap.listening import open_listening
    from thirdshift.bootstrap.logs import logged
    from thirdshift.core.text import Redactor
    from thirdshift.web.listener import listener
    from thirdshift.web.server import open_socket, serving

    settings = call.settings()
    settings.require_sources()
    _begin_again_without_other_secrets(call, settings)
    host = host or settings.listen.host
    with (
        open_socket(host, settings.listen.port if port is None else port) as listening,
        logged(settings.log_dir, "listen.log", Redactor(settings.secret_values)),
    ):
        bound = int(listening.getsockname()[1])
        async with (
            open_listening(settings) as opened,
            serving(listener(settings, opened), listening, settings.listen.connections),
        ):
            _tell(call, settings, host, bound, opened.address)
            await until_asked_to_stop()
            call.remark("stopping: deliveries in hand are finished first")
    return ExitCode.DONE


def _begin_again_without_other_secrets(call: Invocation, settings: Settings) -> None:
    """Become the same command, once, with no secret but those of its sources; see the like of it in ``worker``."""
    from thirdshift.settings.duties import environment_for_listener, is_listener, taken_away

    if is_listener():
        return
    own = environment_for_listener(settings)
    if taken := taken_away(own):
        call.remark(f"{', '.join(taken)}: not for a listener; taken out of its environment")
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], own)  # noqa: S606 - this program, again


def _tell(call: Invocation, settings: Settings, host: str, port: int, temporal: str) -> None:
    here = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    public = (settings.listen.public_url or here).rstrip("/")
    sources = [_described(source, public) for source in settings.sources]
    if not host.startswith(_LOOPBACK):
        call.remark(f"WARNING: {host} is not loopback, and this is plain HTTP; put a proxy with TLS in front")
    call.say(f"listening  {here}, events go to Temporal at {temporal}")
    for source, told in zip(settings.sources, sources, strict=True):
        call.say(f"\n{source.name}\n  URL      {told['url']}\n  secret   {', '.join(source.variables)}")
        for variable in source.missing:
            call.say(f"           {variable} is not set; the others count alone")
        call.say(f"  there    {_SETUP[source.kind.value]}:\n           {told['choose']}\n  brings   {told['kinds']}")
    if not settings.listen.public_url:
        call.say("\nSenders need an address that they can reach; [listen] public_url shows it here.")
    call.say("\nCtrl-C stops; what senders send meanwhile is theirs to send again.")
    call.emit({"address": here, "host": host, "port": port, "temporal": temporal, "sources": sources})


def _described(source: EventSource, public: str) -> dict[str, Any]:
    from thirdshift.core.events.deliveries import DIALECTS

    dialect = DIALECTS[source.kind]
    return {
        "name": source.name,
        "kind": source.kind.value,
        "url": f"{public}/events/{source.name}",
        "kinds": ", ".join(dialect.kinds),
        "choose": dialect.hook_events,
    }
