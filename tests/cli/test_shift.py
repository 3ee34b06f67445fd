"""Shifts from the command line, against the development server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.adapters.ledger.books import job_row
from tests.adapters.ledger.nights import night_row
from tests.cli.conftest import Shell
from tests.cli.desk import SPEC
from thirdshift.adapters.engine.binary import temporal_binary
from thirdshift.bootstrap.books import now, open_books
from thirdshift.core.night_book import QueuedSpec
from thirdshift.settings import load_settings

CREATE = ("--specs", "specs/**/*.md", "--window", "22:00-06:00", "--tz", "Europe/Berlin", "--budget-usd", "40")
FILE = """\
specs = ["specs/**/*.md"]
window = "22:00-06:00"
tz = "Europe/Berlin"
budget_usd = "40"
weekdays = "mon-fri"
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of this module's own."""
    with asyncio.Runner() as runner:
        server = runner.run(WorkflowEnvironment.start_local(dev_server_existing_path=str(temporal_binary())))
        yield server.client.service_client.config.target_host
        runner.run(server.shutdown())


@pytest.fixture
def factory(shell: Shell, address: str) -> Iterator[Shell]:
    """A directory with a spec and a configuration; the shifts that a test leaves are deleted."""
    (shell.directory / "thirdshift.toml").write_text(f'[temporal]\naddress = "{address}"\nui_url = "http://ui.test"\n')
    (shell.directory / "specs" / "more").mkdir(parents=True)
    (shell.directory / "specs" / "more" / "one.md").write_text(SPEC)
    yield shell
    for row in shell.json("shift", "list")[1]["shifts"]:
        assert shell("shift", "delete", row["shift"])[0] == 0


def test_a_shift_is_created_shown_listed_and_deleted(factory: Shell) -> None:
    code, made = factory.json("shift", "create", "nightly", *CREATE, "--concurrency", "4", "--weekdays", "mon-fri")
    assert (code, made["what"], made["specs_found"], made["budget_usd"]) == (0, "created", 1, "40")
    assert made["ui_url"] == "http://ui.test/namespaces/default/schedules/shift-nightly"
    code, shown = factory.json("shift", "show", "nightly")
    assert (code, shown["concurrency"], shown["paused"], shown["window"]) == (0, 4, False, "22:00-06:00")
    assert [night["opens_local"][11:16] for night in shown["next_nights"]] == ["22:00"] * 5
    code, page, _ = factory("shift", "show", "nightly")
    assert code == 0
    for told in (
        "shift nightly: on",
        "22:00-06:00 Europe/Berlin, mon-fri",
        "at most 40 USD a night, 4 jobs at once",
        "UTC",
    ):
        assert told in page
    code, lines, _ = factory("shift", "list")
    assert (code, len(lines.splitlines())) == (0, 1)
    assert lines.startswith("nightly  on  22:00-06:00 Europe/Berlin  mon-fri  40 USD  next ")
    assert factory("shift", "delete", "nightly")[:2] == (0, "deleted: shift nightly\n")
    code, refused = factory.json("shift", "show", "nightly")
    assert (code, refused["error"]["message"]) == (64, "there is no shift `nightly`; there is none yet")


def test_created_again_with_the_same_plan_it_is_there_already_and_with_another_it_is_refused(factory: Shell) -> None:
    assert factory("shift", "create", "nightly", *CREATE)[0] == 0
    code, again = factory.json("shift", "create", "nightly", *CREATE)
    assert (code, again["what"], again["changes"]) == (0, "unchanged", [])
    code, _, told = factory("shift", "create", "nightly", *CREATE, "--concurrency", "3", "--drain", "10m")
    assert code == 64
    for words in ("another plan", "concurrency: 1 -> 3", "drain: 5m -> 10m", "--replace"):
        assert words in told
    code, changed = factory.json("shift", "create", "nightly", *CREATE, "--concurrency", "3", "--replace")
    assert (code, changed["what"], changed["changes"]) == (0, "changed", ["concurrency: 1 -> 3"])
    assert factory.json("shift", "show", "nightly")[1]["concurrency"] == 3


def test_paused_it_says_by_whom_and_why_and_stays_paused_over_a_change(factory: Shell) -> None:
    assert factory("shift", "create", "nightly", *CREATE)[0] == 0
    code, paused = factory.json("shift", "pause", "nightly", "--who", "ada", "--why", "release week")
    assert (code, paused["changed"], paused["note"]) == (0, True, "paused by ada: release week")
    assert factory.json("shift", "pause", "nightly", "--who", "bob")[1]["note"] == "paused by ada: release week"
    assert factory("shift", "create", "nightly", *CREATE, "--jitter", "2m", "--replace")[0] == 0
    assert "shift nightly: PAUSED: paused by ada: release week" in factory("shift", "show", "nightly")[1]
    code, resumed = factory.json("shift", "resume", "nightly", "--who", "bob")
    assert (code, resumed["paused"], resumed["note"]) == (0, False, "resumed by bob")


