from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from thirdshift.intake_signatures import Arrival
from workflows.gathering import MOST_WAITING, Gathering

START = datetime(2026, 3, 1, tzinfo=UTC)
DEBOUNCE, LONGEST = 30, 100


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abcd")), max_size=60), st.sets(st.sampled_from("abcd")))
def test_every_fingerprint_is_due_when_it_has_been_quiet_or_has_waited_for_long(
    arrivals: list[tuple[int, str]], busy: set[str]
) -> None:
    """Against the plain reading: of all that waits, the window that ends first."""
    gathering = Gathering(DEBOUNCE, LONGEST)
    plain: dict[str, tuple[datetime, datetime, int]] = {}
    now = START
    for number, (pause, name) in enumerate(arrivals):
        now += timedelta(seconds=pause)
        while (taken := gathering.take_due((), now)) is not None:
            first, last, highest = plain.pop(taken.fingerprint)
            assert (taken.first_at, taken.last_at, taken.up_to) == (first, last, highest)
            assert min(last + timedelta(seconds=DEBOUNCE), first + timedelta(seconds=LONGEST)) <= now
        gathering.add(Arrival(number=number, fingerprint=name), now)
        first, _, highest = plain.get(name, (now, now, 0))
        plain[name] = (first, now, max(highest, number))
        ends = [
            min(last + timedelta(seconds=DEBOUNCE), first + timedelta(seconds=LONGEST))
            for one, (first, last, _) in plain.items()
            if one not in busy
        ]
        assert gathering.next_due(busy, now) == min(ends, default=None)
        assert {one.fingerprint for one in gathering.pending} == set(plain)


def test_what_waits_is_taken_up_again_as_it_was() -> None:
    gathering = Gathering(DEBOUNCE, LONGEST)
    for number, name in enumerate(("a", "b", "a")):
        gathering.add(Arrival(number=number, fingerprint=name), at(number * 10))
    again = Gathering(DEBOUNCE, LONGEST, reversed(gathering.pending))
    assert again.next_due((), at(20)) == gathering.next_due((), at(20)) == at(40)
    assert {one.fingerprint: (one.up_to, one.count) for one in again.pending} == {"a": (2, 2), "b": (1, 1)}


def test_an_old_number_does_not_lower_what_is_decided_up_to() -> None:
    gathering = Gathering(DEBOUNCE, LONGEST)
    for number in (7, 3):
        gathering.add(Arrival(number=number, fingerprint="a"), START)
    assert [one.up_to for one in gathering.pending] == [7]


def test_where_too_many_wait_the_one_that_waits_longest_is_due_at_once() -> None:
    gathering = Gathering(DEBOUNCE, LONGEST)
    for number in range(MOST_WAITING + 1):
        gathering.add(Arrival(number=number, fingerprint=f"f{number}"), at(number / 1000))
    now = at(3)
    assert gathering.next_due((), now) == now
    taken = gathering.take_due((), now)
    assert taken is not None
    assert taken.fingerprint == "f0"
    assert gathering.take_due((), now) is None


def test_what_is_busy_is_left_alone() -> None:
    gathering = Gathering(DEBOUNCE, LONGEST)
    gathering.add(Arrival(number=1, fingerprint="a"), START)
    assert gathering.next_due(("a",), at(500)) is None
    assert gathering.take_due(("a",), at(500)) is None
    assert gathering.take_due((), at(500)) is not None
