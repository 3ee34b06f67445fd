from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.reports.facts import answers
from thirdshift.core.questions import Facts
from thirdshift.reports.questions_json import document


def shape(value: Any) -> Any:
    """The keys of a document, of lists those of their first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_the_keys_of_schema_1_are_these() -> None:
    assert shape(json.loads(json.dumps(document(answers())))) == snapshot(
        {
            "schema": "str",
            "period": {"since": "NoneType", "until": "NoneType", "zone": "str"},
            "total": {
                "calls": "int",
                "tokens": {"input": "int", "cached": "int", "output": "int", "reasoning": "int"},
                "metered_usd": "str",
                "imputed_usd": "str",
                "unknown_usd": "str",
                "held_usd": "str",
                "model_seconds": "float",
                "runs": "int",
                "accepted": "int",
                "per_accepted": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
            },
            "agents": [
                {
                    "model": "str",
                    "tier": "str",
                    "role": "str",
                    "calls": "int",
                    "input_tokens": "int",
                    "cached_tokens": "int",
                    "output_tokens": "int",
                    "metered_usd": "str",
                    "imputed_usd": "str",
                    "unknown_usd": "str",
                }
            ],
            "repositories": [
                {
                    "repository": "str",
                    "calls": "int",
                    "input_tokens": "int",
                    "cached_tokens": "int",
                    "output_tokens": "int",
                    "metered_usd": "str",
                    "imputed_usd": "str",
                    "unknown_usd": "str",
                    "runs": "int",
                    "accepted": "int",
                    "metered_usd_per_accepted": "str",
                    "imputed_usd_per_accepted": "str",
                    "unknown_usd_per_accepted": "str",
                }
            ],
            "specs": [
                {
                    "spec": "str",
                    "calls": "int",
                    "input_tokens": "int",
                    "cached_tokens": "int",
                    "output_tokens": "int",
                    "metered_usd": "str",
                    "imputed_usd": "str",
                    "unknown_usd": "str",
                    "runs": "int",
                    "accepted": "int",
                    "metered_usd_per_accepted": "str",
                    "imputed_usd_per_accepted": "str",
                    "unknown_usd_per_accepted": "str",
                }
            ],
            "workflows": [
                {
                    "workflow": "str",
                    "calls": "int",
                    "input_tokens": "int",
                    "cached_tokens": "int",
                    "output_tokens": "int",
                    "metered_usd": "str",
                    "imputed_usd": "str",
                    "unknown_usd": "str",
                    "runs": "int",
                    "accepted": "int",
                    "metered_usd_per_accepted": "NoneType",
                    "imputed_usd_per_accepted": "NoneType",
                    "unknown_usd_per_accepted": "NoneType",
                }
            ],
            "outcomes": {
                "counts": {
                    "accepted": "int",
                    "edited": "int",
                    "rejected": "int",
                    "reverted": "int",
                    "none": "int",
                    "under_way": "int",
                },
                "landed": "int",
                "by_task": {
                    "bugfix": {
                        "accepted": "int",
                        "edited": "int",
                        "rejected": "int",
                        "reverted": "int",
                        "none": "int",
                        "under_way": "int",
                    },
                    "feature": {
                        "accepted": "int",
                        "edited": "int",
                        "rejected": "int",
                        "reverted": "int",
                        "none": "int",
                        "under_way": "int",
                    },
                },
                "list": [
                    {
                        "run": "str",
                        "title": "str",
                        "output": "str",
                        "landed": "bool",
                        "stopped_by": "str",
                        "submitter": "str",
                        "reviewer": "NoneType",
                        "review": "NoneType",
                        "gate": "NoneType",
                        "ended_at": "str",
                    }
                ],
            },
            "tiers": {
                "by_risk": [
                    {
                        "risk": "str",
                        "tier": "str",
                        "calls": "int",
                        "input_tokens": "int",
                        "cached_tokens": "int",
                        "output_tokens": "int",
                        "metered_usd": "str",
                        "imputed_usd": "str",
                        "unknown_usd": "str",
                        "runs": "int",
                    }
                ],
                "frontier": {
                    "calls": "int",
                    "by_reason": {"verification_failed": "int"},
                    "without_reason": [],
                    "always_with_reason": "bool",
                },
            },
            "stops": {
                "method": "str",
                "by_policy": [
                    {
                        "policy": "str",
                        "jobs_stopped": "int",
                        "attempts_ended": "int",
                        "estimated_avoided_at_least_usd": "str",
                        "estimated_avoided_at_most_usd": "str",
                        "without_upper_end": "int",
                    }
                ],
                "list": [
                    {
                        "policy": "str",
                        "run": "str",
                        "attempt": "NoneType",
                        "after_attempts": "int",
                        "after_calls": "int",
                        "spent_usd": "str",
                        "at": "str",
                        "evidence": "str",
                        "estimated_avoided_at_least_usd": "str",
                        "estimated_avoided_at_most_usd": "NoneType",
                    }
                ],
            },
            "cost_per_accepted": {
                "task": [
                    {
                        "task": "str",
                        "calls": "int",
                        "input_tokens": "int",
                        "cached_tokens": "int",
                        "output_tokens": "int",
                        "metered_usd": "str",
                        "imputed_usd": "str",
                        "unknown_usd": "str",
                        "runs": "int",
                        "accepted": "int",
                        "metered_usd_per_accepted": "str",
                        "imputed_usd_per_accepted": "str",
                        "unknown_usd_per_accepted": "str",
                    }
                ],
                "tier-path": [
                    {
                        "tier_path": "str",
                        "calls": "int",
                        "input_tokens": "int",
                        "cached_tokens": "int",
                        "output_tokens": "int",
                        "metered_usd": "str",
                        "imputed_usd": "str",
                        "unknown_usd": "str",
                        "runs": "int",
                        "accepted": "int",
                        "metered_usd_per_accepted": "NoneType",
                        "imputed_usd_per_accepted": "NoneType",
                        "unknown_usd_per_accepted": "NoneType",
                    }
                ],
                "repository": [
                    {
                        "repository": "str",
                        "calls": "int",
                        "input_tokens": "int",
                        "cached_tokens": "int",
                        "output_tokens": "int",
                        "metered_usd": "str",
                        "imputed_usd": "str",
                        "unknown_usd": "str",
                        "runs": "int",
                        "accepted": "int",
                        "metered_usd_per_accepted": "str",
                        "imputed_usd_per_accepted": "str",
                        "unknown_usd_per_accepted": "str",
                    }
                ],
                "week": [
                    {
                        "week": "str",
                        "calls": "int",
                        "input_tokens": "int",
                        "cached_tokens": "int",
                        "output_tokens": "int",
                        "metered_usd": "str",
                        "imputed_usd": "str",
                        "unknown_usd": "str",
                        "runs": "int",
                        "accepted": "int",
                        "metered_usd_per_accepted": "str",
                        "imputed_usd_per_accepted": "str",
                        "unknown_usd_per_accepted": "str",
                    }
                ],
            },
            "waste": {
                "buckets": {
                    "no_outcome": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                    "excess_retry": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                    "long_context": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                    "wasted_tool": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                    "unnecessary_call": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                    "productive": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                },
                "no_outcome_under_way": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
                "total": {"metered_usd": "str", "imputed_usd": "str", "unknown_usd": "str"},
            },
            "runs": [
                {
                    "run": "str",
                    "title": "str",
                    "task": "str",
                    "repository": "str",
                    "spec": "str",
                    "models": "str",
                    "tier_path": "str",
                    "reason_codes": "str",
                    "risk": "str",
                    "output": "str",
                    "landed": "bool",
                    "review": "str",
                    "stopped_by": "str",
                    "attempts": "int",
                    "calls": "int",
                    "tool_calls": "int",
                    "input_tokens": "int",
                    "cached_tokens": "int",
                    "output_tokens": "int",
                    "metered_usd": "str",
                    "imputed_usd": "str",
                    "unknown_usd": "str",
                    "wall_seconds": "float",
                    "model_seconds": "float",
                    "tool_seconds": "float",
                    "submitted_at": "str",
                    "ended_at": "str",
                    "team": "str",
                    "night": "str",
                }
            ],
        }
    )


def test_an_empty_ledger_has_the_same_keys() -> None:
    empty, full = document(answers(Facts())), document(answers())
    assert list(empty) == list(full)
    assert empty["total"]["per_accepted"] is None
    assert empty["runs"] == []


@pytest.mark.parametrize("kind", ["metered_usd", "imputed_usd", "unknown_usd"])
def test_every_table_sums_to_the_total_of_each_kind_of_money(kind: str) -> None:
    found = document(answers())
    total = Decimal(found["total"][kind])
    assert total > 0
    for name in ("agents", "repositories", "specs", "workflows", "runs"):
        assert sum(Decimal(row[kind]) for row in found[name]) == total, name
    for name, rows in found["cost_per_accepted"].items():
        assert sum(Decimal(row[kind]) for row in rows) == total, name
    assert sum(Decimal(row[kind]) for row in found["tiers"]["by_risk"]) == total
    assert sum(Decimal(bucket[kind]) for bucket in found["waste"]["buckets"].values()) == total


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys(inner)}
    return {key for inner in value for key in keys(inner)} if isinstance(value, list) else set()


def with_people(value: Any) -> list[dict[str, Any]]:
    """Every object that names a person."""
    if isinstance(value, list):
        return [row for inner in value for row in with_people(inner)]
    if not isinstance(value, dict):
        return []
    here = [value] if {"submitter", "reviewer"} & set(value) else []
    return here + [row for inner in value.values() for row in with_people(inner)]


def test_people_stand_with_outcomes_and_never_beside_tokens_or_money() -> None:
    found = document(answers())
    rows = with_people(found)
    assert rows == found["outcomes"]["list"]
    measured = ("token", "usd", "calls", "nano", "cost", "seconds")
    assert not [key for row in rows for key in row if any(word in key for word in measured)]
    found["outcomes"].pop("list")
    text = json.dumps(found)
    assert not any(name in text for name in ("ada", "grace", "linus"))
    assert not keys(found) & {"submitter", "reviewer", "person", "author", "user"}


def test_an_estimate_says_that_it_is_one_and_how_it_is_made() -> None:
    stops = document(answers())["stops"]
    assert stops["method"].startswith("Estimate, not a measurement.")
    assert all("estimated" in key for row in stops["by_policy"] for key in row if "usd" in key)
