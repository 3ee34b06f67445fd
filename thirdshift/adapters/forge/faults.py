"""What a forge's refusal means: whether trying again may mend it, and what a person can do if not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thirdshift.core.errors import DeliveryRefused, ForgeUnavailable
from thirdshift.core.text import one_line

_SAID: Final = 200
_REMEDIES: Final = {
    401: "the token was refused; make a new one and set the variable that [forges] token_env names",
    403: "the token may not do that; give it the right to read the project and to write pull requests",
    404: "there is no such project, or the token may not see it; check the address and the token's scope",
    405: "the forge does not offer that here; check [forges] url, which ends in /api/v3 on GitHub Enterprise",
}


def unreachable(where: str, error: Exception) -> ForgeUnavailable:
    """No answer came, or none that can be read."""
    return ForgeUnavailable(f"{where} gave no answer ({type(error).__name__}: {one_line(str(error), _SAID)})")


def fault(where: str, status: int, said: str, headers: Mapping[str, str] | None = None) -> Exception:
    """The error for an answer that is a refusal.

    GitHub says 403 for its rate limits, and then has a ``retry-after`` header, or one that says that nothing remains.
    """
    low = {name.lower(): value for name, value in (headers or {}).items()}
    told = one_line(said, _SAID)
    limited = status == 429 or "retry-after" in low or low.get("x-ratelimit-remaining") == "0"
    if status >= 500 or status == 408 or limited:
        return ForgeUnavailable(f"{where} answered {status}: {told}", _seconds(low.get("retry-after", "")))
    remedy = _REMEDIES.get(status, "the forge gives the reason; mend that, then resume the job")
    return DeliveryRefused(f"{where} answered {status}: {told}; {remedy}.")


def already_there(where: str) -> ForgeUnavailable:
    """Somebody made the same request in the meantime: looking again finds it."""
    return ForgeUnavailable(f"{where} has a request from this branch by now; it is looked up again", 1.0)


def _seconds(text: str) -> float | None:
    return float(text) if text.isdigit() else None
