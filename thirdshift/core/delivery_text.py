"""What a delivery says of itself: commit messages, and the title and body of a pull request.

A title, a criterion or a check's name may be hostile. On a forge, text can do things: mention people, close
issues, draw a picture, run a quick action. So all such text is one visible line that never begins a line. Whatever
Markdown could read is written as a character reference. Forges look for mentions, references and addresses after
Markdown is done, where a character reference is the character again, so those are set apart by a space.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from thirdshift.core.frozen import Frozen
from thirdshift.core.history import StopReason
from thirdshift.core.money import format_usd
from thirdshift.core.spec import Check, Criterion
from thirdshift.core.text import one_line
from thirdshift.core.verdict import Verdict
from thirdshift.core.views import Spend
from thirdshift.core.words import counted

JOB_TRAILER: Final = "Thirdshift-Job"
RUN_TRAILER: Final = "Run-Id"
SUBJECT_CHARACTERS: Final = 120
CRITERION_CHARACTERS: Final = 400
BODY_CHARACTERS: Final = 60_000
"""GitHub refuses bodies over 65,536 characters."""
_MARKUP = re.compile(r"[^A-Za-z0-9 .,;=%()'\"?\u0080-\U0010ffff-]")
_REFERENCE = re.compile(r"([@#!~$%&^]|://|\bGH-)(?=[\w\"'])", re.IGNORECASE)


class MessageFacts(Frozen):
    """What a delivery's commit says. ``reviewed_by`` names people whose identity the server vouched for."""

    title: str
    job: str
    spec: str
    run: str
    cost_nano: int
    reviewed_by: tuple[str, ...] = ()


def commit_message(facts: MessageFacts) -> str:
    """The message of the commit that carries an accepted tree."""
    return f"{one_line(facts.title, SUBJECT_CHARACTERS)}\n\n{_trailers(facts)}"


def merge_message(facts: MessageFacts, onto: str) -> str:
    """The message of the commit that brings it onto a branch that has moved."""
    return f"Merge into {one_line(onto, 60)}: {one_line(facts.title, SUBJECT_CHARACTERS)}\n\n{_trailers(facts)}"


def unfinished_message(facts: MessageFacts, stop: StopReason, *, verified: bool) -> str:
    """The message of the commit that carries what a stopped job has to show."""
    judged = "a tree that the checks have judged" if verified else "a tree that no check has judged"
    title = one_line(facts.title, SUBJECT_CHARACTERS)
    return f"UNFINISHED ({stop}): {title}\n\nNot accepted; this is {judged}.\n\n{_trailers(facts)}"


def _trailers(facts: MessageFacts) -> str:
    lines = [
        f"{JOB_TRAILER}: {facts.job}",
        f"Thirdshift-Spec: {facts.spec}",
        f"{RUN_TRAILER}: {facts.run}",
        f"Cost-Usd: {format_usd(facts.cost_nano)}",
        *(f"Reviewed-by: {one_line(name, 80)}" for name in facts.reviewed_by),
    ]
    return "\n".join(lines)


class RequestFacts(Frozen):
    """What a reviewer of a pull request is told."""

    message: MessageFacts
    criteria: tuple[Criterion, ...]
    checks: tuple[Check, ...]
    verdict: Verdict
    spend: Spend
    budget_nano: int | None
    attempts: int
    tree: str
    ledger_url: str = ""
    """The job in the Temporal Web UI; empty where that has no address that others could open."""


def request_title(facts: RequestFacts) -> str:
    """The title. Forges show it as text, but read issue numbers and names in it."""
    return set_apart(one_line(facts.message.title, SUBJECT_CHARACTERS))


def request_body(facts: RequestFacts) -> str:
    """The body, in Markdown: the acceptance table, the checks, the money, and where the books are."""
    parts = [
        "\n".join(_acceptance(facts)),
        "\n".join(_check_table(facts.verdict)),
        "\n".join(_money(facts)),
        "\n".join(_source(facts)),
    ]
    tail = "\n".join(
        [f"Tree: {facts.tree}", f"{JOB_TRAILER}: {facts.message.job}", run_marker(facts.message.run)]
        + [f"Reviewed-by: {escaped(name)}" for name in facts.message.reviewed_by]
    )
    head = "\n\n".join(parts)
    room = BODY_CHARACTERS - len(tail)
    if len(head) > room:
        cut = head.rfind("\n", 0, room - 100)
        head = f"{head[:cut]}\n\n{len(head) - cut} characters more are in the ledger."
    return f"{head}\n\n{tail}\n"


def run_marker(run: str) -> str:
    """The line by which a run finds its own request again."""
    return f"{RUN_TRAILER}: {run}"


def escaped(text: str, limit: int = CRITERION_CHARACTERS) -> str:
    """Foreign text as one line that is nothing but text, in Markdown and to GitHub and GitLab."""
    line = set_apart(one_line(text, limit))
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", line)


def set_apart(line: str) -> str:
    """The line with nothing left in it that a forge takes for a mention, a reference or an address."""
    return _REFERENCE.sub(r"\1 ", line)


def _acceptance(facts: RequestFacts) -> list[str]:
    passed = {check.id: check.passed for check in facts.verdict.checks}
    rows = ["## Acceptance", "", "| criterion | what it says | judged by | result |", "| --- | --- | --- | --- |"]
    for criterion in facts.criteria:
        judges = [check for check in facts.checks if criterion.id in check.covers]
        if criterion.by_review and not judges:
            by, result = "a reviewer", "for you to judge"
        else:
            by = ", ".join(escaped(check.id) + (" (held out)" if check.holdout else "") for check in judges)
            result = "passed" if judges and all(passed.get(check.id, False) for check in judges) else "NOT PASSED"
        rows.append(f"| {escaped(criterion.id)} | {escaped(criterion.text)} | {by} | {result} |")
    return rows


def _check_table(verdict: Verdict) -> list[str]:
    rows = ["## Checks", "", "| check | result | seconds |", "| --- | --- | ---: |"]
    for check in verdict.checks:
        name = escaped(check.id) + (" (held out)" if check.holdout else "")
        rows.append(f"| {name} | {'passed' if check.passed else 'FAILED'} | {check.seconds:.1f} |")
    return [*rows, *(f"| {escaped(name)} | not run | |" for name in verdict.not_run)]


def _money(facts: RequestFacts) -> list[str]:
    spend = facts.spend
    of = "" if facts.budget_nano is None else f" of a budget of ${format_usd(facts.budget_nano, 2)}"
    lines = ["## Cost", "", f"${format_usd(spend.settled_nano, 4)}{of}, in {counted(facts.attempts, 'attempt')}."]
    if spend.imputed_nano:
        lines.append(f"Besides, ${format_usd(spend.imputed_nano, 4)} at list price, paid by a subscription.")
    if spend.unknown_nano:
        lines.append(f"Besides, at most ${format_usd(spend.unknown_nano, 4)} for calls whose cost is not known.")
    return lines


def _source(facts: RequestFacts) -> list[str]:
    lines = ["## Ledger", "", f"`thirdshift report {facts.message.job}` has every attempt, call and verdict."]
    if facts.ledger_url:
        lines.append(f"[The job in Temporal]({facts.ledger_url})")
    return lines


def names(rows: Sequence[str], most: int = 5) -> str:
    """Paths for a sentence, the first few of them."""
    shown = ", ".join(one_line(row, 80) for row in rows[:most])
    return shown + (f" and {len(rows) - most} more" if len(rows) > most else "")
