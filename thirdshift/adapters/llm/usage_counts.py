"""Vendors' token counts into ``Usage``, whose four input counts are disjoint.

Anthropic reports disjoint counts already. OpenAI's input count includes what was read from a cache and what was
written to one, so both are taken off. Counts that are missing make the whole usage None, never zero: a call whose
cost is not known must not look free.
"""

from __future__ import annotations

from typing import Any

from thirdshift.core.usage import Usage


def anthropic_usage(started: Any, ended: Any) -> Usage | None:
    """Usage of a Messages stream, from its ``message_start`` and its last, cumulative ``message_delta``.

    The split of cache writes by lifetime comes with the start alone; a rest without a split was written for the
    default five minutes.
    """
    spent = _latest(started, ended, "input_tokens")
    output = _count(ended, "output_tokens")
    if spent is None or output is None:
        return None
    written = _latest(started, ended, "cache_creation_input_tokens") or 0
    split = getattr(started, "cache_creation", None)
    one_hour = min(_count(split, "ephemeral_1h_input_tokens") or 0, written)
    details = getattr(ended, "output_tokens_details", None)
    tools = getattr(ended, "server_tool_use", None) or getattr(started, "server_tool_use", None)
    return Usage(
        input_tokens=spent,
        cache_read_tokens=_latest(started, ended, "cache_read_input_tokens") or 0,
        cache_write_5m_tokens=written - one_hour,
        cache_write_1h_tokens=one_hour,
        output_tokens=output,
        reasoning_tokens=min(_count(details, "thinking_tokens") or 0, output),
        server_tool_requests=sum(_count(tools, name) or 0 for name in ("web_search_requests", "web_fetch_requests")),
    )


def chat_usage(usage: Any) -> Usage | None:
    """Usage of a Chat Completions answer; DeepSeek's name for cached tokens is understood as well."""
    details = getattr(usage, "prompt_tokens_details", None)
    cached = _count(details, "cached_tokens")
    if cached is None:
        cached = _count(usage, "prompt_cache_hit_tokens")
    return _openai_usage(
        spent=_count(usage, "prompt_tokens"),
        cached=cached or 0,
        details=details,
        output=_count(usage, "completion_tokens"),
        reasoning=_count(getattr(usage, "completion_tokens_details", None), "reasoning_tokens") or 0,
    )


def responses_usage(usage: Any) -> Usage | None:
    """Usage of a Responses answer."""
    details = getattr(usage, "input_tokens_details", None)
    return _openai_usage(
        spent=_count(usage, "input_tokens"),
        cached=_count(details, "cached_tokens") or 0,
        details=details,
        output=_count(usage, "output_tokens"),
        reasoning=_count(getattr(usage, "output_tokens_details", None), "reasoning_tokens") or 0,
    )


def _openai_usage(*, spent: int | None, cached: int, details: Any, output: int | None, reasoning: int) -> Usage | None:
    if spent is None or output is None:
        return None
    cached = min(cached, spent)
    written = min(_count(details, "cache_write_tokens") or 0, spent - cached)
    # OpenAI writes for 30 minutes by default and for 12 hours on demand, at one rate each; they are counted in
    # the two classes that we have, the short and the long one.
    split = getattr(details, "cache_write_tokens_details", None)
    long_lived = min(_count(split, "ttl_12h_tokens") or 0, written)
    return Usage(
        input_tokens=spent - cached - written,
        cache_read_tokens=cached,
        cache_write_5m_tokens=written - long_lived,
        cache_write_1h_tokens=long_lived,
        output_tokens=output,
        reasoning_tokens=min(reasoning, output),
    )


def _latest(started: Any, ended: Any, name: str) -> int | None:
    count = _count(ended, name)
    return _count(started, name) if count is None else count


def _count(source: Any, name: str) -> int | None:
    value = source.get(name) if isinstance(source, dict) else getattr(source, name, None)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
