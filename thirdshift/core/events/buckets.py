"""How many deliveries a source may bring: a token bucket, with the time passed in."""

from __future__ import annotations


class TokenBucket:
    """Holds ``burst`` tokens at most, and gets ``per_minute`` of them a minute."""

    def __init__(self, per_minute: int, burst: int, now: float) -> None:
        self._per_second = per_minute / 60
        self._most = float(burst)
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> float:
        """Take a token: 0, or the seconds until there will be one. ``now`` is any steady clock, in seconds."""
        self._tokens = min(self._most, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._per_second
