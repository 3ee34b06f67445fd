from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from thirdshift.adapters.usage_export import read_export
from thirdshift.core.errors import BadInput
from thirdshift.core.usage import Usage

ANTHROPIC = {
    "data": [
        {
            "starting_at": "2031-03-01T09:00:00Z",
            "ending_at": "2031-03-01T09:01:00Z",
            "results": [
                {
                    "uncached_input_tokens": 1500,
                    "cache_creation": {"ephemeral_1h_input_tokens": 10, "ephemeral_5m_input_tokens": 500},
                    "cache_read_input_tokens": 200,
                    "output_tokens": 700,
                    "server_tool_use": {"web_search_requests": 0},
                    "api_key_id": None,
                    "workspace_id": None,
                    "model": "claude-sonnet-5-5-20310101",
                    "service_tier": "standard",
                    "context_window": "0-200k",
                },
                {
                    "uncached_input_tokens": 9,
                    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
                    "cache_read_input_tokens": 0,
                    "output_tokens": 9,
                    "model": "claude-sonnet-5-5-20310101",
                    "service_tier": "batch",
                },
            ],
        },
        {"starting_at": "2031-03-01T09:01:00Z", "ending_at": "2031-03-01T09:02:00Z", "results": []},
    ],
    "has_more": False,
    "next_page": None,
}
OPENAI = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": 1930208400,
            "end_time": 1930208460,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 1000,
                    "output_tokens": 500,
                    "input_cached_tokens": 800,
                    "num_model_requests": 5,
                    "model": "gpt-6.1-terra",
                    "batch": False,
                }
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}


def written(directory: Path, content: object) -> Path:
    path = directory / "export"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_anthropics_report_is_read_with_its_cache_units_and_without_batches(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, ANTHROPIC))
    assert export.vendor == "anthropic"
    first, second = export.buckets
    assert (first.starts_at, second.ends_at) == (
        datetime(2031, 3, 1, 9, 0, tzinfo=UTC),
        datetime(2031, 3, 1, 9, 2, tzinfo=UTC),
    )
    (billed,) = first.billed
    assert billed.usage == Usage(
        input_tokens=1500,
        cache_read_tokens=200,
        cache_write_5m_tokens=500,
        cache_write_1h_tokens=10,
        output_tokens=700,
    )
    assert second.billed == ()


def test_openais_input_has_its_cached_part_taken_out(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, [OPENAI]))
    (billed,) = export.buckets[0].billed
    assert (export.vendor, billed.requests) == ("openai", 5)
    assert billed.usage == Usage(input_tokens=200, cache_read_tokens=800, output_tokens=500)


def test_csv_columns_are_the_same_fields_and_a_gap_is_a_time_without_usage(tmp_path: Path) -> None:
    text = (
        "starting_at,ending_at,model,uncached_input_tokens,cache_read_input_tokens,"
        "cache_creation.ephemeral_5m_input_tokens,output_tokens\n"
        "2031-03-01T09:00:00Z,2031-03-01T09:01:00Z,m,5,6,7,8\n"
        "2031-03-01T09:03:00Z,2031-03-01T09:04:00Z,m,1,,,2\n"
    )
    export = read_export(written(tmp_path, text))
    assert [len(bucket.billed) for bucket in export.buckets] == [1, 0, 1]
    assert export.buckets[0].billed[0].usage.cache_write_5m_tokens == 7
    assert export.buckets[2].billed[0].usage == Usage(input_tokens=1, output_tokens=2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a usage export"),
        ("a,b\n1,2\n", "not a usage export"),
        ({"data": []}, "there is no usage in it"),
        (json.loads(json.dumps(OPENAI).replace('"gpt-6.1-terra"', "null")), "group the export by model"),
        (
            json.loads(json.dumps(OPENAI).replace('"output_tokens": 500', '"output_tokens": "many"')),
            "not a usage export",
        ),
    ],
)
def test_what_is_no_export_is_refused_with_what_is_wrong(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_export(written(tmp_path, content))
