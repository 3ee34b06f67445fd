"""``call_model``: price, hold, send, settle. Returns references and numbers, never text."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating, this_workflow, whole
from activities.quoting import Priced, price_call
from activities.services import Services
from thirdshift.core.errors import ModelFault, PriceUnknown
from thirdshift.core.faults import Then, handling_of, next_delay_seconds, should_retry
from thirdshift.core.ledger import Answered, CallKey, Conversation, DoesNotFit, Held
from thirdshift.core.money import format_usd
from thirdshift.core.ports import ModelAnswer
from thirdshift.core.pricing import cost_nano
from thirdshift.core.served_model import same_model
from thirdshift.signatures import CallModel, ModelCalled

NOTE_CHARACTERS = 300


class ModelActivities:
    """Runs on any worker that has the provider's key."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._jitter = secrets.SystemRandom()

    @activity.defn(name="call_model")
    async def call_model(self, given: CallModel) -> ModelCalled:
        """The next answer of a conversation: the stored one if this step was answered before, else a new one."""
        services, info = self._services, activity.info()
        owner_id = this_workflow()
        key = CallKey(
            workflow_id=owner_id,
            run_id=info.workflow_run_id or "",
            activity_id=info.activity_id,
            attempt=info.attempt,
        )
        async with beating():
            conversation = await asyncio.to_thread(services.ledger.conversation, owner_id, given.n, given.s)
            try:
                priced = await asyncio.to_thread(price_call, services, conversation, key, given.s)
            except PriceUnknown as unknown:
                return ModelCalled(fault="unpriced", note=str(unknown)[:NOTE_CHARACTERS])
            placed = await whole(self._place, priced)
            match placed:
                case Answered():
                    stored = await asyncio.to_thread(services.ledger.answer, placed.call_id)
                    return ModelCalled(call=placed.call_id, stop=stored.stop)
                case DoesNotFit():
                    return ModelCalled(fault="budget", note=_no_room(placed, priced))
                case Held():
                    return await self._send(placed.call_id, priced, conversation, info.attempt)

    def _place(self, priced: Priced) -> Held | Answered | DoesNotFit:
        """Hold for the whole of ``max_tokens``; where that does not fit, for as much of it as does."""
        placed = self._services.ledger.place_hold(priced.opening)
        while isinstance(placed, DoesNotFit):
            smaller = priced.lowered_to(placed.free_nano, self._services.output_floor_tokens)
            if smaller is None:
                return placed
            priced.take(smaller)
            placed = self._services.ledger.place_hold(priced.opening)
        return placed

    async def _send(self, call_id: int, priced: Priced, conversation: Conversation, tries: int) -> ModelCalled:
        ledger, clock = self._services.ledger, self._services.clock
        model = self._services.models[conversation.attempt.rung.provider]
        began = time.monotonic()
        try:
            answer = await model.answer(priced.request, on_progress=lambda: None)
        except ModelFault as fault:
            close = ledger.mark_unknown if fault.may_be_billed else ledger.release
            await whole(close, call_id, f"{fault.kind}: {fault}", clock())
            return self._after(fault, tries)
        except asyncio.CancelledError:
            await whole(ledger.mark_unknown, call_id, "stopped while the call was under way", clock())
            raise
        except BaseException as error:
            # An adapter that breaks its promise may still have been billed.
            await whole(ledger.mark_unknown, call_id, f"unexpected {type(error).__name__}: {error}", clock())
            raise
        standing = await whole(self._settle, call_id, priced, answer, time.monotonic() - began)
        if standing != call_id:
            answer = await asyncio.to_thread(ledger.answer, standing)
        return ModelCalled(call=standing, stop=answer.stop)

    def _settle(self, call_id: int, priced: Priced, answer: ModelAnswer, seconds: float) -> int:
        """Record the charge; the call whose answer stands. What has no exact price stays charged at its hold."""
        ledger, now = self._services.ledger, self._services.clock()
        asked = priced.request.model
        if answer.usage is None:
            return ledger.keep_unpriced(call_id, answer, "the answer reported no usage", seconds, now)
        # A compatible server names its models as it likes, and what it costs was stated by a person; a vendor that
        # answers with another of its models may bill another price.
        vendors_own = not self._services.terms[priced.opening.model.partition("/")[0]].base_url
        if vendors_own and not same_model(asked, answer.served_model):
            why = f"asked for {asked}, answered by {answer.served_model}"
            return ledger.keep_unpriced(call_id, answer, why, seconds, now)
        return ledger.settle(call_id, answer, cost_nano(priced.rates, answer.usage), seconds, now)

    def _after(self, fault: ModelFault, tries: int) -> ModelCalled:
        """Try again later, holding no slot; or tell the loop that this provider is out, or the talk too long."""
        if should_retry(fault.kind, tries, fault.retry_after_seconds):
            delay = next_delay_seconds(fault.kind, tries, fault.retry_after_seconds, self._jitter.random())
            raise ApplicationError(
                f"{fault.kind}: {fault}"[:NOTE_CHARACTERS],
                type=fault.kind.value,
                next_retry_delay=timedelta(seconds=delay),
            ) from fault
        kind = "too_long" if handling_of(fault.kind).then is Then.END_ATTEMPT else fault.kind.value
        return ModelCalled(fault=kind, note=str(fault)[:NOTE_CHARACTERS])


def _no_room(refused: DoesNotFit, priced: Priced) -> str:
    limit = format_usd(refused.scope.limit_nano or 0)
    return (
        f"{refused.scope.kind} {refused.scope.key}: limit ${limit}, settled ${format_usd(refused.settled_nano)}, "
        f"held ${format_usd(refused.held_nano)}, needed ${format_usd(priced.opening.hold_nano)}"
    )[:NOTE_CHARACTERS]
