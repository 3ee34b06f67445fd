"""Whether a delivery is from who it says: each sender's scheme, on the raw body, compared in constant time.

GitHub: ``X-Hub-Signature-256: sha256=<hex>``, HMAC-SHA256 of the body. The delivery's id is not signed.
GitLab: ``X-Gitlab-Token`` is the secret itself; newer versions can sign by Standard Webhooks instead.
Sentry: ``Sentry-Hook-Signature: <hex>``, HMAC-SHA256 of the body. Its timestamp is unsigned, and checked all the same.
All others: Standard Webhooks 1.0: ``webhook-signature`` has ``v1,<base64>`` entries, HMAC-SHA256 of
``<webhook-id>.<webhook-timestamp>.<body>``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

SHORTEST_SECRET: Final = 16
_PREFIX: Final = "whsec_"
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES: Final = 10


class SourceKind(StrEnum):
    """Who sends, and so how it signs and what it says."""

    GITHUB = "github"
    GITLAB = "gitlab"
    SENTRY = "sentry"
    SARIF = "sarif"
    GENERIC = "generic"


def key_of(secret: str) -> bytes:
    """The HMAC key that a secret of Standard Webhooks stands for: ``whsec_`` and base64, or its own bytes.

    Raises ValueError, not quoting the secret, where what follows ``whsec_`` is no base64.
    """
    if not secret.startswith(_PREFIX):
        return _bytes(secret)
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("begins with whsec_, and what follows is not base64") from None


def fault_of_secret(kind: SourceKind, secret: str) -> str:
    """What is wrong with a configured secret, not quoting it; empty where nothing is."""
    standard = kind in (SourceKind.SARIF, SourceKind.GENERIC) or secret.startswith(_PREFIX)
    try:
        key = key_of(secret) if standard else secret.encode()
    except ValueError as error:
        return str(error)
    if len(key) < SHORTEST_SECRET:
        return f"is shorter than {SHORTEST_SECRET} bytes; make one with: openssl rand -hex 32"
    return ""


def is_genuine(
    kind: SourceKind,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance_seconds: float,
) -> bool:
    """Whether one of the secrets has signed this delivery, recently where the scheme can tell.

    ``headers`` have lower-case names; ``now`` is in seconds since 1970.
    """
    if kind is SourceKind.GITHUB:
        return _any_hex(headers.get("x-hub-signature-256", ""), "sha256=", body, secrets)
    if kind is SourceKind.SENTRY:
        fresh = _is_fresh(headers.get("sentry-hook-timestamp", ""), now, tolerance_seconds)
        return _any_hex(headers.get("sentry-hook-signature", ""), "", body, secrets) and fresh
    if kind is SourceKind.GITLAB and "webhook-signature" not in headers:
        sent = _bytes(headers.get("x-gitlab-token", ""))
        return any([hmac.compare_digest(sent, _bytes(secret)) for secret in secrets])
    fresh = _is_fresh(headers.get("webhook-timestamp", ""), now, tolerance_seconds)
    return _any_standard(headers, body, secrets) and fresh


def standard_signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """One entry of ``webhook-signature``."""
    signed = _bytes(f"{webhook_id}.{timestamp}.") + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def _any_standard(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    sent = [_bytes(entry) for entry in headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]]
    if not webhook_id:
        return False
    expected = [_bytes(standard_signature(secret, webhook_id, timestamp, body)) for secret in secrets]
    return any([hmac.compare_digest(one, other) for one in sent for other in expected])


def _any_hex(sent: str, prefix: str, body: bytes, secrets: Sequence[str]) -> bool:
    expected = [prefix + hmac.new(_bytes(secret), body, hashlib.sha256).hexdigest() for secret in secrets]
    return any([hmac.compare_digest(_bytes(sent), _bytes(one)) for one in expected])


def _is_fresh(timestamp: str, now: float, tolerance_seconds: float) -> bool:
    return _SECONDS.fullmatch(timestamp) is not None and abs(now - int(timestamp)) <= tolerance_seconds


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
