from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.fakes.webhooks import EXAMPLES, GENERIC, SARIF, SECRET, WORKFLOW_RUN, Delivery, changed, delivery
from tests.web.counter import Answer, Counter, endless, send, slowly
from thirdshift.core.event_book import Decided, Decision
from thirdshift.core.events.signatures import SourceKind

GITHUB = SourceKind.GITHUB


def plain(answer: Answer) -> bool:
    """Whether an answer is one plain line that gives nothing away."""
    kind = answer.headers["content-type"]
    return kind == "text/plain; charset=utf-8" and answer.text.count("\n") == 1 and SECRET not in answer.text


@pytest.mark.parametrize("kind", list(SourceKind))
async def test_a_genuine_delivery_is_stored_announced_and_answered_with_202(kind: SourceKind) -> None:
    counter = Counter()
    answer = await send(counter.app(), f"/events/{kind}", delivery(kind, EXAMPLES[kind]))
    assert answer.status == 202
    assert answer.text.startswith("taken: ")
    assert plain(answer)
    stored = counter.book.events(10)
    assert counter.announced == sorted(record.number for record in stored)
    assert {record.event.source for record in stored} == {kind.value}


async def test_a_repeated_delivery_is_one_event_and_is_announced_only_while_it_is_undecided() -> None:
    counter = Counter()
    app = counter.app()
    sent = delivery(GITHUB, WORKFLOW_RUN)
    first = await send(app, "/events/github", sent)
    again = await send(app, "/events/github", sent)
    assert (first.text, again.text) == ("taken: event 1\n", "known already: event 1\n")
    assert again.status == 202
    assert counter.announced == [1, 1]
    counter.book.decide_event(
        1, Decision(what=Decided.UNMATCHED, why="No rule wants it.", at=datetime(2026, 11, 22, tzinfo=UTC))
    )
    third = await send(app, "/events/github", sent)
    assert (third.status, third.text) == (202, "known already: event 1\n")
    assert counter.announced == [1, 1]
    assert len(counter.book.events(10)) == 1


async def test_the_same_id_of_two_sources_is_two_events() -> None:
    counter = Counter()
    app = counter.app()
    await send(app, "/events/github", delivery(GITHUB, WORKFLOW_RUN, delivery_id="1"))
    await send(app, "/events/gitlab", delivery(SourceKind.GITLAB, EXAMPLES[SourceKind.GITLAB], delivery_id="1"))
    assert len(counter.book.events(10)) == 2


async def test_a_ping_is_answered_and_kept_nowhere() -> None:
    counter = Counter()
    answer = await send(counter.app(), "/events/github", delivery(GITHUB, {"zen": "x"}, event="ping"))
    assert (answer.status, answer.text) == (200, "nothing to do: pong: the webhook is set up\n")
    assert counter.book.events(10) == []


async def test_while_temporal_is_down_an_event_is_kept_and_its_sender_asked_to_come_again() -> None:
    counter = Counter(down=True)
    app = counter.app()
    sent = delivery(GITHUB, WORKFLOW_RUN)
    answer = await send(app, "/events/github", sent)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert plain(answer)
    assert len(counter.book.events(10)) == 1
    counter.down = False
    assert (await send(app, "/events/github", sent)).status == 202
    assert counter.announced == [1]


async def test_while_the_ledger_is_down_nothing_is_announced_and_the_sender_is_asked_to_come_again() -> None:
    counter = Counter()
    counter.book.broken = True
    answer = await send(counter.app(), "/events/github", delivery(GITHUB, WORKFLOW_RUN))
    assert (answer.status, counter.announced) == (503, [])
    assert "retry-after" in answer.headers
    assert plain(answer)
    assert "disk" not in answer.text, "what is wrong here is not the sender's to know"


async def test_a_wrong_signature_and_a_missing_one_get_the_same_answer() -> None:
    app = Counter().app()
    sent = delivery(GITHUB, WORKFLOW_RUN)
    answers = [
        await send(app, "/events/github", one)
        for one in (
            sent.without("x-hub-signature-256"),
            sent.saying(x_hub_signature_256="sha256=" + "0" * 64),
            delivery(GITHUB, WORKFLOW_RUN, secret="another-secret-0123456789"),
            Delivery(b"{", sent.headers),
        )
    ]
    assert len({(answer.status, answer.text) for answer in answers}) == 1
    assert answers[0].status == 401
    assert plain(answers[0])


async def test_each_wrong_request_gets_its_own_status_and_the_remedy_and_repeats_nothing() -> None:
    counter = Counter()
    app = counter.app()
    sent = delivery(GITHUB, WORKFLOW_RUN)
    hostile = "<script>\u202e"
    cases = {
        404: await send(app, f"/events/{hostile}", sent),
        405: await send(app, "/events/github", sent, method="GET"),
        413: await send(app, "/events/github", sent.saying(content_length=str(2 << 20))),
        415: await send(app, "/events/github", sent.saying(content_type="application/x-www-form-urlencoded")),
        422: await send(app, "/events/github", delivery(GITHUB, changed(WORKFLOW_RUN, "repository", to=hostile))),
    }
    for status, answer in cases.items():
        assert answer.status == status
        assert plain(answer)
        assert "script" not in answer.text
    assert "POST" in cases[405].headers["allow"]
    assert "application/json" in cases[415].text
    zipped = await send(app, "/events/github", sent.saying(content_encoding="gzip"))
    assert (zipped.status, plain(zipped)) == (415, True)
    elsewhere = await send(app, "/", sent)
    assert (elsewhere.status, plain(elsewhere)) == (404, True)
    assert counter.book.events(10) == []


