"""The morning page in a browser, from books on disk: on a desk, on a phone, in the dark, and with hostile words.

Skipped where there is no Chromium. THIRDSHIFT_SCREENSHOTS names a directory to keep pictures in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.synthetic_night import make_month
from tests.reports.test_morning_page import hostile
from thirdshift.adapters.ledger import open_ledger
from thirdshift.bootstrap.mornings import gate_links, morning_of
from thirdshift.core.mornings import tell_night
from thirdshift.reports.morning_page import render_morning_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; apt-get install chromium"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("morning")
    with closing(open_ledger(f"sqlite:///{directory / 'ledger.db'}?synchronous=normal")) as ledger:
        night_id = make_month(ledger)
        now = ledger.night(night_id).row.night.closes_at + timedelta(minutes=58)
        told = morning_of(ledger, night_id, now, gate_links("http://127.0.0.1:8233", "default"))
    file = directory / "morning.html"
    file.write_text(render_morning_page(told), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM)
        yield started
        started.close()


def open_page(browser: Any, file: Path, *, width: int = 1200, height: int = 900, scheme: str = "light") -> Any:
    """The page, with everything that it asked for or complained of in ``page.seen``."""
    page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
    page.seen = []
    page.on("console", lambda message: page.seen.append(message.text))
    page.on("request", lambda request: page.seen.append(request.url))
    page.goto(file.as_uri())
    return page


def picture(page: Any, name: str) -> None:
    if kept := os.environ.get("THIRDSHIFT_SCREENSHOTS"):  # noqa: TID251 - the test's own
        page.set_viewport_size({"width": page.viewport_size["width"], "height": 1300})
        page.screenshot(path=str(Path(kept) / name))


@pytest.mark.parametrize(("width", "name"), [(1200, "morning.png"), (390, "morning-phone.png")])
def test_it_opens_offline_and_fits_the_screen(browser: Any, page_file: Path, width: int, name: str) -> None:
    page = open_page(browser, page_file, width=width)
    assert page.seen == [page_file.as_uri()], "nothing else is fetched, and nothing is complained of"
    assert page.evaluate("document.documentElement.scrollWidth") == width
    picture(page, name)


def test_what_to_decide_is_on_the_first_screen(browser: Any, page_file: Path) -> None:
    page = open_page(browser, page_file)
    items = page.locator(".decide li")
    assert items.count() == 8
    box = items.last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900
    assert page.locator(".decide li").first.locator("code").inner_text().startswith("thirdshift decide ")
    assert page.get_by_role("link", name="open in the Web UI").count() == 3


def test_a_command_is_selected_whole_by_one_click(browser: Any, page_file: Path) -> None:
    page = open_page(browser, page_file)
    command = page.locator(".decide code").first
    command.click()
    assert page.evaluate("getSelection().toString()").strip() == command.inner_text().strip()


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_by_day_and_in_the_dark(browser: Any, page_file: Path, scheme: str) -> None:
    page = open_page(browser, page_file, scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (_luminance(ground) > 0.5) is (scheme == "light")
    behind = _luminance(page.evaluate("getComputedStyle(document.querySelector('section.first')).backgroundColor"))
    for selector in (".decide b", ".decide .soft", ".decide .kind", ".decide a"):
        front = _luminance(page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).color"))
        contrast = (max(front, behind) + 0.05) / (min(front, behind) + 0.05)
        assert contrast >= 4.5, (selector, contrast)
    picture(page, f"morning-{scheme}.png")


def test_on_paper_it_is_light(browser: Any, page_file: Path) -> None:
    page = open_page(browser, page_file, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert _luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) > 0.9
    assert _luminance(page.evaluate("getComputedStyle(document.body).color")) < 0.1


def test_hostile_words_do_nothing(browser: Any, tmp_path: Path) -> None:
    facts = hostile()
    file = tmp_path / "hostile.html"
    file.write_text(render_morning_page(tell_night(facts, facts.record.row.night.closes_at)), encoding="utf-8")
    page = open_page(browser, file)
    assert page.seen == [file.as_uri()]
    assert page.locator("script, img, iframe").count() == 0
    assert "<script>alert(1)</script>" in page.inner_text("body")
