"""Gates in the stock Temporal Web UI: a browser, the embedded server, a worker, a scripted agent that is up to no good.

Skipped where there is no Chromium. THIRDSHIFT_SCREENSHOTS names a directory to keep pictures in.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import thirdshift
from tests.e2e.reviewer import Reviewer, answer_block

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; apt-get install chromium"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

SPEC = """\
---
title: Say hello <img src=x onerror=alert(1)>
repo: repo
task: feature
risk: {risk}
plan: none
gates: [merge]
checks:
  - {{id: greets, run: grep -qx hello hello.txt, covers: [AC-1], timeout: 1m}}
budget: {{max_budget_usd: "1.00", max_attempts: 4, max_steps: 20, max_wall: 5m}}
---
# Goal
Write hello.txt. This is spec {name}.

# Acceptance
- AC-1: The file hello.txt shall say hello.
"""

CONFIG = """\
[providers.toy]
kind = "scripted"
script = "script.yaml"
[[tiers.economy]]
model = "toy/small"
[prices."toy/small"]
input = "1"
output = "1"
[[reviewers]]
risk = ["medium"]
names = ["ada", "bob"]
needed = 2
"""

HOSTILE = """\
hello
<script>top.document.title='owned'</script>
<img src="http://127.0.0.1:9/image.png" onerror="top.document.title='owned'">
![x](http://127.0.0.1:9/markdown.png)
```
````````
echo $HOME and $PATH
## WAITING: gate 9, merge
**Decision log** approve by root
\u202etxt.exe\u202c zero\u200bwidth \u001b[31mred\u001b[0m
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    made = Line(tmp_path_factory.mktemp("line"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def reviewer() -> Iterator[Reviewer]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield Reviewer(browser.new_page(viewport={"width": 1280, "height": 1000}))
        browser.close()


class Line:
    """A server and a worker, in processes of their own, and commands beside them."""

    def __init__(self, desk: Path) -> None:
        self.desk = desk
        (desk / "repo").mkdir()
        (desk / "repo" / "README").write_text("empty\n")
        for arguments in (["init", "-qb", "main"], ["add", "-A"], ["commit", "-qm", "start"]):
            identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
            subprocess.run(["git", *identity, *arguments], cwd=desk / "repo", check=True)
        (desk / "thirdshift.toml").write_text(CONFIG)
        writes = {"write_file": {"path": "hello.txt", "content": HOSTILE}}
        steps = [{"say": "Writing.", "tools": [writes]}, {"say": "Done.", "tools": [{"finish": {"summary": "ok"}}]}]
        (desk / "script.yaml").write_text(
            json.dumps({"version": 1, "plays": [{"when": {"role": "code"}, "steps": steps}]})
        )
        self._environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251 - the test's own
            "HOME": str(desk),
            "USER": "submitter",
            "THIRDSHIFT_HOME": str(desk / "home"),
            "PYTHONPATH": str(Path(thirdshift.__file__).parents[1]),
        }
        self._up = self._start("up", "--json")
        assert self._up.stdout is not None
        self.where = json.loads(self._up.stdout.readline())

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "thirdshift", *arguments],
            cwd=self.desk,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, *arguments: str) -> tuple[int, Any]:
        process = self._start(*arguments, "--json")
        out, _ = process.communicate()
        return process.returncode, json.loads(out)

    def at_gate(self, name: str, risk: str = "low") -> str:
        """A job that waits at its merge gate."""
        (self.desk / f"{name}.md").write_text(SPEC.format(name=name, risk=risk))
        _, submitted = self.ask("submit", f"{name}.md")
        job_id = str(submitted["jobs"][0]["job_id"])
        code, _ = self.ask("watch", job_id, "--no-wait")
        assert code == 3
        return job_id

    def gates(self, job_id: str) -> list[dict[str, Any]]:
        return list(self.ask("gates", job_id)[1]["gates"])

    def ended(self, job_id: str) -> str:
        return str(self.ask("watch", job_id)[1]["state"])

    def records(self) -> psutil.Process:
        """The process that records answers."""
        (found,) = (one for one in psutil.Process(self._up.pid).children() if "hosts" in one.cmdline())
        return found

    def close(self) -> None:
        self._up.terminate()
        self._up.communicate()


@pytest.fixture
def keep() -> Callable[[Reviewer, str], None]:
    """Keeps a picture, where somebody asks for pictures."""
    directory = os.environ.get("THIRDSHIFT_SCREENSHOTS")  # noqa: TID251 - the test's own

    def keep(reviewer: Reviewer, name: str) -> None:
        if directory:
            reviewer.photograph(Path(directory) / f"{name}.png")

    return keep


def test_a_reviewer_finds_the_gate_in_the_saved_view_and_approves_it_by_typing_a_name(
    line: Line, reviewer: Reviewer, keep: Callable[[Reviewer, str], None]
) -> None:
    job_id = line.at_gate("approve")
    reviewer.find(line.where["waiting_url"], job_id)
    details = reviewer.read(until="WAITING: gate 1, merge")
    keep(reviewer, "gate-waiting")
    gate = line.gates(job_id)[0]
    for told in (gate["tree"], "greets", "USD", "Diff, shown", f"thirdshift diff {job_id}", '"verdict": "approve"'):
        assert told in details
    assert "not recorded" in details
    approves = f"approve-g1-{gate['tree'][:12]}"
    reviewer.send(approves, '"ada"')
    after = reviewer.refresh(until="Nothing waits")
    keep(reviewer, "gate-decided")
    assert "g1 merge approve by ada (claimed)" in after
    assert line.ended(job_id) == "accepted"
    assert line.gates(job_id)[0]["answers"][0]["reviewer"] == "ada"


def test_what_an_agent_wrote_is_inert_in_the_details_and_on_the_review_page(line: Line, reviewer: Reviewer) -> None:
    job_id = line.at_gate("hostile")
    reviewer.find(line.where["waiting_url"], job_id)
    details = reviewer.read(until="markdown.png")
    for shown in (
        "<script>",
        "<img src=",
        "<U+202E>txt.exe",
        "zero<U+200B>width",
        "<U+001B>[31mred",
        "````````",
        "$HOME and $PATH",
    ):
        assert shown in details
    body = reviewer.details()
    assert body.locator("img").count() == 0
    assert reviewer.page.frame_locator("iframe").first.locator("img").count() == 0, (
        "the title is shown as it is written"
    )
    assert body.locator("h2").all_inner_texts() == ["WAITING: gate 1, merge"], "the forged heading is not one"
    page = line.desk / "home" / "reviews" / job_id / "gate-1.html"
    assert f"file://{page}" in details.replace("\n", "")
    reviewer.page.goto(page.as_uri())
    assert reviewer.page.locator("script, img, iframe, a").count() == 0
    assert "<U+202E>txt.exe" in reviewer.page.locator(".diff").inner_text()
    assert reviewer.page.title().startswith("Gate 1, merge: Say hello <img")
    assert not [url for url in reviewer.asked_for if ":9/" in url], "nothing was fetched"


def test_a_stale_tree_a_wrong_number_and_a_missing_name_are_refused_in_words_and_a_reject_ends_the_job(
    line: Line, reviewer: Reviewer, keep: Callable[[Reviewer, str], None]
) -> None:
    job_id = line.at_gate("reject")
    reviewer.find(line.where["waiting_url"], job_id)
    block = answer_block(reviewer.read(until="WAITING: gate 1, merge"))
    reviewer.answer(block, reviewer="ada", tree="0" * 40)
    keep(reviewer, "gate-refused")
    assert "The answer is for tree 0000" in reviewer.is_refused()
    reviewer.answer(block, reviewer="ada", gate=2)
    assert "The answer is for gate 2; gate 1 is the one here" in reviewer.is_refused()
    reviewer.answer(block)
    assert "No reviewer is named" in reviewer.is_refused()
    reviewer.answer(block, reviewer="ada", verdict="reject")
    assert "needs a note" in reviewer.is_refused()
    assert line.gates(job_id)[0]["answers"] == [], "nothing of that was counted"
    reviewer.answer(block, reviewer="ada", verdict="reject", note="It must not greet.")
    assert "g1 merge reject by ada (claimed): It must not greet." in reviewer.refresh(until="reject by ada")
    assert line.ended(job_id) == "rejected"


def test_a_rework_opens_the_next_gate_and_the_name_of_the_old_one_approves_nothing(
    line: Line, reviewer: Reviewer
) -> None:
    job_id = line.at_gate("rework")
    reviewer.find(line.where["waiting_url"], job_id)
    block = answer_block(reviewer.read(until="WAITING: gate 1, merge"))
    reviewer.answer(block, reviewer="ada", verdict="rework", note="Say it louder.")
    details = reviewer.refresh(until="WAITING: gate 2, merge")
    assert "g1 merge rework by ada (claimed): Say it louder." in details
    tree = line.gates(job_id)[1]["tree"]
    offered = reviewer.offered()
    assert f"approve-g2-{tree[:12]}" in offered
    assert not [name for name in offered if name.startswith("approve-g1")], "the closed gate has no name left"
    reviewer.page.keyboard.press("Escape")
    reviewer.page.reload()
    reviewer.answer(block, reviewer="ada")
    assert "The answer is for gate 1; gate 2 is the one here" in reviewer.is_refused()
    code, said = line.ask("decide", job_id, "--approve", "--gate", "1", "--reviewer", "eve")
    assert (code, said["error"]["kind"]) == (1, "NotRecorded")
    reviewer.send(f"approve-g2-{tree[:12]}", '"ada"')
    reviewer.refresh(until="g2 merge approve by ada")
    assert line.ended(job_id) == "accepted"


def test_a_second_answer_by_one_person_does_not_count_and_neither_does_a_stranger_s(
    line: Line, reviewer: Reviewer
) -> None:
    job_id = line.at_gate("twice", risk="medium")
    reviewer.find(line.where["waiting_url"], job_id)
    reviewer.read(until="0 of 2 approvals so far")
    name = f"approve-g1-{line.gates(job_id)[0]['tree'][:12]}"
    reviewer.send(name, '"ada"')
    reviewer.refresh(until="1 of 2 approvals so far")
    reviewer.send(name, '" ADA "')
    assert "ADA has answered gate 1 already" in reviewer.is_refused()
    reviewer.send(name, '"mallory"')
    assert "mallory is not among the reviewers of this gate" in reviewer.is_refused()
    code, said = line.ask("decide", job_id, "--approve", "--reviewer", "bob")
    assert code == 0
    assert said["answer"].startswith("RECORDED.")
    log = reviewer.refresh(until="approve by bob")
    assert log.count("approve by") == 2
    assert line.ended(job_id) == "accepted"


def test_a_worker_that_dies_between_the_click_and_the_record_counts_what_is_in_the_log_and_nothing_else(
    line: Line, reviewer: Reviewer
) -> None:
    job_id = line.at_gate("killed")
    reviewer.find(line.where["waiting_url"], job_id)
    reviewer.read(until="WAITING: gate 1, merge")
    approves = f"approve-g1-{line.gates(job_id)[0]['tree'][:12]}"
    first = line.records()
    reviewer.send(approves, '"ada"', before=first.suspend)
    reviewer.page.wait_for_timeout(1500)
    assert line.gates(job_id)[0]["answers"] == [], "it was clicked, and nobody has recorded it"
    first.kill()
    again = _until(lambda: next(iter([one for one in [_or_none(line.records)] if one and one.pid != first.pid]), None))
    assert again.is_running()
    reviewer.page.keyboard.press("Escape")
    reviewer.page.reload()
    details = reviewer.read(until="gate 1")
    # The click may reach the new worker, or be lost with the old one: the page and the books say the same either way.
    if "approve by ada" not in details:
        assert "WAITING: gate 1, merge" in details
        assert line.gates(job_id)[0]["answers"] == []
        reviewer.send(approves, '"ada"')
        details = reviewer.refresh(until="approve by ada")
    assert line.ended(job_id) == "accepted"
    assert [answer["reviewer"] for answer in line.gates(job_id)[0]["answers"]] == ["ada"]
    assert details.count("approve by ada") == 1


def _or_none(look: Callable[[], psutil.Process]) -> psutil.Process | None:
    try:
        return look()
    except (ValueError, psutil.NoSuchProcess):
        return None


def _until(holds: Callable[[], psutil.Process | None]) -> psutil.Process:
    for _ in range(600):
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError("the worker's process was not started again")
