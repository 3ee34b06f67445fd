"""What leaves for the Temporal server loses its secrets first: payloads, and the words of failures.

Temporal keeps both for as long as it keeps histories, and shows them to whoever opens its UI.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter

from thirdshift.core.redaction import redact_json
from thirdshift.core.text import Redactor

_JSON = b"json/plain"


def discreet_converter(redactor: Redactor) -> DataConverter:
    """Pydantic's converter, with every text redacted on its way out. Nothing is changed on its way in."""

    class Discreet(RedactingFailures):
        def __init__(self) -> None:
            super().__init__(redactor)

    return dataclasses.replace(
        pydantic_data_converter, payload_codec=RedactingCodec(redactor), failure_converter_class=Discreet
    )


class RedactingCodec(PayloadCodec):
    """Redacts the texts in JSON payloads; most have none to hide, and stay the same bytes."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads fit to be kept by a server."""
        return [self._redacted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The same payloads."""
        return list(payloads)

    def _redacted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _JSON:
            return payload
        text = payload.data.decode("utf-8", "surrogatepass")
        # A look at the whole finds out whether there is anything; only then is each text looked at by itself, since
        # a pattern that ran over the borders of texts would break the document.
        if self._redactor(text) == text:
            return payload
        data = json.dumps(redact_json(json.loads(text), self._redactor), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        return Payload(metadata=payload.metadata, data=data)


class RedactingFailures(DefaultFailureConverter):
    """Redacts what went wrong: messages, traces, and those of every cause."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """See the SDK."""
        super().to_failure(exception, payload_converter, failure)
        told: Failure | None = failure
        while told is not None:
            told.message = self._redactor(told.message)
            told.stack_trace = self._redactor(told.stack_trace)
            told = told.cause if told.HasField("cause") else None
