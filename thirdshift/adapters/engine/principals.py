"""Who a server knows to have answered a gate.

A server with an authorizer that passes principals on stamps each event of a history with whoever caused it, as it has
authenticated them. Where the acceptance of an update bears such a stamp, the answer in it is that person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.service import RPCError

from thirdshift.core.gate_answers import read_decision, read_name
from thirdshift.core.gates import Decision, GateAnswer, same_person

_PAGE, _PAGES = 200, 5
"""Events that are looked through for an answer that was given just now."""


class PrincipalReader:
    """Reads stamps from the newest part of a workflow's history."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def vouched(
        self, workflow_id: str, run_id: str, seq: int, answers: Sequence[GateAnswer]
    ) -> tuple[GateAnswer, ...]:
        """The answers, with the name under which the server knows who gave each; as they were where it knows none.

        A server that does not tell leaves every name the claim that it was.
        """
        found: list[HistoryEvent] = []
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=_PAGE,
        )
        try:
            for _ in range(_PAGES):
                page = await self._client.workflow_service.get_workflow_execution_history_reverse(request)
                found += page.history.events
                if _count(found, seq) >= len(answers) or not page.next_page_token:
                    break
                request.next_page_token = page.next_page_token
        except RPCError:
            return tuple(answers)
        return vouched(found, seq, answers)


def vouched(newest_first: Iterable[HistoryEvent], seq: int, answers: Sequence[GateAnswer]) -> tuple[GateAnswer, ...]:
    """The answers to gate ``seq``, each with the principal on the acceptance of its update, where there is one."""
    given = [(event, decision) for event in newest_first if (decision := _decision(event, seq)) is not None]
    made = []
    for answer in reversed(answers):
        match = next((one for one in given if _is(one[1], answer)), None)
        if match is None:
            made.append(answer)
            continue
        given.remove(match)
        made.append(answer.model_copy(update={"verified_as": match[0].principal.name}))
    return tuple(reversed(made))


def _is(decision: Decision | str, answer: GateAnswer) -> bool:
    if isinstance(decision, str):
        return answer.verdict == "approve" and same_person(decision, answer.reviewer)
    return decision.verdict == answer.verdict and same_person(decision.reviewer, answer.reviewer)


def _count(events: Iterable[HistoryEvent], seq: int) -> int:
    return sum(_decision(event, seq) is not None for event in events)


def _decision(event: HistoryEvent, seq: int) -> Decision | str | None:
    """What an accepted update said to this gate: a decision, or the name of whoever approves; None for all else."""
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        return None
    asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
    raw = asked.args.payloads[0].data.decode("utf-8", "replace") if asked.args.payloads else ""
    if asked.name.startswith(f"approve-g{seq}-"):
        return read_name(raw)
    if asked.name != "decide":
        return None
    decision = read_decision(raw)
    return decision if isinstance(decision, Decision) and decision.gate == seq else None
