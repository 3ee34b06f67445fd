from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.window import (
    BYTES_PER_TOKEN,
    WIDEST,
    room_beside,
    room_for_evidence,
    room_for_paths,
)


def rung(context_tokens: int | None, max_output_tokens: int = 512) -> Rung:
    return Rung(
        model="p/small",
        tier=Tier.ECONOMY,
        tools="text",
        max_output_tokens=max_output_tokens,
        context_tokens=context_tokens,
    )


def test_a_rung_without_a_stated_window_is_shown_as_much_as_any() -> None:
    assert room_for_evidence(rung(None), 1 << 20) == WIDEST
    assert room_beside(WIDEST, rung(None), 1 << 20, 1 << 20) == WIDEST
    assert room_for_paths(rung(None), 1 << 20, 777) == 777


def test_a_window_wider_than_anything_shown_changes_nothing_but_the_list_of_paths_to_its_own_size() -> None:
    wide = rung(200_000)
    assert room_beside(room_for_evidence(wide, 8_000), wide, 30_000, 500) == WIDEST._replace(paths=500)


def test_a_small_window_is_shared_out_between_evidence_paths_and_files() -> None:
    small = rung(4096, max_output_tokens=1024)
    # (4096 - 1024 - 256 - 4096 / 16) tokens of 3 bytes are 7680; the system text takes 1680 of them.
    assert room_for_evidence(small, 1680).evidence == 2000
    room = room_beside(room_for_evidence(small, 1680), small, 1680 + 2000, 50_000)
    assert (room.evidence, room.paths, room.files) == (2000, 1000, 3000)


def test_room_that_the_paths_do_not_need_goes_to_the_files() -> None:
    small = rung(4096, max_output_tokens=1024)
    assert room_beside(WIDEST, small, 3680, 100) == WIDEST._replace(paths=100, files=3900)


def test_a_window_that_is_full_already_has_no_room_and_never_less_than_none() -> None:
    full = rung(2048, max_output_tokens=1024)
    assert room_for_evidence(full, 100_000).evidence == 0
    assert room_beside(WIDEST, full, 100_000, 100)[1:] == (0, 0)
    assert room_for_paths(full, 100_000, 100) == 0


@given(st.integers(1024, 100_000), st.integers(16, 1000), st.integers(0, 50_000), st.integers(0, 50_000))
def test_what_is_shown_and_what_is_answered_never_add_up_to_more_than_the_window(
    window: int, answer: int, said: int, listing: int
) -> None:
    small = rung(window, answer)
    room = room_beside(room_for_evidence(small, said), small, said, listing)
    prompt_tokens = (said + room.paths + room.files) / BYTES_PER_TOKEN
    assert room.paths + room.files == 0 or prompt_tokens + answer < window
