from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model import WAITING, ModelActivities
from activities.quoting import price_call
from activities.services import Services
from tests.activities.bench import (
    JOB,
    LOOP,
    NOW,
    RUNG,
    Answering,
    PlayedModel,
    always,
    answer,
    call,
    open_attempt,
    services_at,
)
from thirdshift.core.allowance import LEAST_TOKENS
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.ledger import CallKey, CallRow, CallState, Held
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.scopes import BudgetLimits
from thirdshift.core.usage import Usage
from thirdshift.signatures import CallModel, ModelCalled

FIRST = CallModel(n=1, s=1)


def environment(*, activity_id: str = "5", attempt: int = 1, run: str = "run-1") -> ActivityEnvironment:
    made = ActivityEnvironment()
    made.info = made.info.__class__(
        **{
            **{name: getattr(made.info, name) for name in made.info.__dataclass_fields__},
            "workflow_id": LOOP,
            "workflow_run_id": run,
            "activity_id": activity_id,
            "attempt": attempt,
        }
    )
    return made


async def called(
    services: Services, given: CallModel = FIRST, *, activity_id: str = "5", attempt: int = 1, run: str = "run-1"
) -> ModelCalled:
    where = environment(activity_id=activity_id, attempt=attempt, run=run)
    return await where.run(ModelActivities(services).call_model, given)


async def test_an_answer_is_settled_at_its_true_cost(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(call("bash", command="ls"))))
    services = services_at(tmp_path, model)
    open_attempt(services)
    given = await called(services)
    row = services.ledger.call(given.call)
    assert (row.state, given.stop) == (CallState.SETTLED, StopKind.TOOLS)
    assert row.cost_nano == 100 * 1_000 + 10 * 10_000
    assert row.hold_nano >= row.cost_nano


async def test_a_retry_of_an_answered_step_sends_nothing(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(call("bash", command="ls"))))
    services = services_at(tmp_path, model)
    open_attempt(services)
    first = await called(services)
    again = await called(services, attempt=2)
    after_reset = await called(services, run="run-2")
    assert first == again == after_reset
    assert len(model.requests) == 1


async def test_a_call_whose_worker_died_is_unknown_and_its_hold_stays_charged(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(text="done")))
    services = services_at(tmp_path, model)
    open_attempt(services)
    held = await asyncio.to_thread(_hold_only, services)
    given = await called(services, attempt=2)
    assert services.ledger.call(held).state is CallState.UNKNOWN
    assert services.ledger.call(given.call).state is CallState.SETTLED
    charged = services.ledger.job_cost_nano(JOB)
    assert charged == services.ledger.call(held).hold_nano + services.ledger.call(given.call).cost_nano


def _hold_only(services: Services, activity_id: str = "5") -> int:
    """A hold as a first try would leave it whose worker vanished before the answer."""
    key = CallKey(workflow_id=LOOP, run_id="run-1", activity_id=activity_id, attempt=1)
    conversation = services.ledger.conversation(LOOP, 1, 1)
    placed = services.ledger.place_hold(price_call(services, conversation, key, 1).opening)
    assert isinstance(placed, Held)
    return placed.call_id


@pytest.mark.parametrize(
    ("kind", "billed", "state"),
    [
        (FaultKind.RATE_LIMITED, False, CallState.RELEASED),
        (FaultKind.OVERLOADED, False, CallState.RELEASED),
        (FaultKind.UNREACHABLE, False, CallState.RELEASED),
        (FaultKind.TIMED_OUT, True, CallState.UNKNOWN),
        (FaultKind.CUT_STREAM, True, CallState.UNKNOWN),
        (FaultKind.BAD_BODY, True, CallState.UNKNOWN),
    ],
)
async def test_a_passing_fault_is_waited_out_by_the_engine(
    tmp_path: Path, kind: FaultKind, billed: bool, state: CallState
) -> None:
    services = services_at(tmp_path, PlayedModel(faulting(kind, billed)))
    open_attempt(services)
    with pytest.raises(ApplicationError) as raised:
        await called(services)
    assert raised.value.next_retry_delay is not None
    assert not raised.value.non_retryable
    assert [row.state for row in calls_of(services)] == [state]


async def test_the_wait_that_a_vendor_asks_for_is_the_least_that_is_waited(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(faulting(FaultKind.RATE_LIMITED, False, after=30.0)))
    open_attempt(services)
    with pytest.raises(ApplicationError) as raised:
        await called(services)
    assert raised.value.next_retry_delay is not None
    assert raised.value.next_retry_delay.total_seconds() >= 30.0


async def test_a_fault_that_stays_is_told_to_the_loop_after_so_many_calls(tmp_path: Path) -> None:
    model = PlayedModel(faulting(FaultKind.CUT_STREAM, True))
    services = services_at(tmp_path, model)
    open_attempt(services)
    for attempt in (1, 2):
        with pytest.raises(ApplicationError, match="cut_stream"):
            await called(services, attempt=attempt)
    given = await called(services, attempt=3)
    assert (given.fault, given.call) == ("cut_stream", 0)
    assert len(model.requests) == 3


