from __future__ import annotations

from datetime import timedelta

from tests.adapters.ledger.books import Books
from tests.adapters.ledger.nights import EVENING, decision, event
from thirdshift.core.event_book import Decided

HERE = ("acme/shop", "ci/main/unit")


def test_a_storm_is_counted_in_fingerprints_and_within_a_stretch_of_time(books: Books) -> None:
    def came(delivery: str, seconds: int, fingerprint: str, repository: str = "acme/shop") -> None:
        at = EVENING + timedelta(seconds=seconds)
        books.ledger.put_event(event(delivery, fingerprint=fingerprint, repository=repository, received_at=at))

    for number in range(5):
        came(f"same-{number}", number, "same")
    came("early", -61, "early")
    came("other", 3, "other")
    came("late", 61, "late")
    came("elsewhere", 3, "elsewhere", "acme/other")
    minute = timedelta(minutes=1)
    assert books.ledger.fingerprints_between("acme/shop", EVENING, EVENING + minute, "ci") == 2
    assert books.ledger.fingerprints_between("acme/shop", EVENING - 2 * minute, EVENING + 2 * minute, "ci") == 4
    assert books.ledger.fingerprints_between("acme/none", EVENING, EVENING + minute, "ci") == 0


def test_the_event_that_was_last_worked_on_is_found_whether_by_a_job_or_by_a_shift(books: Books) -> None:
    assert books.ledger.last_worked_on(*HERE) is None
    ends = (Decided.JOB, Decided.SHIFT, Decided.CAPPED, Decided.DUPLICATE)
    numbers = []
    for minutes, what in enumerate(ends):
        number, _ = books.ledger.put_event(event(f"d{minutes}", fingerprint=HERE[1], repository=HERE[0]))
        at = EVENING + timedelta(minutes=minutes)
        books.ledger.decide_event(number, decision(what, shift="nightly" if what is Decided.SHIFT else "", at=at))
        numbers.append(number)
    found = books.ledger.last_worked_on(*HERE)
    assert found is not None
    assert found.number == numbers[1]
    assert found.decision is not None
    assert found.decision.shift == "nightly"
    assert books.ledger.last_worked_on(HERE[0], "other") is None


def test_a_storm_of_one_rule_is_no_storm_of_another(books: Books) -> None:
    for number, rule in enumerate(["ci", "ci", "", "noise", None]):
        new, _ = books.ledger.put_event(event(f"d{number}", fingerprint=f"f{number}"))
        if rule is not None:
            books.ledger.decide_event(new, decision(Decided.UNMATCHED, rule=rule))
    between = books.ledger.fingerprints_between
    assert between("acme/shop", EVENING, EVENING, "ci") == 3
    assert between("acme/shop", EVENING, EVENING, "other") == 1


def test_of_each_repository_the_newest_undecided_event_is_found(books: Books) -> None:
    numbers = {}
    for number in range(8):
        name = f"acme/{number % 3}"
        numbers[name], _ = books.ledger.put_event(event(f"d{number}", repository=name, fingerprint=f"f{number}"))
    books.ledger.decide_event(numbers["acme/0"], decision())
    found = {one.event.repository: one.number for one in books.ledger.newest_undecided(10)}
    assert found == numbers | {"acme/0": numbers["acme/0"] - 3}
    assert len(books.ledger.newest_undecided(2)) == 2


def test_undecided_events_can_be_gone_through_page_by_page(books: Books) -> None:
    numbers = [books.ledger.put_event(event(f"d{number}"))[0] for number in range(5)]
    first = books.ledger.undecided(*HERE, 2)
    assert [one.number for one in first] == numbers[:2]
    assert [one.number for one in books.ledger.undecided(*HERE, 9, after=numbers[1])] == numbers[2:]
