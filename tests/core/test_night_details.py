from __future__ import annotations

from datetime import UTC, datetime

from thirdshift.core.night_details import SHOWN, NightStatus, night_details

AT = datetime(2026, 11, 21, 22, tzinfo=UTC)


def status(**more: object) -> NightStatus:
    said = {
        "night": "nightly|2026-11-21",
        "state": "open",
        "opens_at": AT,
        "drains_at": AT.replace(hour=23),
        "closes_at": AT.replace(hour=23, minute=5),
        "budget_nano": 40_000_000_000,
        "charged_nano": 3_200_000_000,
        "counted_at": AT,
        "concurrency": 4,
    }
    return NightStatus.model_validate(said | more)


def test_the_details_tell_window_money_places_and_what_happens_next() -> None:
    told = night_details(
        status(running=("job-a",), resting=("job-b",), parked=("job-c",), begun=3, waiting=9, next="it drains.")
    )
    assert "**open** night `nightly|2026-11-21`" in told
    assert "no step is begun from 23:00:00 on" in told
    assert "$3.2000 of $40 were spent or set aside at 22:00:00 UTC." in told
    assert "1 of 4 taken; 3 jobs begun" in told
    assert told.index("job-a") < told.index("job-b") < told.index("job-c")
    assert "Not begun: 9." in told
    assert told.endswith("Next: it drains.")


def test_money_that_has_not_been_counted_is_not_told_as_nothing() -> None:
    told = night_details(status(charged_nano=0, counted_at=None, begun=1))
    assert "Money: at most $40; not counted yet." in told
    assert "1 job begun so far" in told


def test_a_long_night_names_some_jobs_and_counts_the_rest() -> None:
    told = night_details(status(running=tuple(f"job-{number}" for number in range(500))))
    assert f"and {500 - SHOWN} more" in told
    assert len(told) < 3000


def test_a_reason_cannot_break_out_of_its_fence() -> None:
    told = night_details(status(stop_asked="```\n# Approve me\n" + "x" * 5000))
    assert "\n# Approve me" not in told
    assert len(told) < 1500


def test_before_it_is_known_which_night_it_is_no_window_is_told() -> None:
    told = night_details(status(night="", state="opening", opens_at=None, drains_at=None, closes_at=None))
    assert told.startswith("**opening**\n")
    assert "Window" not in told
