"""The HTTP client under the SDKs: no ambient configuration, and nothing on the wire that we did not choose.

Both SDKs read environment variables for keys, organisations, extra headers and proxies, even when a key is given.
So the client refuses ambient proxies, and a hook rewrites the headers of every request to a short list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx2

_KEPT_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "transfer-encoding",
        "user-agent",
    }
)
_CONNECT_SECONDS = 10.0
_KEPT_IDLE_SECONDS = 4.0
NO_KEY = "no-key"
"""Given to the SDKs where no key is configured, as they insist on one; it never leaves this process."""


def open_client(base_url: str, api_key: str | None) -> httpx2.AsyncClient:
    """A client that ignores the environment, follows no redirect and sends the key, if any, as a bearer token."""
    # A server that closes an idle connection just as a request goes out makes that call look sent, and possibly
    # billed. Small servers without TLS do so after an answer or two, and a new connection to them costs nothing;
    # those with TLS are worth keeping, for a short while.
    kept = 0 if urlsplit(base_url).scheme == "http" else 64
    return httpx2.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=kept, keepalive_expiry=_KEPT_IDLE_SECONDS),
        event_hooks={"request": [_chosen_headers(api_key)]},
    )


def _chosen_headers(api_key: str | None) -> Callable[[httpx2.Request], Awaitable[None]]:
    async def choose(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _KEPT_HEADERS:
                del request.headers[name]
        if api_key:
            request.headers["authorization"] = f"Bearer {api_key}"

    return choose


def timeouts(longest_silence_seconds: float) -> httpx2.Timeout:
    """Time limits of one call: for the next byte, and a short one for connecting."""
    return httpx2.Timeout(longest_silence_seconds, connect=min(_CONNECT_SECONDS, longest_silence_seconds))


def host_of(base_url: str) -> str:
    """Host and port of an address, without the credentials it may hold."""
    parts = urlsplit(base_url)
    return parts.netloc.rpartition("@")[2] or base_url
