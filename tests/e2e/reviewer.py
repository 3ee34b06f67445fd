"""A reviewer before the stock Temporal Web UI: what they click, type and read, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

PATIENCE_MS = 20_000
SHOT = {"width": 1280, "height": 1500}


class Reviewer:
    """One page of one browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked_for: list[str] = []
        """Every address that the page asked for."""
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.asked_for.append(request.url))

    def find(self, waiting_view: str, job_id: str) -> None:
        """Open the view of all that waits, and from there the job's page with its details."""
        self.page.goto(waiting_view)
        self.page.get_by_role("link", name=job_id).first.click()
        self.page.get_by_test_id("user-metadata-tab").click()

    def read(self, *, until: str) -> str:
        """The Current Details, once they say ``until``."""
        details = self.details()
        expect(details).to_contain_text(until, timeout=PATIENCE_MS)
        return details.inner_text()

    def details(self) -> Locator:
        """The Current Details; the UI renders their Markdown in a frame of its own."""
        return self.page.frame_locator("iframe").last.locator("body")

    def refresh(self, *, until: str) -> str:
        """Press the key that the page names, and read."""
        for _ in range(20):
            self.page.keyboard.press("r")
            self.page.wait_for_timeout(500)
            text = self.details().inner_text()
            if until in text:
                return text
        raise AssertionError(f"the details never said {until!r}:\n{text}")

    def offered(self) -> list[str]:
        """The updates that the UI offers; its window is left open."""
        self.page.get_by_role("button", name="More Actions").filter(visible=True).first.click()
        self.page.get_by_role("menuitem", name="Send an Update").filter(visible=True).first.click()
        self._form().get_by_test_id("update-select-button").click()
        options = self._form().get_by_role("option")
        expect(options.first).to_be_visible()
        return [option.split("\n")[0].strip() for option in options.all_inner_texts()]

    def send(self, update: str, data: str, before: Callable[[], None] = lambda: None) -> None:
        """Choose an update, type its data, submit; ``before`` is done while all is typed and nothing is submitted."""
        self.offered()
        self._form().get_by_role("option").filter(has_text=re.compile(rf"^\s*{re.escape(update)}")).first.click()
        self._form().locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")  # the window keeps what was typed into it before
        self.page.keyboard.insert_text(data)
        before()
        self._form().get_by_test_id("confirm-modal-button").click()

    def is_refused(self) -> str:
        """What the window says when the update was not taken; closes it."""
        said = self._form().get_by_text("NOT RECORDED.").first
        expect(said).to_be_visible()
        text = said.inner_text()
        self._form().get_by_test_id("cancel-modal-button").click()
        return text

    def answer(self, block: str, **changes: object) -> None:
        """Send ``decide`` with the answer block of the details, filled in."""
        self.send("decide", json.dumps({**json.loads(block), **changes}, indent=2))

    def photograph(self, path: Path) -> None:
        """Keep what the reviewer sees."""
        self.page.set_viewport_size({"width": SHOT["width"], "height": SHOT["height"]})
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=path)

    def _form(self) -> Locator:
        return self.page.locator("dialog[open]")


def answer_block(details: str) -> str:
    """The JSON that a reviewer copies out of the details."""
    found = re.search(r'\{\s*"gate":.*?\}', details, re.DOTALL)
    assert found, details
    return found.group()