def test_a_trigger_begins_a_night_by_hand_and_not_a_second_one_beside_it(factory: Shell) -> None:
    far = f"{now() + timedelta(hours=12):%H:00}-{now() + timedelta(hours=14):%H:00}"
    assert factory("shift", "create", "by-hand", *CREATE, "--window", far, "--tz", "UTC")[0] == 0
    before = night_row(shift="by-hand")
    before = before.model_copy(update={"night": before.night.model_copy(update={"day": now().date()})})
    with closing(open_books(load_settings(factory.directory / "thirdshift.toml", factory.directory))) as ledger:
        ledger.open_night(before)
    code, told, remarks = factory("shift", "trigger", "by-hand", "--json")
    begun = json.loads(told)
    assert code == 0
    assert "a night by hand has a budget of its own, here 40 USD; of this day it is night 2" in remarks
    assert begun["workflow_id"].startswith("shift-by-hand-2")
    assert begun["night"].startswith("by-hand|2")
    assert begun["opens_at"] < begun["closes_at"]
    shown = factory.json("shift", "show", "by-hand")[1]
    assert [one["workflow_id"] for one in shown["running"]] == [begun["workflow_id"]]
    code, refused = factory.json("shift", "trigger", "by-hand")
    assert (code, refused["error"]["kind"]) == (1, "NotRecorded")
    assert begun["workflow_id"] in refused["error"]["message"]
    assert f"goes on to its end: {begun['workflow_id']}" in factory("shift", "delete", "by-hand")[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--tz", "Berlin"), "--tz: `Berlin` is no time zone; did you mean `Europe/Berlin`?"),
        (("--window", "22-6"), "--window: `22-6` is no window; write two times of the day, like 22:00-06:00"),
        (("--budget-usd", "0"), "--budget-usd: must be more than 0"),
        (("--budget-usd", "1e400"), "'1e400' is more than the books have room for"),
        (("--budget-usd", "40 EUR"), "--budget-usd: '40 EUR' is not an amount of US dollars"),
        (("--deliver", "brunch"), "--deliver: `brunch` is not known; did you mean `branch`?"),
        (("--weekdays", "mon-fry"), "--weekdays: `mon-fry` is no weekday"),
        (("--holidays", "24.12.2026"), "--holidays: `24.12.2026` is no date like 2026-12-24, and no .ics file"),
        (("--holidays", "none.ics"), "no such file; name an .ics file"),
        (("--catch-up", "3d"), "--catch-up: `3d` is no duration"),
        (("--catch-up", "5s"), "--catch-up: `5s` must be from 10s to 24h"),
        (("--drain", "9h"), "--drain: 9h must be shorter than the window, which is 8h long"),
        (("--concurrency", "0"), "--concurrency: `0` must be a whole number from 1 to 1000"),
        (("--specs", "/etc/*.md"), "--specs: `/etc/*.md` is no path below the shift's root"),
        (("--root", "nowhere"), "--root: no such directory"),
        (("--specs", "spec/*.md", "--root", "specs"), "no file below"),
    ],
)
def test_what_cannot_be_is_refused_with_what_which_and_the_remedy(
    factory: Shell, options: tuple[str, ...], told: str
) -> None:
    given = dict(zip(CREATE[::2], CREATE[1::2], strict=True)) | dict(zip(options[::2], options[1::2], strict=True))
    code, _, err = factory("shift", "create", "nightly", *(word for pair in given.items() for word in pair))
    assert code == 64
    assert told in err
    assert factory.json("shift", "list")[1]["shifts"] == []


def test_a_glob_that_the_shell_wrote_out_is_told_as_one(factory: Shell) -> None:
    code, _, err = factory("shift", "create", "nightly", *CREATE, "specs/a.md", "specs/b.md")
    assert code == 64
    assert "specs/a.md, specs/b.md: belongs to no option" in err
    assert "--specs 'specs/**/*.md'" in err


