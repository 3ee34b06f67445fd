"""From the books to a morning report, and from open gates to the pages where they are answered."""

from __future__ import annotations

from datetime import datetime

from thirdshift.bootstrap.reporting import nothing_collected
from thirdshift.core.gate_book import GateRecord
from thirdshift.core.morning_facts import MorningBook
from thirdshift.core.mornings import LinkOf, Morning, tell_night
from thirdshift.core.ui_links import workflow_link
from thirdshift.settings import Settings


def morning_of(books: MorningBook, night_id: str, now: datetime, link_of: LinkOf) -> Morning:
    """The report of a night. Blocks; KeyError if there is no such night."""
    with nothing_collected():
        return tell_night(books.night_facts(night_id, now), now, link_of)


def gate_links(ui_url: str, namespace: str) -> LinkOf:
    """The newest run of the workflow that waits; no link where no Web UI is known."""

    def link_of(gate: GateRecord) -> str:
        return workflow_link(ui_url, namespace, gate.owner_id) if ui_url else ""

    return link_of


def running_ui(settings: Settings) -> str:
    """Where the Web UI of the meant server is; empty where that is not known, or it does not run."""
    from thirdshift.adapters.engine.access import find_running, guessed_ui

    target = settings.engine
    if target.kind == "embedded":
        state = find_running(settings.home)
        return state.ui_url if state else ""
    return target.ui_url or (guessed_ui(target.address) if target.address else "")
