from __future__ import annotations

import base64

import pytest

from tests.fakes.webhooks import EXAMPLES, GENERIC, PIPELINE, SECRET, Delivery, delivery, standard_headers
from thirdshift.core.events.signatures import SourceKind, fault_of_secret, is_genuine, standard_signature

NOW = 1_800_000_000.0
OTHER = "another-secret-0123456789abcdef"


def genuine(kind: SourceKind, sent: Delivery, *secrets: str, now: float = NOW) -> bool:
    return is_genuine(kind, sent.headers, sent.body, secrets or (SECRET,), now=now, tolerance_seconds=300)


@pytest.mark.parametrize("kind", list(SourceKind))
def test_what_the_secret_has_signed_is_genuine_and_nothing_else_is(kind: SourceKind) -> None:
    sent = delivery(kind, EXAMPLES[kind], at=NOW)
    assert genuine(kind, sent)
    assert genuine(kind, sent, OTHER, SECRET), "the old secret holds while a new one comes in"
    assert not genuine(kind, sent, OTHER)
    assert not genuine(kind, Delivery(sent.body, {"content-type": "application/json"}))
    assert not genuine(kind, delivery(kind, EXAMPLES[kind], at=NOW, secret=OTHER))


@pytest.mark.parametrize("kind", [SourceKind.GITHUB, SourceKind.SENTRY, SourceKind.SARIF, SourceKind.GENERIC])
def test_a_body_that_was_changed_by_one_byte_is_not_genuine(kind: SourceKind) -> None:
    sent = delivery(kind, EXAMPLES[kind], at=NOW)
    assert not genuine(kind, Delivery(sent.body + b" ", sent.headers))


@pytest.mark.parametrize("kind", [SourceKind.SENTRY, SourceKind.SARIF, SourceKind.GENERIC])
@pytest.mark.parametrize("away", [-301.0, 301.0])
def test_a_delivery_that_was_signed_too_long_ago_or_ahead_is_not_genuine(kind: SourceKind, away: float) -> None:
    assert genuine(kind, delivery(kind, EXAMPLES[kind], at=NOW - 299))
    assert not genuine(kind, delivery(kind, EXAMPLES[kind], at=NOW + away))


def test_the_specification_s_own_example_is_genuine() -> None:
    # https://github.com/standard-webhooks/standard-webhooks: the test vector that its libraries share.
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert (
        standard_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize(
    "header",
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
)
def test_a_standard_delivery_without_one_of_its_headers_is_not_genuine(header: str) -> None:
    assert not genuine(SourceKind.GENERIC, delivery(SourceKind.GENERIC, GENERIC, at=NOW).without(header))


def test_an_id_that_was_changed_is_not_genuine_where_ids_are_signed() -> None:
    sent = delivery(SourceKind.GENERIC, GENERIC, at=NOW)
    assert not genuine(SourceKind.GENERIC, sent.saying(webhook_id="delivery-2"))


def test_one_of_several_signatures_is_enough() -> None:
    sent = delivery(SourceKind.GENERIC, GENERIC, at=NOW)
    several = f"v1,{base64.b64encode(b'x' * 32).decode()} v2,abc {sent.headers['webhook-signature']}"
    assert genuine(SourceKind.GENERIC, sent.saying(webhook_signature=several))


def test_gitlab_may_sign_instead_of_sending_its_token_and_is_then_held_to_it() -> None:
    sent = delivery(SourceKind.GITLAB, PIPELINE)
    signed = Delivery(
        sent.body, {"content-type": "application/json", **standard_headers(sent.body, SECRET, "d", str(int(NOW)))}
    )
    assert genuine(SourceKind.GITLAB, signed)
    assert not genuine(SourceKind.GITLAB, Delivery(sent.body + b" ", signed.headers))
    wrong = sent.saying(webhook_id="d", webhook_timestamp=str(int(NOW)), webhook_signature="v1,AAAA")
    assert not genuine(SourceKind.GITLAB, wrong), "a wrong signature is not made good by a right token"


@pytest.mark.parametrize("kind", list(SourceKind))
@pytest.mark.parametrize("odd", ["", "\xff\x00", "sha256=", "v1,", "Ä" * 4000, "1e9", "٣" * 10])
def test_odd_headers_are_not_genuine_and_no_fault(kind: SourceKind, odd: str) -> None:
    sent = delivery(kind, EXAMPLES[kind], at=NOW)
    for name in sent.headers:
        if name != "content-type" and ("signature" in name or "token" in name or "timestamp" in name):
            assert not genuine(kind, Delivery(sent.body, {**sent.headers, name: odd}))


def test_secrets_that_guard_nothing_are_found_and_not_quoted() -> None:
    assert "shorter" in fault_of_secret(SourceKind.GITHUB, "short")
    assert "base64" in fault_of_secret(SourceKind.GENERIC, "whsec_!!!!!!!!!!!!!!!!!!!!!!!!")
    assert "!!" not in fault_of_secret(SourceKind.GENERIC, "whsec_!!!!!!!!!!!!!!!!!!!!!!!!")
    assert fault_of_secret(SourceKind.GITHUB, SECRET) == ""
    assert fault_of_secret(SourceKind.GENERIC, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") == ""
