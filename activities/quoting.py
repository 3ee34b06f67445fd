"""What a call would send and what it may cost at most."""

from __future__ import annotations

import hashlib
from datetime import datetime

from activities.services import Services
from thirdshift.core.allowance import output_allowance
from thirdshift.core.conversation import Message
from thirdshift.core.ledger import AttemptRow, CallKey, CallOpening, Conversation, JobRow, Scope
from thirdshift.core.masking import mask_old
from thirdshift.core.ports import ModelRequest
from thirdshift.core.pricing import Rates, fit_max_tokens, hold_nano, input_bound
from thirdshift.core.scopes import Payer, scopes_of

KEPT_STEPS = 20
"""The results of so many last steps are always sent whole."""
MASKED_AT_ONCE = 20


class Priced:
    """A request with its price; lowering ``max_tokens`` changes both together."""

    def __init__(self, request: ModelRequest, opening: CallOpening, rates: Rates, *, measured: bool) -> None:
        self.request = request
        self.opening = opening
        self.rates = rates
        self.measured = measured
        """Whether its input is bounded by what a vendor counted, and not by bytes alone."""

    def lowered_to(self, free_nano: int, floor_tokens: int) -> int | None:
        """The most output tokens that fit into what is free, if that is at least the floor and fewer than now."""
        most = fit_max_tokens(
            self.rates, self.opening.input_bound_tokens, self.opening.max_output_tokens, floor_tokens, free_nano
        )
        return most if most is not None and most < self.opening.max_output_tokens else None

    def take(self, max_output_tokens: int) -> None:
        """Ask for fewer output tokens."""
        hold = hold_nano(self.rates, self.opening.input_bound_tokens, max_output_tokens)
        self.request = self.request.model_copy(update={"max_output_tokens": max_output_tokens})
        self.opening = self.opening.model_copy(update={"max_output_tokens": max_output_tokens, "hold_nano": hold})


def _masked(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return mask_old(messages, KEPT_STEPS, MASKED_AT_ONCE)


def _goes_on(masked: tuple[Message, ...], messages: tuple[Message, ...]) -> bool:
    """Whether the request before this one was its prefix, so that its reported usage bounds that part."""
    earlier = _masked(messages[:-2])
    return masked[: len(earlier)] == earlier


def price_call(
    services: Services,
    conversation: Conversation,
    key: CallKey,
    step: int,
    *,
    counted: int | None = None,
    cut: bool = False,
) -> Priced:
    """The next request of a conversation, priced. Blocking. Raises PriceUnknown.

    ``counted``: the vendor's own count of the request's input. ``cut``: it was asked before, and its answer was cut off
    at its allowance; it gets the rung's whole one, now or not at all.
    """
    attempt, rung = conversation.attempt, conversation.attempt.rung
    terms = services.terms[rung.provider]
    quote = services.prices.quote(terms.kind, rung.provider, rung.vendor_model, terms.base_url)
    now = services.clock()
    job = services.ledger.read_job(attempt.job_id)
    services.ledger.put_rates(quote.snapshot_hash, quote.rates, quote.source, now)
    messages = _masked(conversation.messages)
    if not _goes_on(messages, conversation.messages):
        conversation = conversation.model_copy(update={"last_usage": None})
    most = rung.max_output_tokens if cut else output_allowance(conversation.recent_outputs, rung.max_output_tokens)
    request = ModelRequest(
        model=rung.vendor_model,
        system=attempt.system,
        messages=messages,
        tools=attempt.tools,
        max_output_tokens=most,
        effort=rung.effort,
        role=attempt.role,
    )
    content = request.model_dump_json(exclude={"max_output_tokens", "timeout_seconds"}).encode()
    bound = input_bound(conversation, len(content), counted)
    opening = CallOpening(
        key=key,
        job_id=attempt.job_id,
        owner_id=attempt.owner_id,
        attempt_number=attempt.number,
        step=step,
        role=attempt.role,
        model=rung.model,
        tier=rung.tier,
        reason=attempt.reason,
        request_hash=hashlib.sha256(content).hexdigest(),
        hold_nano=hold_nano(quote.rates, bound, most),
        input_bound_tokens=bound,
        max_output_tokens=most,
        price_snapshot=quote.snapshot_hash,
        scopes=_scopes(services, attempt, job, now),
        opened_at=now,
        sent_messages=len(messages),
        may_wait=not cut,
        priority=job.priority,
    )
    return Priced(request, opening, quote.rates, measured=conversation.last_usage is not None or counted is not None)


def _scopes(services: Services, attempt: AttemptRow, job: JobRow, now: datetime) -> tuple[Scope, ...]:
    limits = services.limits
    payer = Payer(
        job_id=attempt.job_id,
        owner_id=attempt.owner_id,
        attempt_number=attempt.number,
        repository=job.repository,
        team=job.team,
        shift=_night_of(job, now),
    )
    stated = {
        "job_nano": _lower(limits.job_nano, job.budget_nano),
        "shift_nano": _lower(limits.shift_nano, job.night_limit_nano),
    }
    return scopes_of(payer, limits.model_copy(update=stated), now, services.zone)


def _night_of(job: JobRow, now: datetime) -> str | None:
    """The night that pays for a call made now; None outside of one, and once its window has closed."""
    over = job.window_closes_at is not None and now >= job.window_closes_at
    return None if over or not job.night else job.night


def _lower(*limits: int | None) -> int | None:
    return min((nano for nano in limits if nano is not None), default=None)