async def test_turns_spent_waiting_for_money_are_no_tries_of_a_vendor(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(faulting(FaultKind.CUT_STREAM, True)))
    open_attempt(services)
    with pytest.raises(ApplicationError, match="cut_stream"):
        await called(services, attempt=50)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (FaultKind.QUOTA_EXHAUSTED, "quota_exhausted"),
        (FaultKind.UNAUTHORIZED, "unauthorized"),
        (FaultKind.UNKNOWN_MODEL, "unknown_model"),
        (FaultKind.BAD_REQUEST, "bad_request"),
        (FaultKind.TOO_LONG, "too_long"),
    ],
)
async def test_a_fault_that_no_wait_cures_is_told_at_once(tmp_path: Path, kind: FaultKind, told: str) -> None:
    services = services_at(tmp_path, PlayedModel(faulting(kind, False)))
    open_attempt(services)
    given = await called(services)
    assert given.fault == told
    assert [row.state for row in calls_of(services)] == [CallState.RELEASED]


async def test_an_answer_without_usage_is_used_and_its_hold_stays_charged(tmp_path: Path) -> None:
    silent = answer(call("bash", command="ls")).model_copy(update={"usage": None})
    services = services_at(tmp_path, PlayedModel(always(silent)))
    open_attempt(services)
    given = await called(services)
    row = services.ledger.call(given.call)
    assert (row.state, row.cost_nano) == (CallState.UNKNOWN, row.hold_nano)
    assert services.ledger.answer(given.call).message.tool_calls
    assert await called(services, attempt=2) == given


async def test_an_answer_of_another_model_than_asked_is_not_settled_at_the_asked_ones_price(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(always(answer(text="hi", served_model="large"))))
    open_attempt(services)
    row = services.ledger.call((await called(services)).call)
    assert row.state is CallState.UNKNOWN
    assert "large" in row.note


async def test_a_compatible_server_may_name_its_model_as_it_likes(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(text="hi", served_model="/models/small.gguf")))
    services = services_at(tmp_path, model, base_url="http://127.0.0.1:1/v1")
    open_attempt(services)
    row = services.ledger.call((await called(services)).call)
    assert (row.state, row.served_model) == (CallState.SETTLED, "/models/small.gguf")


async def test_a_budget_with_no_room_for_the_floor_sends_nothing(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(text="hi")))
    services = services_at(tmp_path, model, BudgetLimits(job_nano=1000))
    open_attempt(services)
    given = await called(services)
    assert given.fault == "budget"
    assert "limit $0.000001" in given.note
    assert model.requests == []
    assert services.ledger.job_cost_nano(JOB) == 0


async def test_a_tight_budget_lowers_what_is_asked_for(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(text="hi")))
    services = services_at(tmp_path, model, BudgetLimits(job_nano=8_000_000))
    open_attempt(services)
    given = await called(services)
    assert given.fault == ""
    assert 256 <= model.requests[0].max_output_tokens < 1000
    assert services.ledger.call(given.call).hold_nano <= 8_000_000


async def test_a_call_waits_in_line_while_others_hold_the_money_and_goes_on_when_they_settle(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(text="hi")))
    services = services_at(tmp_path, model, BudgetLimits(job_nano=14_000_000))
    open_attempt(services)
    other = await asyncio.to_thread(_hold_only, services, "of another loop")
    with pytest.raises(ApplicationError, match=r"waits for .* limit \$0.014.* 0 ahead") as raised:
        await called(services)
    assert raised.value.type == WAITING
    assert not raised.value.non_retryable
    assert raised.value.next_retry_delay is not None
    assert model.requests == []
    services.ledger.settle(other, answer(text="x"), 1, 0.1, NOW)
    assert (await called(services, CallModel(n=1, s=2), attempt=2)).fault == ""


async def test_the_scope_that_has_no_room_is_named_for_whoever_may_raise_it(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(always(answer(text="hi"))), BudgetLimits(job_nano=1000))
    open_attempt(services)
    assert (await called(services)).scope == f"job {JOB}"


async def test_a_paid_answer_in_a_unit_without_a_price_is_kept_and_its_hold_stays_charged(tmp_path: Path) -> None:
    odd = answer(text="hi", usage=Usage(input_tokens=10, output_tokens=1, server_tool_requests=2))
    services = services_at(tmp_path, PlayedModel(always(odd)))
    open_attempt(services)
    given = await called(services)
    row = services.ledger.call(given.call)
    assert (row.state, row.cost_nano) == (CallState.UNKNOWN, row.hold_nano)
    assert "server tool requests" in row.note
    assert services.ledger.answer(given.call).message.text == "hi"


