from __future__ import annotations

from typing import Any

import pytest

from bench.rig.cached_prefix import cached_share

TOOLS = [{"name": "bash", "description": "x" * 100}]
MARK = {"cache_control": {"type": "ephemeral"}}


def chat(*words: str, system: str = "s" * 100) -> dict[str, Any]:
    turns = [{"role": "user", "content": text} for text in words]
    return {"messages": [{"role": "system", "content": system}, *turns], "tools": TOOLS}


def marked(*blocks: tuple[str, bool]) -> dict[str, Any]:
    turns = [{"role": "user", "content": [{"text": text} | (MARK if mark else {})]} for text, mark in blocks]
    return {"tools": TOOLS, "system": [{"text": "s" * 100, **MARK}], "messages": turns}


def test_a_conversation_that_only_grew_is_cached_but_for_what_is_new() -> None:
    share = cached_share(chat("a" * 500), chat("a" * 500, "b" * 500), marked=False)
    assert 0.5 < share < 0.7
    assert cached_share(chat("a" * 500), chat("a" * 500), marked=False) == 1.0


def test_a_changed_system_text_leaves_only_the_tools_before_it() -> None:
    share = cached_share(chat("a" * 5000, system="x" * 100), chat("a" * 5000, system="y" * 100), marked=False)
    assert share == pytest.approx(0.025, abs=0.02)


def test_keys_in_another_order_are_other_bytes() -> None:
    before, now = chat("a" * 500), chat("a" * 500)
    now["messages"][1] = {"content": "a" * 500, "role": "user"}
    assert cached_share(before, now, marked=False) < 0.5


def test_only_what_lies_before_a_mark_of_the_request_before_was_written() -> None:
    before = marked(("a" * 1000, True), ("b" * 1000, False))
    now = marked(("a" * 1000, False), ("b" * 1000, True))
    assert 0.4 < cached_share(before, now, marked=True) < 0.7
    assert cached_share(marked(("a" * 1000, True), ("b" * 1000, True)), now, marked=True) == 1.0


def test_a_mark_that_moved_changes_no_bytes() -> None:
    assert cached_share(marked(("a", True)), marked(("a", False)), marked=True) == 1.0
