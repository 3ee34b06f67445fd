import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.live import Live

from thirdshift.cli.following import follow
from thirdshift.cli.progress import LiveProgress, PlainProgress
from thirdshift.core.ledger import JournalEntry

BEGAN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def entry(seq: int, kind: str, text: str, **data: str | int | bool | None) -> JournalEntry:
    at = BEGAN + timedelta(seconds=seq - 1)
    money = {"cost_nano": 12_345_600 * (seq - 1), "budget_nano": 500_000_000}
    return JournalEntry(seq=seq, job_id="job-a", at=at, kind=kind, text=text, data={**money, **data})


STORY = (
    entry(1, "job", "Round half up (bugfix, risk low, budget $0.5000)"),
    entry(2, "attempt", "attempt 1 on economy demo/sparrow (first)", tier="economy", model="demo/sparrow", attempt=1),
    entry(3, "step", "step 1: 1,200 in (0 cached), 80 out, $0.0002", step=1, attempt=1),
    entry(4, "verdict", "1 of 2 checks pass; failed: cents", passed=False, checks_passed="unit", checks_failed="cents"),
    entry(5, "stop", "budget: the next call does not fit", stop_reason="budget"),
)


class Journal:
    """A job's journal that grows while it is read."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []

    def journal(self, job_id: str, after_seq: int) -> Sequence[JournalEntry]:
        return tuple(e for e in self.entries if e.job_id == job_id and e.seq > after_seq)


def test_plain_lines_tell_time_event_and_money() -> None:
    lines: list[str] = []
    progress = PlainProgress(lines.append)
    for line in STORY:
        progress.show(line)
    progress.close()
    assert lines == [
        "    0.0s  Round half up (bugfix, risk low, budget $0.5000)",
        "    1.0s  attempt 1 on economy demo/sparrow (first)",
        "    2.0s    step 1: 1,200 in (0 cached), 80 out, $0.0002   [$0.0247 of $0.50]",
        "    3.0s  1 of 2 checks pass; failed: cents",
        "    4.0s  budget: the next call does not fit   [$0.0494 of $0.50]",
    ]


def test_a_terminal_has_a_standing_line_with_tier_attempt_step_money_and_checks() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=200, color_system=None)
    progress = LiveProgress(Live(console=console, auto_refresh=False))
    for line in STORY[:4]:
        progress.show(line)
    progress.refresh()
    standing = screen.getvalue()
    progress.close()
    assert "economy  ·  demo/sparrow  ·  attempt 1  ·  step 1  ·  $0.0370 of $0.50  ·  checks 1/2" in standing
    assert "failed: cents" in standing


def test_hostile_text_cannot_draw_on_the_terminal() -> None:
    lines: list[str] = []
    PlainProgress(lines.append).show(entry(1, "stop", "evil \x1b[2J\u202e\nsecond line"))
    assert "\x1b" not in lines[0]
    assert "\u202e" not in lines[0]
    assert "\n" not in lines[0]


async def test_everything_written_before_the_end_is_shown_once_and_in_order() -> None:
    journal, shown = Journal(), list[int]()
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    following = asyncio.create_task(follow(journal, "job-a", lambda e: shown.append(e.seq), ended))
    for line in STORY:
        journal.entries.append(line)
        await asyncio.sleep(0)
    ended.set_result("terminated")
    assert await following == "terminated"
    assert shown == [1, 2, 3, 4, 5]
