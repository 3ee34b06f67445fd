"""Output is kept within bounds, head and tail, whatever comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thirdshift.adapters.sandbox.capture import HeadTail


@given(chunks=st.lists(st.binary(max_size=50)), limit=st.integers(min_value=0, max_value=80))
def test_what_is_kept_is_the_head_and_the_tail_and_the_rest_is_counted(chunks: list[bytes], limit: int) -> None:
    kept = HeadTail(limit)
    for chunk in chunks:
        kept.feed(chunk)
    whole = b"".join(chunks)
    assert kept.total == len(whole)
    if len(whole) <= limit:
        assert kept.text() == whole.decode(errors="backslashreplace")
    else:
        assert f"[... {len(whole) - limit} bytes not shown ...]" in kept.text()
        assert len(kept.text()) <= 4 * limit + 50


def test_a_character_is_not_cut_in_two() -> None:
    kept = HeadTail(8)
    kept.feed("aé€😀".encode() + b"-" * 100 + "😀€éb".encode())
    assert kept.text() == "aé\n[... 112 bytes not shown ...]\néb"


def test_memory_does_not_grow_with_the_flood() -> None:
    kept = HeadTail(1000)
    for _ in range(1000):
        kept.feed(b"y\n" * 32768)
    assert kept.total == 65_536_000
    assert sum(len(part) for part in (kept.__dict__["_head"], kept.__dict__["_tail"])) <= 1500 + 65536
