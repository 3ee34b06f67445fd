"""A gate is told to people by a webhook, read and answered at a terminal; both with real processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import thirdshift
from tests.cli.desk import SPEC, Type

Ask = Callable[..., tuple[int, Any]]
GATED = SPEC.replace("plan: none\n", "plan: none\ngates: [merge]\n")


class Webhook:
    """A server on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        kept = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def gated(desk: Path) -> Path:
    (desk / "spec.md").write_text(GATED)
    return desk


@pytest.mark.slow
@pytest.mark.parametrize("way", [(), ("--single-process",)], ids=["a process for each duty", "one process"])
def test_people_hear_of_a_gate_through_a_webhook_with_the_link_to_it(
    gated: Path, ask: Ask, start: Type, webhook: Webhook, way: tuple[str, ...]
) -> None:
    toml = gated / "thirdshift.toml"
    toml.write_text(f'{toml.read_text()}[notify]\neverybody = ["TEAM_HOOK"]\n')
    (gated / "home").mkdir()
    (gated / "home" / "secrets.env").write_text(f"TEAM_HOOK={webhook.url}\n")
    (gated / "home" / "secrets.env").chmod(0o600)
    up = start("up", "--json", *way)
    assert up.stdout is not None
    up.stdout.readline()
    job_id = ask("submit", "spec.md")[1]["jobs"][0]["job_id"]
    assert ask("watch", job_id, "--no-wait")[0] == 3
    deadline = time.monotonic() + 30
    while not webhook.got and time.monotonic() < deadline:
        time.sleep(0.05)
    (gate,) = ask("gates")[1]["gates"]
    (told,) = webhook.got
    assert job_id in told["message"] + told["title"]
    assert gate["ui_url"] in told["message"]
    up.send_signal(signal.SIGTERM)
    up.wait()


@pytest.mark.slow
def test_a_person_at_a_terminal_reads_the_change_in_a_pager_and_is_asked_step_by_step(
    gated: Path, ask: Ask, start: Type
) -> None:
    up = start("up", "--json")
    assert up.stdout is not None
    up.stdout.readline()
    job_id = ask("submit", "spec.md")[1]["jobs"][0]["job_id"]
    assert ask("watch", job_id, "--no-wait")[0] == 3
    pager = gated / "pager"
    pager.write_text(f"#!/bin/sh\ncat > {gated}/paged\n")
    pager.chmod(0o755)
    with terminal(gated, ["decide", job_id], {"PAGER": str(pager)}) as talk:
        talk.answer("Your answer", "rejec")
        talk.answer("Your answer", "reject")
        talk.answer("What is wrong", "It must not greet.")
        talk.answer("Your name", "ada")
        talk.answer("Send `reject` for gate 1", "y")
        assert "RECORDED." in talk.until("RECORDED")
    paged = (gated / "paged").read_text()
    assert "+hello" in re.sub(r"\x1b\[[0-9;]*m", "", paged)
    assert "\x1b[32m" in paged, "additions are green"
    assert ask("watch", job_id)[1]["state"] == "rejected"
    (answer,) = ask("gates", job_id)[1]["gates"][0]["answers"]
    assert (answer["reviewer"], answer["note"]) == ("ada", "It must not greet.")


class Talk:
    """The other side of a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._seen = ""

    def until(self, text: str, seconds: float = 60.0) -> str:
        """Everything up to a text and what came with it; fails if it does not come."""
        deadline = time.monotonic() + seconds
        while text not in self._seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._descriptor], [], [], left)[0]:
                raise AssertionError(f"{text!r} was not said; instead: {self._seen}")
            self._seen += os.read(self._descriptor, 65536).decode(errors="replace")
        told, self._seen = self._seen, self._seen.partition(text)[2]
        return told

    def answer(self, question: str, words: str) -> None:
        self.until(question)
        os.write(self._descriptor, f"{words}\n".encode())


@contextlib.contextmanager
def terminal(desk: Path, arguments: list[str], more: dict[str, str]) -> Iterator[Talk]:
    """A command at a terminal of its own."""
    environment = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - the test's own
        "HOME": str(desk),
        "THIRDSHIFT_HOME": str(desk / "home"),
        "PYTHONPATH": str(Path(thirdshift.__file__).parents[1]),
        "TERM": "xterm",
        **more,
    }
    child, descriptor = pty.fork()
    if child == 0:
        os.chdir(desk)
        words = [sys.executable, "-m", "thirdshift", *arguments]
        os.execve(sys.executable, words, environment)  # noqa: S606 - the terminal is its own
    try:
        yield Talk(descriptor)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(descriptor)
