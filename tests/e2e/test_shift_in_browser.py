"""A shift's Schedule in the stock Temporal Web UI: seen, paused, triggered and resumed there by ops.

Skipped where there is no Chromium. THIRDSHIFT_SCREENSHOTS names a directory to keep pictures in.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import thirdshift

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; apt-get install chromium"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

SERVER = """
import asyncio, sys
from pathlib import Path
from thirdshift.adapters.engine.access import open_engine
from thirdshift.core.engine import EngineTarget
async def main():
    async with open_engine(EngineTarget(), Path(sys.argv[1]), may_start=True, ports=(0, 0)) as engine:
        print(engine.ui_url, flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""
SHIFT = """\
specs = ["specs/**/*.md"]
window = "22:00-06:00"
tz = "Europe/Berlin"
budget_usd = "40"
concurrency = 4
weekdays = "mon-fri"
holidays = ["2026-12-24", "2026-12-25"]
jitter = "2m"
"""


class Office:
    """A directory with a shift, the embedded server that it is applied to, and commands beside it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251 - the test's own
            "HOME": str(directory),
            "USER": "ada",
            "THIRDSHIFT_HOME": str(directory / "home"),
            "PYTHONPATH": str(Path(thirdshift.__file__).parents[1]),
        }
        (directory / "shifts").mkdir()
        (directory / "shifts" / "nightly.toml").write_text(SHIFT)
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(directory / "home")],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        self.ui_url = self._server.stdout.readline().strip()

    def ask(self, *arguments: str) -> dict[str, Any]:
        """What a command answers."""
        done = subprocess.run(
            [sys.executable, "-m", "thirdshift", *arguments, "--json"],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def close(self) -> None:
        self._server.communicate()


@pytest.fixture
def office() -> Iterator[Office]:
    # A short path of its own, because it is in the picture.
    with TemporaryDirectory(prefix="office-") as directory:
        made = Office(Path(directory))
        yield made
        made.close()


@pytest.fixture
def page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser.new_page(viewport={"width": 1280, "height": 1100})
        browser.close()


def test_ops_see_pause_trigger_and_resume_a_shift_in_the_web_ui_and_the_command_line_says_the_same(
    office: Office, page: Any
) -> None:
    expect = sync_api.expect
    assert office.ask("shift", "apply")["shifts"][0]["what"] == "created"
    page.goto(f"{office.ui_url}/namespaces/default/schedules")
    page.get_by_role("link", name="shift-nightly").first.click()
    main = page.locator("main")
    for told in ("At 22:00 on weekdays", "Europe/Berlin", "10 minutes", "Skip", "days 24-25 of December in 2026"):
        expect(main).to_contain_text(told)
    assert page.url == office.ask("shift", "show", "nightly")["ui_url"]

    main.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_placeholder("Enter a reason for pausing the schedule").fill("release week, says bob")
    page.get_by_test_id("confirm-modal-button").filter(visible=True, has_text="Pause").click()
    expect(main.get_by_role("button", name="Unpause", exact=True)).to_be_visible()
    paused = office.ask("shift", "show", "nightly")
    assert paused["paused"]
    assert "release week, says bob" in paused["note"]
    page.reload()
    expect(main).to_contain_text("release week, says bob")
    if directory := os.environ.get("THIRDSHIFT_SCREENSHOTS"):  # noqa: TID251 - the test's own
        page.screenshot(path=Path(directory) / "shift-schedule.png")

    main.get_by_role("button", name="Schedule Actions").click()
    page.get_by_role("menuitem", name="Trigger").filter(visible=True).click()
    page.get_by_test_id("confirm-modal-button").filter(visible=True, has_text="Trigger").click()
    expect(main).to_contain_text("1 Recent Run")
    running = office.ask("shift", "show", "nightly")["running"]
    assert [one["night"][:9] for one in running] == ["nightly|2"], "a paused shift can be begun by hand"

    main.get_by_role("button", name="Unpause", exact=True).click()
    page.get_by_placeholder("Enter a reason for unpausing the schedule").fill("released")
    page.get_by_test_id("confirm-modal-button").filter(visible=True, has_text="Unpause").click()
    expect(main.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    resumed = office.ask("shift", "show", "nightly")
    assert not resumed["paused"]
    assert "released" in resumed["note"]
