from __future__ import annotations

import pytest

from thirdshift.core.served_model import same_model

SAME = [
    ("gpt-4o", "gpt-4o"),
    ("gpt-4o", "gpt-4o-2024-08-06"),
    ("GPT-4o", "gpt-4o"),
    ("gpt-4", "gpt-4-0613"),
    ("claude-sonnet-4", "claude-sonnet-4-20250514"),
    ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
    ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
    ("claude-sonnet-4", "claude-sonnet-4@20250514"),
    ("anthropic.claude-sonnet-4", "anthropic.claude-sonnet-4-20250514-v1:0"),
    ("qwen/qwen3-coder:free", "qwen/qwen3-coder"),
    ("gemini-2.5-pro", "models/gemini-2.5-pro"),
    ("anything", ""),
]
OTHER = [
    ("gpt-4o", "gpt-4o-mini"),
    ("gpt-4o", "gpt-4o-mini-2024-07-18"),
    ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13"),
    ("gpt-4o-2024-08-06", "gpt-4o"),
    ("claude-opus-4", "claude-sonnet-4"),
    ("qwen3-coder", "smollm2"),
    ("gpt-5", "gpt-5.6"),
]


@pytest.mark.parametrize(("asked", "served"), SAME)
def test_a_dated_snapshot_of_the_asked_name_is_the_same_model(asked: str, served: str) -> None:
    assert same_model(asked, served)


@pytest.mark.parametrize(("asked", "served"), OTHER)
def test_a_smaller_a_newer_or_another_model_is_told(asked: str, served: str) -> None:
    assert not same_model(asked, served)
