"""A gate as the stock Temporal UI shows it: Markdown for a workflow's Current Details.

The order is fixed: what waits, how to answer, checks, cost, what is to be judged, links, the answer block, the
decision log. Everything that an agent, a repository or a reviewer wrote stands inside a fence that it cannot close;
outside of fences there are only our own words, numbers and hexadecimal hashes. The whole stays under 6 kB when
encoded as JSON, for any input: first the excerpt gives way, and says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from thirdshift.core.gate_facts import GateFacts
from thirdshift.core.gates import GateState, GateTerms, GateVerdict
from thirdshift.core.money import format_usd
from thirdshift.core.spec import GateKind
from thirdshift.core.text import fenced, one_line, visible

MOST_BYTES = 6000
"""Of the whole, encoded as ASCII JSON: the longest of all encodings that it may travel in."""
COLUMNS = 54
"""What a fence of the UI shows at a window of 1280 pixels without scrolling."""
_REASON_BYTES, _CHECKS_BYTES, _OUTPUT_BYTES, _REVIEW_BYTES, _LINKS_BYTES, _LOG_BYTES = 420, 560, 420, 300, 520, 620

_URL = re.compile(r"https?://[A-Za-z0-9._~:/?=&%#-]+")
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?=&%# -]+")

_MEANING = {
    GateKind.PLAN: "the plan, before any code is written",
    GateKind.FRONTIER: "the first call to a frontier model",
    GateKind.BUDGET: "a budget that is used up",
    GateKind.MERGE: "the finished change, before it is delivered",
}


def gate_details(state: GateState, terms: GateTerms, facts: GateFacts, log: Sequence[str]) -> str:
    """The details of an open gate. The rest of the room goes to the excerpt, whole lines at a time."""
    before = [_heading(state, terms), _how(state), *_why(state, facts), *_checks(facts), *_cost(facts)]
    after = [*_links(facts), _answer_block(state), _log(log)]
    room = MOST_BYTES - 260 - encoded_size("\n\n".join([*before, *after]))
    return "\n\n".join([*before, *_excerpt(facts, room), *after])


def closed_details(state: str, log: Sequence[str]) -> str:
    """The details while no gate is open. ``state`` is our own word for what goes on, such as ``running``."""
    return f"**Nothing waits for an answer here.** {state}\n\n{_log(log)}"


def encoded_size(text: str) -> int:
    """Bytes of the text as an ASCII JSON string, its quotes left out."""
    return len(json.dumps(text)) - 2


def _heading(state: GateState, terms: GateTerms) -> str:
    parked = " (parked: nobody answered in time; an answer still counts)" if state.parked else ""
    given = sum(answer.verdict is GateVerdict.APPROVE for answer in state.answers)
    count = f" {given} of {terms.needed} approvals so far." if terms.needed > 1 else ""
    return (
        f"## WAITING: gate {state.seq}, {state.kind}{parked}\n\n"
        f"A person is asked about {_MEANING[state.kind]}.{count}\n\nTree `{_hex(state.tree)}`"
    )


def _hex(text: str) -> str:
    return re.sub(r"[^0-9a-f]", "", text.lower())[:64]


def _how(state: GateState) -> str:
    name = state.approve_name
    others = "rework or reject" if state.may_rework else "reject"
    if name is None:
        return (
            "**To approve:** More Actions > Send an Update > `decide`, "
            'Data: the block below, with how much more in `"usd"`.\n'
            f"**To {others}:** the same, with another `verdict` and a `note`."
        )
    return (
        f'**To approve:** More Actions > Send an Update > `{name}`, Data: your name in quotes, like `"ada"`.\n'
        f"**To {others}:** update `decide`, Data: the block below with `verdict`, your name and a `note`."
    )


def _why(state: GateState, facts: GateFacts) -> list[str]:
    text = "\n".join(part for part in (one_line(facts.title, 100), one_line(state.reason, 400)) if part)
    return [f"**What and why**\n{_bounded(_wrapped(text), _REASON_BYTES)}"] if text else []


def _checks(facts: GateFacts) -> list[str]:
    parts = []
    lines = [f"{line.state:<8}{one_line(line.id, 32):<34}{line.seconds:>7.1f} s" for line in facts.checks]
    if lines:
        more = f" ({facts.checks_left_out} more not shown)" if facts.checks_left_out else ""
        parts.append(f"**Checks**{more}\n{_bounded(lines, _CHECKS_BYTES)}")
    else:
        parts.append("**Checks:** none has run on this tree.")
    if facts.failed_output:
        parts.append(f"**What failed**\n{_bounded(facts.failed_output.splitlines(), _OUTPUT_BYTES)}")
    if facts.to_review:
        listed = _wrapped("\n".join(one_line(text, 120) for text in facts.to_review))
        parts.append(f"**For you to judge; no check does**\n{_bounded(listed, _REVIEW_BYTES)}")
    return parts


def _cost(facts: GateFacts) -> list[str]:
    # No dollar sign outside of a fence: the UI takes what stands between two of them for a formula.
    spent = format_usd(facts.cost_nano, 4)
    if facts.budget_nano is None:
        return [f"**Cost:** {spent} USD; the job has no cap of its own."]
    return [f"**Cost:** {spent} of {format_usd(facts.budget_nano, 4)} USD."]


def _excerpt(facts: GateFacts, room: int) -> list[str]:
    if not facts.excerpt_of:
        return []
    name = {"diff": "Diff", "plan": "Plan"}[facts.excerpt_of]
    if not facts.excerpt_lines:
        return [f"**{name}:** empty."]
    lines = _fitting([visible(line) for line in facts.excerpt.splitlines()], room)
    title = f"**{name}, shown {len(lines)} of {facts.excerpt_lines} lines**"
    if not lines:
        return [f"{title}; see the links."]
    cut = " (the rest: see the links)" if len(lines) < facts.excerpt_lines else ""
    return [f"{title}{cut}\n{fenced(chr(10).join(lines), 'diff' if facts.excerpt_of == 'diff' else '')}"]


def _links(facts: GateFacts) -> list[str]:
    if not facts.links:
        return []
    # Links are ours. One can be followed only outside of a fence, so it has to be spelled with harmless letters alone.
    lines = [f"- <{link}>" if _URL.fullmatch(link) else f"- `{link}`" for link in facts.links if _PLAIN.fullmatch(link)]
    kept: list[str] = []
    for line in lines:
        if encoded_size("\n".join([*kept, line])) <= _LINKS_BYTES:
            kept.append(line)
    return ["\n".join(["**More**", *kept])] if kept else []


def _answer_block(state: GateState) -> str:
    block = {"gate": state.seq, "verdict": "approve", "tree": _hex(state.tree), "reviewer": "", "note": ""}
    if state.kind is GateKind.BUDGET:
        block["usd"] = ""
    return f"**Answer block**\n{fenced(json.dumps(block, indent=2), 'json')}"


def _log(log: Sequence[str]) -> str:
    if not log:
        return "**Decision log:** empty. Press R once you have answered: what is not here was not recorded."
    newest = _fitting([line for entry in reversed(log) for line in [_logged(entry)]], _LOG_BYTES)
    left_out = len(log) - len(newest)
    earlier = f" ({left_out} earlier: `thirdshift gates`)" if left_out else ""
    heading = f"**Decision log{earlier}** Press R for the newest. What is not here was not recorded."
    return f"{heading}\n{fenced(chr(10).join(newest))}"


def _logged(entry: str) -> str:
    return one_line(entry, 200)


def _wrapped(text: str) -> list[str]:
    """Lines of at most ``COLUMNS``, broken at spaces where there are any."""
    lines: list[str] = []
    for line in text.splitlines():
        rest = line
        while len(rest) > COLUMNS:
            at = rest.rfind(" ", 1, COLUMNS + 1)
            at = at if at > 0 else COLUMNS
            lines.append(rest[:at])
            rest = rest[at:].lstrip(" ")
        lines.append(rest)
    return lines


def _bounded(lines: Sequence[str], room: int) -> str:
    shown = [visible(line) for line in lines]
    kept = _fitting(shown, room)
    if len(kept) < len(shown):
        kept = [*kept, f"[{len(shown) - len(kept)} more lines]"]
    return fenced("\n".join(kept))


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """The first lines whose encoding fits into that many bytes, the fence around them counted."""
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        # A longer run of backticks makes longer fences, so the whole is measured and not each line.
        if encoded_size(fenced("\n".join(kept), "diff")) > room:
            return kept[:-1]
    return kept