def test_paused_once_more_with_a_reason_the_reason_is_kept(factory: Shell) -> None:
    assert factory("shift", "create", "nightly", *CREATE)[0] == 0
    assert factory("shift", "pause", "nightly", "--who", "ada")[0] == 0
    code, told, _ = factory("shift", "pause", "nightly", "--who", "ada", "--why", "release week")
    assert (code, told) == (0, "shift nightly is so already: PAUSED: paused by ada: release week\n")
    assert "no next night until it is resumed" in factory("shift", "list")[1]
    assert factory("shift", "resume", "nightly")[1] == "shift nightly: on\n"


def test_a_night_is_stopped_alone_and_without_a_worker_that_is_said(factory: Shell) -> None:
    assert factory("shift", "create", "by-hand", *CREATE, "--tz", "UTC")[0] == 0
    code, _, err = factory("shift", "stop", "by-hand")
    assert (code, "NOT STOPPED: shift by-hand has no night under way" in err) == (1, True)
    begun = factory.json("shift", "trigger", "by-hand")[1]["workflow_id"]
    _, page, err = factory("shift", "show", "by-hand")
    assert page.startswith("shift by-hand: on; a night is running\n")
    assert "no worker is up, so nothing of this night happens" in err
    code, told, err = factory("shift", "stop", "by-hand", "--why", "enough")
    assert (code, told.splitlines()[0]) == (0, f"asked to stop: {begun}")
    assert "the stop is on record" in err
    assert asked_of(factory, begun) == ["enough"]


def asked_of(factory: Shell, workflow_id: str) -> list[str]:
    """The reasons of the stops that are in a workflow's history."""

    async def ask() -> list[str]:
        target = load_settings(factory.directory / "thirdshift.toml", factory.directory).engine
        client = await Client.connect(target.address or "", namespace=target.namespace)
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        signals = [event.workflow_execution_signaled_event_attributes for event in history.events]
        return [json.loads(one.input.payloads[0].data) for one in signals if one.signal_name == "stop_shift"]

    return asyncio.run(ask())


def test_a_name_that_is_none_and_everything_that_is_missing_are_told_at_once(factory: Shell) -> None:
    code, _, err = factory("shift", "create", "Nightly!")
    assert code == 64
    for told in (
        "NAME: `Nightly!`",
        "--specs: is missing",
        "--window: is missing",
        "--tz: is missing",
        "--budget-usd:",
    ):
        assert told in err


def test_specs_that_check_refuses_are_told_when_the_shift_is_made(factory: Shell) -> None:
    (factory.directory / "specs" / "README.md").write_text("# Nothing\n")
    code, made = factory.json("shift", "create", "nightly", *CREATE)
    assert (code, made["specs_found"]) == (0, 2)
    assert [Path(path).name for path in made["specs_refused"]] == ["README.md"]
    _, _, err = factory("shift", "create", "nightly", *CREATE)
    assert "1 of 2 files will be refused" in err


def test_files_are_applied_once_changed_by_field_and_paused_they_stay_so(factory: Shell) -> None:
    shifts = factory.directory / "shifts"
    shifts.mkdir()
    (shifts / "nightly.toml").write_text(FILE)
    (shifts / "weekend.toml").write_text(FILE.replace("mon-fri", "sat,sun"))
    code, done = factory.json("shift", "apply", "--dry-run")
    assert (code, [row["what"] for row in done["shifts"]]) == (0, ["created", "created"])
    assert factory.json("shift", "list")[1]["shifts"] == []
    assert [row["what"] for row in factory.json("shift", "apply")[1]["shifts"]] == ["created", "created"]
    assert [row["what"] for row in factory.json("shift", "apply")[1]["shifts"]] == ["unchanged", "unchanged"]
    assert factory("shift", "pause", "nightly", "--who", "ada")[0] == 0
    (shifts / "nightly.toml").write_text(FILE.replace('"40"', '"12.50"') + 'holidays = ["2026-12-24", 2026-12-25]\n')
    code, page, _ = factory("shift", "apply")
    assert code == 0
    for told in ("~ nightly: changed, paused", "budget_usd: 40 -> 12.5", "holidays: with 2026-12-24, 2026-12-25"):
        assert told in page
    assert "= weekend: unchanged" in page
    shown = factory.json("shift", "show", "nightly")[1]
    assert (shown["paused"], shown["budget_usd"], shown["from_file"]) == (True, "12.5", str(shifts / "nightly.toml"))
    code, _, told = factory("shift", "create", "nightly", *CREATE)
    assert code == 64
    assert "it is kept in" in told


