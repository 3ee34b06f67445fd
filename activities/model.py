"""``call_model``: price, hold, send, settle. Returns references and numbers, never text."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating, this_workflow, whole
from activities.placing import Placed, place, place_whole
from activities.quoting import Priced, price_call
from activities.services import Services
from thirdshift.core.errors import ModelFault, PriceUnknown
from thirdshift.core.faults import Then, comes_back, handling_of, next_delay_seconds, should_retry
from thirdshift.core.ledger import Answered, CallKey, Conversation, DoesNotFit, Held, MustWait
from thirdshift.core.money import format_usd
from thirdshift.core.ports import Model, ModelAnswer, StopKind
from thirdshift.core.pricing import cost_nano
from thirdshift.core.served_model import same_model
from thirdshift.signatures import CallModel, ModelCalled

NOTE_CHARACTERS = 300
WAITING = "waiting_for_budget"
"""The type of the error that sends a call back into the line for money; the engine waits, and no slot is held."""
ASK_AGAIN_SECONDS = (1.0, 5.0)
"""The first wait in line for money, and the longest, before a jitter that may double it.

Each time somebody asks, that uses the provider's own rate limit and, it may be, a call that counts tokens. A place in
the line is forgotten after ``WAITER_FORGOTTEN_SECONDS``, so the longest stays well below that.
"""
_LONGER_EACH_TIME = 1.25


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
                priced, placed = await self._price_and_place(conversation, key, given.s)
            except PriceUnknown as unknown:
                return ModelCalled(fault="unpriced", note=str(unknown)[:NOTE_CHARACTERS])
            match placed:
                case Answered():
                    stored = await asyncio.to_thread(services.ledger.answer, placed.call_id)
                    return ModelCalled(call=placed.call_id, stop=stored.stop)
                case DoesNotFit():
                    scope = f"{placed.scope.kind} {placed.scope.key}"
                    return ModelCalled(fault="budget", note=_no_room(placed, priced), scope=scope)
                case MustWait():
                    raise self._back_in_line(placed, info.attempt)
                case Held() if closed := await whole(self._closed, conversation):
                    await whole(services.ledger.release, placed.call_id, closed, services.clock())
                    return ModelCalled(fault="window", note=closed)
                case Held():
                    return await self._answered(placed, priced, conversation)

    def _closed(self, conversation: Conversation) -> str:
        """Why nothing may be sent any more: the job's window is over by this clock, whatever a workflow believes."""
        job = self._services.ledger.read_job(conversation.attempt.job_id)
        if job.window_closes_at is None or self._services.clock() < job.window_closes_at:
            return ""
        return f"the window of night {job.night} closed at {job.window_closes_at:%H:%M:%S} UTC"

    async def _price_and_place(self, conversation: Conversation, key: CallKey, step: int) -> tuple[Priced, Placed]:
        """Hold by the cheapest bound of the input; where that is mere bytes or does not fit, by the vendor's count."""
        services, model = self._services, self._model_of(conversation)
        floor = services.output_floor_tokens
        counted: int | None = None
        priced = await asyncio.to_thread(price_call, services, conversation, key, step)
        if not priced.measured and (counted := await model.count_input(priced.request)) is not None:
            priced = await asyncio.to_thread(price_call, services, conversation, key, step, counted=counted)
        placed = await whole(place, services.ledger, priced, floor)
        if (
            isinstance(placed, DoesNotFit | MustWait)
            and counted is None
            and (counted := await model.count_input(priced.request)) is not None
        ):
            priced = await asyncio.to_thread(price_call, services, conversation, key, step, counted=counted)
            placed = await whole(place, services.ledger, priced, floor)
        return priced, placed

    def _model_of(self, conversation: Conversation) -> Model:
        return self._services.models[conversation.attempt.rung.provider]

    async def _answered(self, held: Held, priced: Priced, conversation: Conversation) -> ModelCalled:
        """Send and settle; an answer cut off at less than the rung allows is asked for again with all of it."""
        sent = await self._send(held, priced, conversation)
        if isinstance(sent, ModelCalled):
            return sent
        answer, seconds = sent
        if answer.stop is StopKind.MAX_TOKENS and isinstance(cost := self._cost(priced, answer), int):
            again = await whole(place_whole, self._services, conversation, priced.opening)
            if again is not None:
                ledger, now = self._services.ledger, self._services.clock()
                await whole(ledger.settle_unused, held.call_id, answer, cost, seconds, now)
                return await self._answered(again.held, again.priced, conversation)
        standing = await whole(self._settle, held.call_id, priced, answer, seconds)
        if standing != held.call_id:
            answer = await asyncio.to_thread(self._services.ledger.answer, standing)
        return ModelCalled(call=standing, stop=answer.stop)

    async def _send(
        self, held: Held, priced: Priced, conversation: Conversation
    ) -> tuple[ModelAnswer, float] | ModelCalled:
        ledger, clock = self._services.ledger, self._services.clock
        call_id, began = held.call_id, time.monotonic()
        try:
            answer = await self._model_of(conversation).answer(priced.request, on_progress=lambda: None)
        except ModelFault as fault:
            close = ledger.mark_unknown if fault.may_be_billed else ledger.release
            await whole(close, call_id, f"{fault.kind}: {fault}", clock())
            return self._after(fault, held.tries_before + 1)
        except asyncio.CancelledError:
            await whole(ledger.mark_unknown, call_id, "stopped while the call was under way", clock())
            raise
        except BaseException as error:
            # An adapter that breaks its promise may still have been billed.
            await whole(ledger.mark_unknown, call_id, f"unexpected {type(error).__name__}: {error}", clock())
            raise
        return answer, time.monotonic() - began

    def _cost(self, priced: Priced, answer: ModelAnswer) -> int | str:
        """What the answer cost, or why that is not known."""
        asked = priced.request.model
        if answer.usage is None:
            return "the answer reported no usage"
        # A compatible server names its models as it likes, and what it costs was stated by a person; a vendor that
        # answers with another of its models may bill another price.
        vendors_own = not self._services.terms[priced.opening.model.partition("/")[0]].base_url
        if vendors_own and not same_model(asked, answer.served_model):
            return f"asked for {asked}, answered by {answer.served_model}"
        try:
            return cost_nano(priced.rates, answer.usage)
        except PriceUnknown as unknown:
            return str(unknown)

    def _settle(self, call_id: int, priced: Priced, answer: ModelAnswer, seconds: float) -> int:
        """Record the charge; the call whose answer stands. What has no exact price stays charged at its hold."""
        ledger, now = self._services.ledger, self._services.clock()
        cost = self._cost(priced, answer)
        if isinstance(cost, str):
            return ledger.keep_unpriced(call_id, answer, cost, seconds, now)
        return ledger.settle(call_id, answer, cost, seconds, now)

    def _after(self, fault: ModelFault, tries: int) -> ModelCalled:
        """Try again later, holding no slot; or tell the loop that this provider is out, or the talk too long."""
        now, asked = self._services.clock(), fault.retry_after_seconds
        if asked is None and fault.back_at is not None:
            asked = max((fault.back_at - now).total_seconds(), 0.0)
        if should_retry(fault.kind, tries, asked):
            delay = next_delay_seconds(fault.kind, tries, asked, self._jitter.random())
            raise ApplicationError(
                str(fault)[:NOTE_CHARACTERS],
                type=fault.kind.value,
                next_retry_delay=timedelta(seconds=delay),
            ) from fault
        kind = "too_long" if handling_of(fault.kind).then is Then.END_ATTEMPT else fault.kind.value
        back_at = now + timedelta(seconds=asked) if asked is not None and comes_back(fault.kind, asked) else None
        return ModelCalled(fault=kind, note=str(fault)[:NOTE_CHARACTERS], back_at=back_at)

    def _back_in_line(self, wait: MustWait, tries: int) -> ApplicationError:
        """Ask again soon; the place in the line is kept, and a stop ends the wait at once."""
        said = (
            f"waits for ${format_usd(wait.needed_nano)} of {wait.scope.kind} {wait.scope.key}: limit "
            f"${format_usd(wait.scope.limit_nano or 0)}, settled ${format_usd(wait.settled_nano)}, "
            f"held ${format_usd(wait.held_nano)}, {wait.ahead} ahead"
        )
        first, longest = ASK_AGAIN_SECONDS
        seconds = min(first * _LONGER_EACH_TIME ** min(tries - 1, 50), longest)
        delay = timedelta(seconds=seconds * (1.0 + self._jitter.random()))
        return ApplicationError(said[:NOTE_CHARACTERS], type=WAITING, next_retry_delay=delay)


def _no_room(refused: DoesNotFit, priced: Priced) -> str:
    limit = format_usd(refused.scope.limit_nano or 0)
    unknown = f"unknown ${format_usd(refused.unknown_nano)}, " if refused.unknown_nano else ""
    return (
        f"{refused.scope.kind} {refused.scope.key}: limit ${limit}, settled ${format_usd(refused.settled_nano)}, "
        f"{unknown}held ${format_usd(refused.held_nano)}, needed ${format_usd(priced.opening.hold_nano)}"
    )[:NOTE_CHARACTERS]