async def test_a_body_is_cut_off_at_its_bound_whatever_its_stated_length() -> None:
    app = Counter(most_bytes=4096).app()
    sent = delivery(GITHUB, WORKFLOW_RUN)
    chunked = await send(app, "/events/github", sent, chunks=endless(b"x" * 1000))
    assert chunked.status == 413
    assert chunked.headers["connection"] == "close"
    lying = await send(app, "/events/github", sent.saying(content_length="10"), chunks=endless(b"x" * 1000))
    assert lying.status == 413
    for odd in ("-1", "1e3", "٣", "9" * 400, ""):
        assert (await send(app, "/events/github", sent.saying(content_length=odd))).status == 413


async def test_bodies_that_are_half_received_share_one_room() -> None:
    app = Counter(most_bytes=30 << 20, body_seconds=1.0, kinds=(GITHUB,)).app()
    sent = delivery(GITHUB, WORKFLOW_RUN)
    part = b"x" * (10 << 20)
    answers = await asyncio.gather(
        *(send(app, "/events/github", sent, chunks=slowly(part, part)) for _ in range(5)),
    )
    assert sorted(answer.status for answer in answers) == [408, 408, 408, 503, 503]
    assert (await send(app, "/events/github", sent)).status == 202, "what was refused has given its room back"


async def test_a_body_that_does_not_come_is_waited_for_only_so_long() -> None:
    answer = await send(
        Counter(body_seconds=0.05).app(), "/events/github", delivery(GITHUB, WORKFLOW_RUN), chunks=slowly(b"{")
    )
    assert answer.status == 408
    assert plain(answer)


async def test_a_body_in_many_chunks_is_one_body() -> None:
    sent = delivery(GITHUB, WORKFLOW_RUN)

    async def bytewise() -> AsyncIterator[bytes]:
        for at in range(0, len(sent.body), 7):
            yield sent.body[at : at + 7]

    assert (await send(Counter().app(), "/events/github", sent, chunks=bytewise())).status == 202


async def test_a_source_that_sends_too_much_is_told_when_to_come_again_and_the_others_are_not_kept_waiting() -> None:
    counter = Counter(per_minute=60, burst=2)
    app = counter.app()
    sent = [delivery(GITHUB, WORKFLOW_RUN, delivery_id=str(number)) for number in range(4)]
    assert [(await send(app, "/events/github", one)).status for one in sent[:2]] == [202, 202]
    refused = await send(app, "/events/github", sent[2])
    assert (refused.status, refused.headers["retry-after"], plain(refused)) == (429, "1", True)
    assert (await send(app, "/events/generic", delivery(SourceKind.GENERIC, GENERIC))).status == 202
    counter.steady += 1
    assert (await send(app, "/events/github", sent[2])).status == 202


async def test_whoever_cannot_sign_cannot_use_up_what_a_source_may_send() -> None:
    app = Counter(per_minute=60, burst=1).app()
    forged = delivery(GITHUB, WORKFLOW_RUN, secret="another-secret-0123456789")
    assert {(await send(app, "/events/github", forged)).status for _ in range(20)} == {401}
    assert (await send(app, "/events/github", delivery(GITHUB, WORKFLOW_RUN))).status == 202


async def test_a_log_of_a_scanner_may_be_larger_and_has_a_type_of_its_own() -> None:
    app = Counter().app()
    padded = changed(SARIF, "runs", 0, "properties", to={"padding": "x" * (2 << 20)})
    sent = delivery(SourceKind.SARIF, padded).saying(content_type="application/sarif+json; charset=utf-8")
    assert (await send(app, "/events/sarif", sent)).text == "taken: 2 events\n"
    assert (await send(app, "/events/sarif", sent)).text == "taken: 0 events; 2 known already\n"


async def test_whether_it_lives_can_be_asked() -> None:
    answer = await send(Counter().app(), "/healthz", Delivery(b""), method="GET")
    assert (answer.status, answer.text) == (200, "ok\n")


async def test_a_fault_of_our_own_tells_the_sender_nothing() -> None:
    class Faulty(Counter):
        async def _announce(self, _event: object, number: int) -> None:
            raise RuntimeError(f"inside {SECRET} {number}")

    faults: list[Exception] = []
    answer = await send(Faulty().app(), "/events/github", delivery(GITHUB, WORKFLOW_RUN), faults=faults)
    assert answer.status == 500
    assert plain(answer)
    assert "inside" not in answer.text
    assert [str(fault) for fault in faults] == [f"inside {SECRET} 1"], "and the log has it all"
