"""Requests that are to be refused, each for another reason, in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from bench.rig.webhook_sender import request_bytes
from tests.fakes.webhooks import EXAMPLES, GENERIC, WORKFLOW_RUN, Delivery, delivery
from thirdshift.core.events.signatures import SourceKind

GITHUB, GENERIC_KIND = SourceKind.GITHUB, SourceKind.GENERIC
WRONG = "a-secret-that-is-not-the-right-one-01234"


def _unsigned(kind: SourceKind) -> bytes:
    sent = delivery(kind, EXAMPLES[kind])
    keep = {name: value for name, value in sent.headers.items() if "signature" not in name and "token" not in name}
    return request_bytes(f"/events/{kind}", Delivery(sent.body, keep))


def _wrong(kind: SourceKind) -> bytes:
    return request_bytes(f"/events/{kind}", delivery(kind, EXAMPLES[kind], secret=WRONG))


def _changed() -> bytes:
    sent = delivery(GITHUB, WORKFLOW_RUN)
    return request_bytes("/events/github", Delivery(sent.body.replace(b"failure", b"Failure"), sent.headers))


def _old() -> bytes:
    an_hour_ago = time.time() - 3600  # noqa: TID251 - a forger's clock
    return request_bytes("/events/generic", delivery(GENERIC_KIND, GENERIC, at=an_hour_ago))


def _stolen() -> bytes:
    """A signature of another delivery."""
    sent, other = delivery(GENERIC_KIND, GENERIC), delivery(GENERIC_KIND, {**GENERIC, "title": "x"})
    return request_bytes("/events/generic", Delivery(other.body, sent.headers))


def _signed_but(body: bytes) -> Callable[[], bytes]:
    return lambda: request_bytes("/events/generic", delivery(GENERIC_KIND, body))


def _large() -> bytes:
    """Longer than it says it may be: told by its length alone."""
    sent = delivery(GITHUB, WORKFLOW_RUN).saying(content_length=str(50 << 20))
    return request_bytes("/events/github", sent)


def _zipped() -> bytes:
    return request_bytes("/events/github", delivery(GITHUB, WORKFLOW_RUN).saying(content_encoding="gzip"))


def _form() -> bytes:
    sent = delivery(GITHUB, WORKFLOW_RUN).saying(content_type="application/x-www-form-urlencoded")
    return request_bytes("/events/github", sent)


KINDS: tuple[Callable[[], bytes], ...] = (
    *(lambda kind=kind: _unsigned(kind) for kind in SourceKind),
    *(lambda kind=kind: _wrong(kind) for kind in SourceKind),
    _changed,
    _old,
    _stolen,
    _large,
    _zipped,
    _form,
    _signed_but(b"{"),
    _signed_but(b"[" * 100_000),
    _signed_but(b'{"a":' * 50_000),
    _signed_but(b"\xff\xfe\x00"),
    _signed_but(b"9" * 100_000),
    _signed_but(json.dumps({**GENERIC, "repository": "no name"}).encode()),
    _signed_but(json.dumps({**GENERIC, "facts": {"a": [[]]}}).encode()),
    lambda: request_bytes("/events/nobody", delivery(GITHUB, WORKFLOW_RUN)),
    lambda: request_bytes("/events/github", delivery(GITHUB, WORKFLOW_RUN), method="PUT"),
    lambda: request_bytes("/events/github/../generic", delivery(GENERIC_KIND, GENERIC)),
    lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    lambda: b"POST /events/github HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
)


def forged(count: int) -> Iterator[bytes]:
    """That many of them."""
    for number in range(count):
        yield KINDS[number % len(KINDS)]()
