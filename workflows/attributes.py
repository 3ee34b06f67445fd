"""The search attributes as Temporal's typed keys, and what ``Job``, ``Loop`` and ``Shift`` set them to."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from thirdshift.core.gates import GateState
from thirdshift.core.history import StopReason
from thirdshift.core.ladder import Tier
from thirdshift.core.money import NANO_PER_USD

GATE_OPEN = SearchAttributeKey.for_bool("GateOpen")
GATE_KIND = SearchAttributeKey.for_keyword("GateKind")
GATE_SINCE = SearchAttributeKey.for_datetime("GateSince")
REVIEWERS = SearchAttributeKey.for_keyword_list("Reviewers")
LOOP_STATE = SearchAttributeKey.for_keyword("LoopState")
TIER = SearchAttributeKey.for_keyword("Tier")
REPO = SearchAttributeKey.for_keyword("Repo")
TASK_KIND = SearchAttributeKey.for_keyword("TaskKind")
RISK = SearchAttributeKey.for_keyword("Risk")
STOP_REASON = SearchAttributeKey.for_keyword("StopReason")
COST_USD = SearchAttributeKey.for_float("CostUsd")


def show_opening(repository: str, task: str, risk: str) -> None:
    """Set what is known at the start; the first thing that a workflow does."""
    workflow.upsert_search_attributes(
        [
            GATE_OPEN.value_set(False),
            LOOP_STATE.value_set("running"),
            REPO.value_set(repository.rstrip("/").rpartition("/")[2] or repository),
            TASK_KIND.value_set(task),
            RISK.value_set(risk),
        ]
    )


def show_night(root: str) -> None:
    """Set what is known of a ``Shift`` at its start; ``root`` is the directory of its specs."""
    workflow.upsert_search_attributes(
        [
            GATE_OPEN.value_set(False),
            LOOP_STATE.value_set("running"),
            REPO.value_set(root.rstrip("/").rpartition("/")[2] or root),
            TASK_KIND.value_set("shift"),
        ]
    )


def show_night_end(state: str, cost_nano: int) -> None:
    """Set how a night ended: ``closed``, ``stopped``, ``tripped`` or ``not_opened``."""
    workflow.upsert_search_attributes([LOOP_STATE.value_set(state), COST_USD.value_set(cost_nano / NANO_PER_USD)])


def show_tier(tier: Tier) -> None:
    """Set the tier that the next attempt is made on."""
    workflow.upsert_search_attributes([TIER.value_set(tier.value)])


def show_state(state: str) -> None:
    """Set what the work is doing, in one of the words that ``status`` uses."""
    workflow.upsert_search_attributes([LOOP_STATE.value_set(state)])


def show_gate(state: GateState, asked: Sequence[str]) -> None:
    """Set that a gate is open; a gate without named reviewers is anybody's."""
    workflow.upsert_search_attributes(
        [
            GATE_OPEN.value_set(True),
            GATE_KIND.value_set(state.kind.value),
            GATE_SINCE.value_set(state.since),
            REVIEWERS.value_set(list(asked)) if asked else REVIEWERS.value_unset(),
            LOOP_STATE.value_set("parked" if state.parked else "waiting"),
        ]
    )


def show_no_gate() -> None:
    """Set that no gate is open any more."""
    workflow.upsert_search_attributes(
        [
            GATE_OPEN.value_set(False),
            GATE_KIND.value_unset(),
            GATE_SINCE.value_unset(),
            REVIEWERS.value_unset(),
            LOOP_STATE.value_set("running"),
        ]
    )


def show_end(stop: StopReason, cost_nano: int) -> None:
    """Set how it ended. The cost here is for sorting in the UI; the books are in the ledger."""
    workflow.upsert_search_attributes(
        [
            LOOP_STATE.value_set("accepted" if stop is StopReason.ACCEPTED else "stopped"),
            STOP_REASON.value_set(stop.value),
            COST_USD.value_set(cost_nano / NANO_PER_USD),
        ]
    )
