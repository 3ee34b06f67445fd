from __future__ import annotations

import json

from inline_snapshot import snapshot

from tests.reports.facts import USD
from tests.reports.night_facts import TOLD, morning, record
from thirdshift.core.morning_facts import NightFacts, Purse
from thirdshift.core.mornings import tell_night
from thirdshift.reports.morning_json import morning_document


def test_the_document_keeps_its_fields() -> None:
    found = json.loads(json.dumps(morning_document(morning())))
    assert list(found) == snapshot(
        [
            "schema",
            "night",
            "told_at",
            "so_far",
            "ran",
            "alarm",
            "decide",
            "counts",
            "accepted",
            "waiting",
            "waiting_elsewhere",
            "parked",
            "stopped",
            "rejected",
            "running",
            "refused",
            "passed_over",
            "not_begun",
            "budget",
            "cost_per_accepted",
            "nights",
            "spend",
            "waste",
            "provider_trouble",
            "events",
        ]
    )
    assert found["night"] == snapshot(
        {
            "id": "nightly|2026-11-21",
            "shift": "nightly",
            "day": "2026-11-21",
            "heading": "nightly, Sat 21 Nov 2026",
            "by_hand": False,
            "zone": "Europe/Berlin",
            "opens_at": "2026-11-21T21:00:00+00:00",
            "drains_at": "2026-11-22T04:55:00+00:00",
            "closes_at": "2026-11-22T05:00:00+00:00",
            "opened_at": "2026-11-21T21:00:00+00:00",
            "closed_at": "2026-11-22T05:00:00+00:00",
            "how": "closed",
            "why": None,
            "deliver": "branch",
            "concurrency": 4,
            "workflow_id": "shift-nightly-1",
        }
    )
    assert found["decide"][1:3] == snapshot(
        [
            {
                "on": "gate",
                "what": "Work of old",
                "why": "risk high asks a person",
                "command": "thirdshift decide old",
                "job_id": "old",
                "gate": 1,
                "kind": "budget",
                "reviewers": [],
                "waited_seconds": 108060,
                "ui_url": "http://127.0.0.1:8233/workflows/loop-old",
            },
            {
                "on": "gate",
                "what": "Work of w-1",
                "why": "risk high asks a person",
                "command": "thirdshift decide w-1",
                "job_id": "w-1",
                "gate": 1,
                "kind": "merge",
                "reviewers": ["ada"],
                "waited_seconds": 10860,
                "ui_url": "http://127.0.0.1:8233/workflows/loop-w-1",
            },
        ]
    )
    assert found["counts"] == snapshot(
        {
            "accepted": 2,
            "waiting": 1,
            "parked": 1,
            "stopped": 2,
            "rejected": 0,
            "running": 0,
            "refused": 1,
            "passed_over": 2,
            "listed": 0,
            "done_before": 1,
        }
    )
    assert found["accepted"][1] == snapshot(
        {
            "job_id": "a-2",
            "title": "Work of a-2",
            "spec": "specs/round.md",
            "repository": "/srv/invoices",
            "task": "bugfix",
            "risk": "low",
            "stop_reason": "accepted",
            "why": None,
            "command": None,
            "since": None,
            "branch": "thirdshift/a-2",
            "url": "https://git.example.com/acme/shop/pulls/7",
            "ended_at": "2026-11-21T23:00:00+00:00",
            "cost": {"metered_usd": "2", "imputed_usd": "0", "unknown_usd": "0"},
            "cost_tonight": {"metered_usd": "2", "imputed_usd": "0", "unknown_usd": "0"},
        }
    )
    assert found["waiting"][0] == snapshot(
        {
            "job_id": "old",
            "gate": 1,
            "kind": "budget",
            "title": "Work of old",
            "reason": "risk high asks a person",
            "reviewers": [],
            "opened_at": "2026-11-20T23:00:00+00:00",
            "age_seconds": 108060,
            "of_this_night": False,
            "charged_usd": "2",
            "command": "thirdshift decide old",
            "ui_url": "http://127.0.0.1:8233/workflows/loop-old",
        }
    )
    assert found["refused"] == snapshot(
        [
            {
                "spec": "specs/new tax.md",
                "title": "Work of new tax",
                "why": "line 12: no check covers AC-2",
                "priority": 0,
                "event": None,
                "first_seen_at": "2026-11-21T21:00:00+00:00",
            }
        ]
    )
    assert found["budget"] == snapshot(
        {"limit_usd": "40", "settled_usd": "12", "held_usd": "0", "unknown_usd": "0.5", "imputed_usd": "1"}
    )
    assert found["cost_per_accepted"] == snapshot(
        {
            "metered_usd": "6",
            "accepted": 2,
            "month_metered_usd": "6",
            "change_percent": 0,
            "month_nights": 2,
            "month_accepted": 2,
            "month_spent": {"metered_usd": "12", "imputed_usd": "0", "unknown_usd": "0"},
        }
    )
    assert found["provider_trouble"][1] == snapshot(
        {
            "provider": "birch",
            "kind": "unauthorized",
            "calls": 2,
            "maybe_billed": 1,
            "waited_seconds": 0.0,
            "first_at": "2026-11-21T21:00:00+00:00",
            "last_at": "2026-11-21T21:00:00+00:00",
        }
    )
    assert found["events"] == snapshot(
        {"since": "2026-11-21T05:00:00+00:00", "total": 43, "decided": {"shift": 1, "storm": 40, "undecided": 2}}
    )
    assert found["spend"] == snapshot(
        [
            {"at": "2026-11-21T21:00:00+00:00", "metered_usd": "4", "unknown_usd": "0"},
            {"at": "2026-11-21T23:00:00+00:00", "metered_usd": "8", "unknown_usd": "0.5"},
        ]
    )


def test_money_is_never_a_number() -> None:
    def walk(value: object, name: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, key)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, name)
        elif name.endswith("_usd"):
            assert value is None or isinstance(value, str), name

    walk(morning_document(morning()), "")


def test_an_empty_night_has_every_field_too() -> None:
    empty = morning_document(tell_night(NightFacts(record(), Purse(USD)), TOLD))
    assert list(empty) == list(morning_document(morning()))
    assert (empty["ran"], empty["events"], empty["decide"]) == (False, None, [])
