"""``thirdshift listen`` from outside: real processes, the real server, a real ledger."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import httpx2
import psutil
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tests.e2e.workbench import Workbench, kill_hard, wait_until, workbench
from tests.fakes.webhooks import SECRET, WORKFLOW_RUN, changed, delivery
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.event_book import EventRecord
from thirdshift.core.events.intakes import intake_id
from thirdshift.core.events.signatures import SourceKind

CONFIG = """
[listen]
port = 0

[sources.github]
kind = "github"
secret_env = "WEBHOOK_SECRET"
"""


def prepared(bench: Workbench) -> None:
    bench.home.mkdir()
    (bench.root / "thirdshift.toml").write_text(CONFIG)
    secrets = bench.home / "secrets.env"
    secrets.write_text(f"WEBHOOK_SECRET={SECRET}\n")
    secrets.chmod(0o600)


def server_up(bench: Workbench) -> psutil.Process:
    """The embedded server's keeper, once the server answers; the server alone, so that nobody decides."""
    (bench.home / "engine.json").unlink(missing_ok=True)
    up = bench.thirdshift("up", "--no-worker", "--json")
    assert up.stdout is not None
    assert json.loads(up.stdout.readline())["address"]
    return psutil.Process(up.pid)


def listener_up(bench: Workbench) -> tuple[str, int]:
    """The URL that events go to, and the process."""
    process = bench.thirdshift("listen", "--json")
    assert process.stdout is not None
    line = process.stdout.readline()
    return str(json.loads(line)["sources"][0]["url"]), process.pid


def taken(port: int) -> socket.socket:
    """The port, held; a server that has just been killed may hold it for a moment longer."""

    def held() -> socket.socket | None:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            return None

    found: socket.socket = wait_until(held, "the port to be free")
    return found


def post(url: str, delivery_id: str, branch: str = "main") -> httpx2.Response:
    sent = delivery(
        SourceKind.GITHUB, changed(WORKFLOW_RUN, "workflow_run", "head_branch", to=branch), delivery_id=delivery_id
    )
    return httpx2.post(url, content=sent.body, headers=sent.headers, timeout=30)


def stored(bench: Workbench) -> list[EventRecord]:
    ledger = open_ledger(f"sqlite:///{bench.home / 'ledger.db'}")
    try:
        return list(ledger.events(100))
    finally:
        ledger.close()


def signals(bench: Workbench) -> list[dict[str, object]]:
    """What the repository's Intake was sent, from its history; nothing while there is no such workflow."""

    async def look() -> list[dict[str, object]]:
        port = json.loads((bench.home / "engine.json").read_text())["port"]
        client = await Client.connect(f"127.0.0.1:{port}")
        found = []
        try:
            async for event in client.get_workflow_handle(intake_id("acme/shop")).fetch_history_events():
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                    told = event.workflow_execution_signaled_event_attributes
                    assert told.signal_name == "arrived"
                    found.append(json.loads(told.input.payloads[0].data))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return found

    return asyncio.run(look())


@pytest.mark.slow
def test_an_event_is_in_the_ledger_and_in_the_intake_s_history_and_a_listener_ends_in_order(tmp_path: Path) -> None:
    with workbench(tmp_path) as bench:
        prepared(bench)
        server_up(bench)
        url, pid = listener_up(bench)
        assert post(url, "one").text == "taken: event 1\n"
        assert post(url, "one").text == "known already: event 1\n"
        (record,) = stored(bench)
        wait_until(lambda: len(signals(bench)) == 2, "both signals to arrive")
        assert signals(bench) == [{"number": 1, "fingerprint": record.event.fingerprint}] * 2
        refused = bench.run("listen", "--port", url.rpartition(":")[2].partition("/")[0])
        assert refused.returncode == 69
        assert "taken by another program" in refused.stderr
        process = next(each for each in bench.started if each.pid == pid)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
        with pytest.raises(httpx2.TransportError):
            post(url, "two")


@pytest.mark.slow
def test_no_event_is_lost_while_temporal_is_down_nor_where_the_listener_is_killed_meanwhile(tmp_path: Path) -> None:
    with workbench(tmp_path) as bench:
        prepared(bench)
        keeper = server_up(bench)
        url, pid = listener_up(bench)
        for process in [*keeper.children(recursive=True), keeper]:
            process.kill()
        assert post(url, "one").status_code in (202, 503)
        last = wait_until(lambda: found if (found := post(url, "one")).status_code == 503 else None, "a 503")
        assert int(last.headers["retry-after"]) > 0
        assert post(url, "two", "next").status_code == 503
        assert len(stored(bench)) == 2
        kill_hard(next(each for each in bench.started if each.pid == pid))
        server_up(bench)
        listener_up(bench)
        wait_until(lambda: {each["number"] for each in signals(bench)} == {1, 2}, "both events to be announced")


@pytest.mark.slow
def test_a_listener_that_lives_through_an_outage_announces_what_came_meanwhile(tmp_path: Path) -> None:
    with workbench(tmp_path) as bench:
        prepared(bench)
        keeper = server_up(bench)
        url, _ = listener_up(bench)
        port = int(json.loads((bench.home / "engine.json").read_text())["port"])
        for process in [*keeper.children(recursive=True), keeper]:
            process.kill()
        wait_until(lambda: post(url, "one").status_code == 503, "a 503")
        with taken(port):  # by another program meanwhile, so that the server comes back elsewhere
            server_up(bench)
        assert json.loads((bench.home / "engine.json").read_text())["port"] != port
        wait_until(lambda: [each["number"] for each in signals(bench)][:1] == [1], "the event to be announced")
        wait_until(lambda: post(url, "two", "next").status_code == 202, "the next one to be taken")


def test_a_listener_says_what_is_missing_before_it_opens_anything(tmp_path: Path) -> None:
    with workbench(tmp_path) as bench:
        assert bench.run("listen").returncode == 64
        bench.home.mkdir()
        (bench.root / "thirdshift.toml").write_text(CONFIG)
        unset = bench.run("listen")
        assert (unset.returncode, "WEBHOOK_SECRET is not set" in unset.stderr) == (64, True)
        prepared_secrets = bench.home / "secrets.env"
        prepared_secrets.write_text(f"WEBHOOK_SECRET={SECRET}\n")
        prepared_secrets.chmod(0o600)
        down = bench.run("listen")
        assert (down.returncode, "thirdshift up" in down.stderr) == (69, True)
        assert SECRET not in unset.stderr + down.stderr
