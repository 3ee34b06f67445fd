"""A job's gates in words, for whoever submits it."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.gates import LONGEST_NAME, GateTerms, OnExpiry
from thirdshift.core.spec import GateKind
from thirdshift.core.text import one_line
from thirdshift.core.words import counted, listed

_BEFORE = {
    GateKind.PLAN: "before any code is written",
    GateKind.FRONTIER: "before the first call to a frontier model",
    GateKind.BUDGET: "when a budget is used up",
    GateKind.MERGE: "before anything is delivered",
}


def gates_in_words(gates: Sequence[GateKind], terms: GateTerms) -> str:
    """Which gates a job has and who answers them; says so where there are none."""
    if not gates:
        return "none; what passes the checks is delivered without asking anybody"
    when = "; ".join(f"{kind} ({_BEFORE[kind]})" for kind in gates)
    return f"{when}\n{_who(terms)}{_until(terms)}"


def _who(terms: GateTerms) -> str:
    names = [one_line(name, LONGEST_NAME) for name in terms.reviewers]
    if not names:
        people = "anybody" if terms.needed == 1 else f"{terms.needed} people"
    else:
        people = names[0] if len(names) == 1 else f"{terms.needed} of {listed(names)}"
    alone = f", never {one_line(terms.submitter, LONGEST_NAME)} alone" if terms.separation else ""
    return f"answered by {people}{alone}"


def _until(terms: GateTerms) -> str:
    if terms.deadline_seconds is None:
        return "; waited for without end"
    ends = "parked" if terms.on_expiry is OnExpiry.PARK else "rejected"
    others = f", then {listed([one_line(n, LONGEST_NAME) for n in terms.escalate_to])}," if terms.escalate_to else ""
    return f"; within {time_in_words(terms.deadline_seconds)}{others} or it is {ends}"


def time_in_words(seconds: float) -> str:
    """The time in the largest unit that is not too coarse: ``45 s``, ``12 minutes``, ``3 hours``, ``2 days``."""
    for size, name, least in ((86_400, "day", 2), (3_600, "hour", 2), (60, "minute", 2)):
        if seconds >= size * least or (name == "minute" and seconds >= size):
            return counted(int(seconds // size), name)
    return f"{int(seconds)} s"
