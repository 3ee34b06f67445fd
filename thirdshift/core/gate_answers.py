"""Answers to gates, pure: read from what a reviewer typed, and refused in words that say what to do."""

from __future__ import annotations

import json

from pydantic import ValidationError

from thirdshift.core.gates import (
    LONGEST_NAME,
    LONGEST_NOTE,
    Decision,
    GateState,
    GateTerms,
    GateVerdict,
    not_recorded,
    outcome,
    same_person,
)
from thirdshift.core.money import parse_usd
from thirdshift.core.spec import GateKind
from thirdshift.core.text import one_line


def read_decision(raw: str) -> Decision | str:
    """The decision in a payload, or the refusal."""
    remedy = "Copy the whole answer block from the gate's details, fill it in and send it as the input of `decide`."
    if not raw.strip():
        return not_recorded("The update `decide` came without an input.", remedy)
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return not_recorded("The input is not JSON.", remedy)
    if not isinstance(found, dict):
        return not_recorded("The input is not a JSON object.", remedy)
    try:
        return Decision.model_validate(found)
    except ValidationError as error:
        return not_recorded(f"{_first_fault(error)}.", remedy)


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field = one_line(".".join(str(part) for part in first["loc"]) or "the input", 40)
    if first["type"] == "extra_forbidden":
        known = ", ".join(Decision.model_fields)
        return f"`{field}` is not a field of an answer; the fields are {known}"
    if first["type"] == "missing":
        return f"`{field}` is missing"
    if field == "verdict":
        return f"`verdict` must be one of {', '.join(GateVerdict)}"
    return f"`{field}` is not what it should be: {one_line(first['msg'], 80)}"


def read_name(raw: str) -> str:
    """The name in the payload of an ``approve-g...`` update: a JSON string, or just the words."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = raw
    if isinstance(found, dict):
        found = found.get("reviewer", "")
    return found.strip() if isinstance(found, str) else ""


def validate(decision: Decision, state: GateState | None, terms: GateTerms) -> str | None:
    """Why this decision cannot be recorded, beginning ``NOT RECORDED.`` and saying what to do; None if it can."""
    if state is None:
        return not_recorded(
            "No gate is open here.", "Look at the current details, or at `thirdshift gates`, for what is waiting."
        )
    return (
        _wrong_gate(decision, state, terms) or _wrong_reviewer(decision, state, terms) or _incomplete(decision, state)
    )


def _wrong_gate(decision: Decision, state: GateState, terms: GateTerms) -> str | None:
    look = "Reload the page, read the gate that is open now, and answer that one."
    if decision.gate != state.seq:
        return not_recorded(f"The answer is for gate {decision.gate}; gate {state.seq} is the one here.", look)
    if decision.tree != state.tree:
        given = one_line(decision.tree, 48) or "no tree"
        return not_recorded(f"The answer is for tree {given}; gate {state.seq} is about {state.tree}.", look)
    end = outcome(state, terms)
    if end is not None:
        by = ", ".join(one_line(answer.reviewer, LONGEST_NAME) for answer in state.answers) or "its deadline"
        return not_recorded(
            f"Gate {state.seq} is closed: {end} by {by}.", "There is nothing left to answer; see the decision log."
        )
    return None


def _wrong_reviewer(decision: Decision, state: GateState, terms: GateTerms) -> str | None:
    name = " ".join(decision.reviewer.split())
    if not name:
        return not_recorded("No reviewer is named.", "Give your name as `reviewer`.")
    if len(name) > LONGEST_NAME:
        return not_recorded("The reviewer's name is too long.", f"Use at most {LONGEST_NAME} characters.")
    asked = (*terms.reviewers, *(terms.escalate_to if state.escalated else ()))
    if terms.reviewers and not any(same_person(name, one) for one in asked):
        return not_recorded(f"{one_line(name)} is not among the reviewers of this gate.", f"Ask {_names(asked)}.")
    if any(same_person(name, answer.reviewer) for answer in state.answers):
        return not_recorded(
            f"{one_line(name)} has answered gate {state.seq} already.", "It waits for an answer by somebody else."
        )
    alone = terms.separation and terms.needed == 1 and same_person(name, terms.submitter)
    if alone and decision.verdict is GateVerdict.APPROVE:
        return not_recorded(
            f"{one_line(name)} submitted this job, and the submitter alone may not approve it.",
            "Ask somebody else to review it.",
        )
    return None


def _names(names: tuple[str, ...]) -> str:
    shown = [one_line(name, LONGEST_NAME) for name in names[:8]]
    return ", ".join(shown) + (f" or {len(names) - 8} more" if len(names) > 8 else "")


def _incomplete(decision: Decision, state: GateState) -> str | None:
    if len(decision.note) > LONGEST_NOTE:
        return not_recorded("The note is too long.", f"Use at most {LONGEST_NOTE} characters.")
    match decision.verdict:
        case GateVerdict.REWORK if not state.may_rework:
            return not_recorded(
                f"A {state.kind} gate has nothing to rework yet.", "Answer `approve`, or `reject` with a note."
            )
        case GateVerdict.REWORK | GateVerdict.REJECT if not decision.note.strip():
            return not_recorded(
                f"A {decision.verdict} needs a note.", "Write into `note` what is wrong; it is passed on."
            )
        case GateVerdict.APPROVE if state.kind is GateKind.BUDGET:
            return usd_refusal(decision.usd)
        case _ if decision.usd:
            return not_recorded("An amount belongs to the approval of a budget gate only.", "Leave `usd` out.")
    return None


def usd_refusal(usd: str) -> str | None:
    """Why this cannot be the amount that a cap is raised by; None if it can."""
    remedy = 'Give the amount to raise the cap by as `usd`, like "0.50".'
    if not usd.strip():
        return not_recorded("It has no amount.", remedy)
    try:
        nano = parse_usd(usd.strip())
    except ValueError as error:
        return not_recorded(f"{one_line(str(error), 120)}.", remedy)
    return None if nano > 0 else not_recorded("Raising a cap by nothing changes nothing.", remedy)
