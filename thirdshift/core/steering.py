"""Steering, pure: what people may say to work that runs, read from the payloads of updates."""

from __future__ import annotations

import json
from typing import Any, Literal

from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_answers import usd_refusal
from thirdshift.core.gates import LONGEST_NAME, GateTerms, not_recorded, same_person
from thirdshift.core.history import StopReason
from thirdshift.core.text import one_line

LONGEST_WORDS = 4000
NOBODY = "somebody"
"""Who pauses, resumes or steers without giving a name."""


class Words(Frozen):
    """What a person wants the model to read."""

    text: str
    who: str


class Halt(Frozen):
    """Stop for a reason that is not a person's: what a night's circuit breaker sends. Signal ``halt``."""

    reason: StopReason
    words: str


class Order(Frozen):
    """What a person wants of a job or a loop."""

    what: Literal["pause", "resume", "steer", "raise"]
    who: str
    text: str = ""
    """The words of ``steer``; the amount in US dollars of ``raise``."""


def read_order(what: Literal["pause", "resume", "steer"], raw: str) -> Order | str:
    """The order in a payload, or the refusal. Each may be a bare string, or an object with ``who`` and ``text``."""
    given = _parsed(raw)
    key = "text" if what == "steer" else "who"
    if given is None or isinstance(given, str):
        given = {key: given or ""}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        return not_recorded(f"The input of `{what}` is not words.", 'Send words in quotes, or {"who": "", "text": ""}.')
    if unknown := sorted(set(given) - {"who", "text"}):
        return not_recorded(f"`{one_line(unknown[0], 40)}` is not a field here.", "The fields are who and text.")
    who, text = " ".join(given.get("who", "").split()), given.get("text", "").strip()
    if what == "steer" and not text:
        return not_recorded("There are no words to pass on.", 'Send them in quotes, or as {"who": "", "text": ""}.')
    if len(text) > LONGEST_WORDS or len(who) > LONGEST_NAME:
        return not_recorded(
            "That is too long.", f"Use at most {LONGEST_WORDS} characters, and {LONGEST_NAME} for a name."
        )
    return Order(what=what, who=who or NOBODY, text=text)


def read_raise(raw: str, terms: GateTerms, gated: bool) -> Order | str:
    """The order in the payload ``{"usd": "0.50", "reviewer": "ada"}``, or the refusal.

    Where budgets are gated, whoever could not approve a budget gate alone cannot raise one on the way past it.
    """
    given = _parsed(raw)
    if not isinstance(given, dict) or set(given) - {"usd", "reviewer"}:
        return not_recorded("The input of `raise_budget` cannot be read.", 'Send {"usd": "0.50", "reviewer": "name"}.')
    usd, reviewer = given.get("usd", ""), given.get("reviewer", "")
    if not isinstance(usd, str) or not isinstance(reviewer, str):
        return not_recorded("`usd` and `reviewer` are strings.", 'Write them in quotes: {"usd": "0.50", ...}.')
    name = " ".join(reviewer.split())
    if not name or len(name) > LONGEST_NAME:
        return not_recorded(
            "No reviewer is named.", f"Give your name as `reviewer`, at most {LONGEST_NAME} characters."
        )
    if refusal := usd_refusal(usd):
        return refusal
    if gated and (refusal := _may_not_raise(name, terms)):
        return refusal
    return Order(what="raise", who=name, text=usd.strip())


def _may_not_raise(name: str, terms: GateTerms) -> str | None:
    if terms.needed > 1:
        return not_recorded(
            f"Raising this budget takes {terms.needed} people.", "Wait for its gate, and answer that with `decide`."
        )
    if terms.reviewers and not any(same_person(name, one) for one in terms.reviewers):
        return not_recorded(f"{one_line(name)} is not among the reviewers of this job.", "Ask one of them.")
    if terms.separation and same_person(name, terms.submitter):
        return not_recorded(f"{one_line(name)} submitted this job.", "Ask another reviewer to raise its budget.")
    return None


def spoken(words: Words) -> str:
    """The words as a model reads them: whose they are comes first, and is not the agent's to mistake."""
    return f"A person who watches this work says:\n\n{words.text}"


def _parsed(raw: str) -> Any:
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.strip()