async def test_a_later_step_is_allowed_what_answers_have_been_and_asks_for_more_when_cut_off(tmp_path: Path) -> None:
    async def plays(request: ModelRequest) -> ModelAnswer:
        if len(model.requests) == 1:
            return answer(call("bash", command="ls"))
        if request.max_output_tokens < 8192:
            cut = Usage(input_tokens=100, output_tokens=request.max_output_tokens)
            return answer(text="half a fi", stop=StopKind.MAX_TOKENS, usage=cut)
        return answer(text="a file", usage=Usage(input_tokens=100, output_tokens=3000))

    model = PlayedModel(plays)
    services = services_at(tmp_path, model)
    open_attempt(services, rung=RUNG.model_copy(update={"max_output_tokens": 8192}))
    await called(services)
    given = await called(services, CallModel(n=1, s=2), activity_id="6")
    assert [request.max_output_tokens for request in model.requests] == [8192, LEAST_TOKENS, 8192]
    assert services.ledger.answer(given.call).message.text == "a file"
    cut, whole = calls_of(services)[1:]
    assert (cut.state, cut.cost_nano) == (CallState.SETTLED, 100 * 1_000 + LEAST_TOKENS * 10_000)
    assert whole.cost_nano == 100 * 1_000 + 3000 * 10_000
    assert [message.text for message in services.ledger.conversation(LOOP, 1).messages][-1] == "a file"
    third = await called(services, CallModel(n=1, s=3), activity_id="7")
    assert third.fault == ""
    assert model.requests[3].max_output_tokens == 2 * 3000


async def test_a_cut_answer_stands_where_there_is_no_money_to_ask_for_more(tmp_path: Path) -> None:
    async def plays(request: ModelRequest) -> ModelAnswer:
        if len(model.requests) == 1:
            return answer(call("bash", command="ls"))
        return answer(text="half", stop=StopKind.MAX_TOKENS, usage=Usage(input_tokens=100, output_tokens=LEAST_TOKENS))

    model = PlayedModel(plays)
    services = services_at(tmp_path, model, BudgetLimits(job_nano=90_000_000))
    open_attempt(services, rung=RUNG.model_copy(update={"max_output_tokens": 8192}))
    await called(services)
    given = await called(services, CallModel(n=1, s=2), activity_id="6")
    assert services.ledger.answer(given.call).message.text == "half"
    assert len(model.requests) == 2


@dataclass
class CountingModel(PlayedModel):
    """A vendor that counts a request's input for nothing."""

    counts: int = 50

    async def count_input(self, request: ModelRequest) -> int | None:
        return self.counts


async def test_a_first_request_is_bounded_by_the_vendors_free_count(tmp_path: Path) -> None:
    by_bytes = services_at(tmp_path / "bytes", PlayedModel(always(answer(text="hi"))))
    by_count = services_at(tmp_path / "count", CountingModel(always(answer(text="hi"))))
    holds = []
    for services in (by_bytes, by_count):
        open_attempt(services)
        holds.append(services.ledger.call((await called(services)).call).hold_nano)
    assert holds[1] == (50 + 64) * 1_000 + 1000 * 10_000
    assert holds[1] < holds[0]


async def test_a_stop_in_the_middle_of_a_call_leaves_it_unknown(tmp_path: Path) -> None:
    async def hangs(request: ModelRequest) -> ModelAnswer:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    model = PlayedModel(hangs)
    services = services_at(tmp_path, model)
    open_attempt(services)
    where = environment()
    running = asyncio.create_task(where.run(ModelActivities(services).call_model, FIRST))
    await model.sending.wait()
    where.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [(row.state, row.cost_nano == row.hold_nano) for row in calls_of(services)] == [(CallState.UNKNOWN, True)]


async def test_a_model_without_a_price_is_never_called(tmp_path: Path) -> None:
    model = PlayedModel(always(answer(text="hi")))
    services = services_at(tmp_path, model)
    open_attempt(services, rung=RUNG.model_copy(update={"model": "local/unpriced"}))
    given = await called(services)
    assert given.fault == "unpriced"
    assert 'prices."local/unpriced"' in given.note
    assert model.requests == []


async def test_the_hold_of_a_later_step_is_bounded_by_what_the_step_before_reported(tmp_path: Path) -> None:
    long_prompt = answer(call("bash", command="ls"), usage=Usage(input_tokens=40, output_tokens=5))
    services = services_at(tmp_path, PlayedModel(always(long_prompt)))
    open_attempt(services)
    first = await called(services)
    second = await called(services, CallModel(n=1, s=2), activity_id="6")
    assert services.ledger.call(second.call).hold_nano < services.ledger.call(first.call).hold_nano


def faulting(kind: FaultKind, billed: bool, after: float | None = None) -> Answering:
    async def plays(request: ModelRequest) -> ModelAnswer:
        raise ModelFault(kind, "as planned", may_be_billed=billed, retry_after_seconds=after)

    return plays


def calls_of(services: Services) -> list[CallRow]:
    found = []
    for number in range(1, 20):
        try:
            found.append(services.ledger.call(number))
        except KeyError:
            break
    return found
