from __future__ import annotations

import json

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from thirdshift.adapters.engine.discretion import discreet_converter
from thirdshift.core.frozen import Frozen
from thirdshift.core.text import REDACTED, Redactor

KEY = "operator-key-3391-fox"
CONVERTER = discreet_converter(Redactor([KEY]))


class Told(Frozen):
    url: str
    words: tuple[str, ...] = ()
    number: int = 3


async def test_a_payload_with_a_secret_leaves_without_it_and_is_still_what_it_was() -> None:
    given = Told(url="https://bob:hunter22@git.example.org/x.git", words=(f"the key: {KEY}", "\u00fcber"))
    payloads = await CONVERTER.encode([given])
    assert KEY.encode() not in payloads[0].data
    assert b"hunter22" not in payloads[0].data
    (back,) = await CONVERTER.decode(payloads, [Told])
    assert back == Told(
        url=f"https://bob:{REDACTED}@git.example.org/x.git", words=(f"the key: {REDACTED}", "\u00fcber")
    )


async def test_a_pattern_that_would_run_from_one_text_into_the_next_breaks_no_document() -> None:
    given = {"url": "http://host:80", "mail": "me@example.org", "more": f"{KEY}"}
    (payload,) = await CONVERTER.encode([given])
    assert json.loads(payload.data) == {"url": "http://host:80", "mail": "me@example.org", "more": REDACTED}


async def test_a_payload_with_nothing_to_hide_stays_the_same_bytes() -> None:
    (plain,) = CONVERTER.payload_converter.to_payloads([Told(url="https://git.example.org/x.git")])
    assert CONVERTER.payload_codec is not None
    assert await CONVERTER.payload_codec.encode([plain]) == [plain]


async def test_what_is_no_json_is_left_alone() -> None:
    raw = Payload(metadata={"encoding": b"binary/plain"}, data=KEY.encode())
    assert CONVERTER.payload_codec is not None
    assert await CONVERTER.payload_codec.encode([raw]) == [raw]


def refuse() -> None:
    raise OSError(f"refused: Authorization: Bearer {KEY}")


def ask() -> None:
    try:
        refuse()
    except OSError as error:
        raise ApplicationError(f"the provider said {KEY}", {"note": KEY}, type="x") from error


async def test_a_failure_tells_no_secret_in_its_words_its_trace_its_details_or_its_causes() -> None:
    failure = Failure()
    with pytest.raises(ApplicationError) as told:
        ask()
    await CONVERTER.encode_failure(told.value, failure)
    assert KEY.encode() not in failure.SerializeToString()
    assert failure.message == f"the provider said {REDACTED}"
    assert failure.cause.message == f"refused: Authorization: Bearer {REDACTED}"
    back = await CONVERTER.decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert back.type == "x"


@pytest.mark.parametrize("words", ["", "plain", "<redacted>"])
async def test_ordinary_failures_keep_their_words(words: str) -> None:
    failure = Failure()
    await CONVERTER.encode_failure(ApplicationError(words), failure)
    assert failure.message == words