def test_a_shift_whose_file_is_gone_is_named_and_pruned_only_when_asked(factory: Shell) -> None:
    shifts = factory.directory / "shifts"
    shifts.mkdir()
    (shifts / "nightly.toml").write_text(FILE)
    assert factory("shift", "apply")[0] == 0
    assert factory("shift", "create", "by-hand", *CREATE)[0] == 0
    (shifts / "nightly.toml").unlink()
    code, page, told = factory("shift", "apply")
    assert (code, page) == (0, "? nightly: its file is gone\n")
    assert "--prune" in told
    assert factory("shift", "apply", "--prune", "--dry-run")[1].endswith("- nightly: deleted\n")
    assert factory("shift", "apply", "--prune")[1] == "- nightly: deleted\n"
    assert [row["shift"] for row in factory.json("shift", "list")[1]["shifts"]] == ["by-hand"]


def test_what_waits_for_a_shift_that_is_deleted_or_renamed_is_named_with_the_way_on(factory: Shell) -> None:
    shifts = factory.directory / "shifts"
    shifts.mkdir()
    (shifts / "nightly.toml").write_text(FILE)
    assert factory("shift", "apply")[0] == 0
    with closing(open_books(load_settings(factory.directory / "thirdshift.toml", factory.directory))) as ledger:
        row = night_row()
        ledger.open_night(row)
        ledger.open_job(job_row("job-parked"))
        ledger.assign_night("job-parked", row.night.id, 1, 0, row.night.closes_at)
        ledger.park_job("job-parked", "the window is over", row.night.closes_at)
        ledger.queue_spec(
            QueuedSpec(
                shift="nightly", spec_path="/q.md", title="q", priority=0, event=1, queued_at=row.night.closes_at
            )
        )
    (shifts / "nightly.toml").rename(shifts / "evening.toml")
    _, page, told = factory("shift", "apply", "--prune")
    assert "- nightly: deleted" in page
    assert "thirdshift resume job-parked" in told
    assert factory("shift", "create", "nightly", *CREATE)[0] == 0
    code, row_told = factory.json("shift", "delete", "nightly")
    assert (code, row_told["parked"], row_told["queued"]) == (0, ["job-parked"], ["/q.md"])


def test_nothing_is_applied_where_one_file_is_wrong_and_every_finding_has_its_line(factory: Shell) -> None:
    shifts = factory.directory / "shifts"
    shifts.mkdir()
    (shifts / "good.toml").write_text(FILE)
    bad = FILE.replace('budget_usd = "40"', "budget_usd = 40\nbugdet = 1") + "[breaker]\ncals_at_least = 3\n"
    (shifts / "bad.toml").write_text(bad)
    (shifts / "twin.toml").write_text('name = "good"\n' + FILE)
    code, _, err = factory("shift", "apply")
    assert code == 64
    for told in (
        "bad.toml:4: `budget_usd`: `40` is no text; money is text, like budget_usd",
        "bad.toml:5: `bugdet`: unknown key; did you mean `budget_usd`?",
        "bad.toml:8: `breaker.cals_at_least`: unknown key; did you mean `calls_at_least`?",
        "twin.toml: `name`:",
        "nothing was changed",
    ):
        assert told in err
    assert factory.json("shift", "list")[1]["shifts"] == []
    code, _, err = factory("shift", "apply", "nowhere")
    assert (code, "no such file or directory" in err) == (64, True)


def test_holidays_come_from_a_calendar_and_paths_count_from_the_root(factory: Shell) -> None:
    (factory.directory / "shifts").mkdir()
    (factory.directory / "shifts" / "nightly.toml").write_text(FILE + 'holidays = "days.ics"\n')
    days = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n"
        "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20001225\nRRULE:FREQ=YEARLY\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:2\nDTSTART:20990101T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    code, _, err = factory("shift", "apply")
    assert code == 64
    assert f"shifts/nightly.toml:6: `holidays`: {factory.directory / 'days.ics'}: no such file" in err
    (factory.directory / "days.ics").write_text(days)
    code, applied = factory.json("shift", "apply", "shifts/nightly.toml")
    assert (code, applied["shifts"][0]["what"]) == (0, "created")
    assert applied["shifts"][0]["remarks"][0].endswith("1 of its events have hours, and are not taken for holidays")
    shown = factory.json("shift", "show", "nightly")[1]
    assert (len(shown["holidays"]), {day[4:] for day in shown["holidays"]}) == (6, {"-12-25"})
    assert shown["root"] == str(factory.directory)


def test_without_a_server_it_says_how_to_start_one(shell: Shell) -> None:
    code, told = shell.json("shift", "list")
    assert (code, told["error"]["kind"]) == (69, "EngineUnavailable")
    assert "thirdshift up" in told["error"]["message"]
