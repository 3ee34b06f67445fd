"""``tell_morning``: the report of a night that has ended, written where ops find it and sent to whoever is told."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from temporalio import activity

from activities.beating import whole
from thirdshift.core.mornings import Morning
from thirdshift.core.notices import NoticeNotSent, Notifier
from thirdshift.core.text import one_line
from thirdshift.night_signatures import CloseNight
from thirdshift.reports.morning_json import morning_document
from thirdshift.reports.morning_page import render_morning_page
from thirdshift.reports.morning_text import morning_notice

_SENT = "sent"


class MorningActivities:
    """Runs where notices are sent from. Nothing that goes wrong with a notice is an error of the night."""

    def __init__(
        self,
        morning_of: Callable[[str, datetime], Morning],
        clock: Callable[[], datetime],
        notifier: Notifier | None,
        directory: str,
    ) -> None:
        """``morning_of``: the report of a night, as known at a time. ``directory`` is where pages are written."""
        self._morning_of = morning_of
        self._clock = clock
        self._notifier = notifier
        self._directory = Path(directory)

    @activity.defn(name="tell_morning")
    async def tell_morning(self, given: CloseNight) -> None:
        """Write the page and the JSON beside it, then send the notice. A retry sends no second one."""
        morning = await asyncio.to_thread(self._morning_of, given.night_id, self._clock())
        place = self._directory / file_name(morning)
        page = await whole(self._write, morning, place)
        if self._notifier is None or _was_sent(place, morning):
            return
        said = await whole(self._send, self._notifier, morning, page)
        if page:
            await whole(self._note, morning, place, said)

    def _write(self, morning: Morning, place: Path) -> str:
        """The page's path; empty where it cannot be written. The notice is sent anyway."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            page = _put(place.with_suffix(".html"), render_morning_page(morning))
            if not _was_sent(place, morning):
                _put(place.with_suffix(".json"), _document(morning, None))
        except OSError as error:
            activity.logger.warning("the morning report of %s is not written: %s", morning.record.row.night.id, error)
            return ""
        return str(page)

    def _send(self, notifier: Notifier, morning: Morning, page: str) -> str:
        try:
            notifier.send(morning_notice(morning, page), ())
        except NoticeNotSent as error:
            said = f"not sent: {error}"
        except Exception as error:  # noqa: BLE001 - whatever a service does, the night has ended and is in the books
            said = f"not sent: {type(error).__name__}"
        else:
            return _SENT
        activity.logger.warning("the notice of %s: %s", morning.record.row.night.id, said)
        return said

    def _note(self, morning: Morning, place: Path, said: str) -> None:
        """Say in the JSON whether people were told."""
        try:
            _put(place.with_suffix(".json"), _document(morning, said))
        except OSError as error:
            activity.logger.warning("what became of the notice is not written: %s", error)


def file_name(morning: Morning) -> str:
    """``nightly-2026-11-21``; of a night that was started by hand, with its time."""
    return re.sub(r"[^A-Za-z0-9-]", "", re.sub(r"[|#]", "-", morning.record.row.night.id))


def _document(morning: Morning, notice: str | None) -> str:
    """The report, and whether people were told of it; null where nobody is to be."""
    said = None if notice is None else one_line(notice, 300)
    return json.dumps({**morning_document(morning), "notice": said}, ensure_ascii=False, indent=1) + "\n"


def _was_sent(place: Path, morning: Morning) -> bool:
    """Whether the notice of this very end of the night has been sent. A night may be opened again, and end again."""
    try:
        known = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    ended = morning.record.closed_at
    same = isinstance(known, dict) and known.get("night", {}).get("closed_at") == (ended.isoformat() if ended else None)
    return bool(same and known.get("notice") == _SENT)


def _put(path: Path, text: str) -> Path:
    """Written beside it and moved into place, so that nobody reads half of it; for its owner alone."""
    staged = path.with_name(f".{path.name}.new")
    staged.unlink(missing_ok=True)
    staged.touch(mode=0o600)
    staged.write_text(text, encoding="utf-8", errors="replace")
    return staged.replace(path)
