"""A gate as one HTML page: everything a reviewer may read, whole, for any browser and without a network.

Self-contained, without scripts, and with a policy that would stop any. Everything that an agent, a repository or a
person wrote is made visible and escaped, also in attributes.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from thirdshift.core.diff_shape import LineKind, changes, told_apart
from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_facts import GateFacts
from thirdshift.core.money import format_usd
from thirdshift.core.spec import GateKind
from thirdshift.core.text import visible
from thirdshift.core.words import counted

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1d2530;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:#f5f6f8;padding:.8rem;overflow:auto;border-radius:4px;tab-size:4}
table{border-collapse:collapse}td,th{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top}
.diff span{display:block;min-height:1.45em;white-space:pre}.added{background:#dcf5e0}.removed{background:#fbe1e1}
.hunk{color:#5b3fb0}.file{font-weight:bold;border-top:1px solid #c6ccd4;margin-top:.8rem;padding-top:.4rem}
.heading{color:#626b77}.FAIL{color:#a31515;font-weight:bold}.pass{color:#17692b}
"""


class ReviewedGate(Frozen):
    """What the page is about. All text is hostile."""

    job_id: str
    seq: int
    kind: GateKind
    tree: str
    reason: str
    repository: str
    base_commit: str
    goal: str = ""
    """What the spec asks for, as its author wrote it."""
    whole: str = ""
    """The whole diff, or the whole plan; which of them is in ``GateFacts.excerpt_of``."""


def render_review(gate: ReviewedGate, facts: GateFacts) -> str:
    """The page, as UTF-8 text without lone surrogates."""
    title = f"Gate {gate.seq}, {gate.kind}: {facts.title}"
    parts = [
        f"<h1>{_shown(title)}</h1>",
        _standing(gate, facts),
        _section("Why you are asked", f"<p>{_shown(gate.reason)}</p>") if gate.reason else "",
        _how(gate),
        _checks(facts),
        _section("For you to judge; no check does", _list(facts.to_review)) if facts.to_review else "",
        _section("What failed", f"<pre>{_shown(facts.failed_output)}</pre>") if facts.failed_output else "",
        _section("What was asked for", f"<pre>{_shown(gate.goal)}</pre>") if gate.goal else "",
        _whole(gate, facts),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_shown(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _shown(text: str) -> str:
    return html.escape(visible(text), quote=True)


def _section(heading: str, body: str) -> str:
    return f"<h2>{heading}</h2>\n{body}"


def _list(texts: tuple[str, ...]) -> str:
    return "<ul>" + "".join(f"<li>{_shown(text)}</li>" for text in texts) + "</ul>"


def _standing(gate: ReviewedGate, facts: GateFacts) -> str:
    cap = "no cap of its own" if facts.budget_nano is None else f"of ${format_usd(facts.budget_nano, 4)}"
    rows = {
        "Job": gate.job_id,
        "Repository": gate.repository,
        "Base commit": gate.base_commit,
        "Tree": gate.tree,
        "Cost so far": f"${format_usd(facts.cost_nano, 4)}, {cap}",
    }
    cells = "".join(f"<tr><th>{name}</th><td><code>{_shown(value)}</code></td></tr>" for name, value in rows.items())
    return f"<table>{cells}</table>"


def _how(gate: ReviewedGate) -> str:
    return _section(
        "How to answer",
        "<p>This page only shows. Answer in the Temporal Web UI, on the page that the notice links to, or with:</p>"
        f"<pre>thirdshift decide {_shown(gate.job_id)}</pre>"
        "<p>An answer counts for this gate and this tree alone. If the tree there is another one than here, "
        "this page is out of date.</p>",
    )


def _checks(facts: GateFacts) -> str:
    if not facts.checks:
        return _section("Checks", "<p>None has run on this tree.</p>")
    rows = "".join(
        f'<tr><td class="{line.state.replace(" ", "-")}">{line.state}</td><td><code>{_shown(line.id)}</code></td>'
        f"<td>{line.seconds:.1f} s</td></tr>"
        for line in facts.checks
    )
    more = f"<p>{facts.checks_left_out} more, all passed or less telling, are not shown.</p>"
    return _section("Checks", f"<table>{rows}</table>{more if facts.checks_left_out else ''}")


def _whole(gate: ReviewedGate, facts: GateFacts) -> str:
    if facts.excerpt_of == "plan":
        return _section("The plan", f"<pre>{_shown(gate.whole)}</pre>" if gate.whole else "<p>There is none.</p>")
    if not gate.whole:
        return _section("The change", "<p>Nothing is changed yet.</p>")
    files = changes(gate.whole)
    rows = "".join(
        f"<tr><td>+{file.added}</td><td>-{file.removed}</td><td><code>{_shown(file.path)}</code></td></tr>"
        for file in files
    )
    lines = "".join(_diff_lines(gate.whole))
    heading = f"The change: {counted(len(files), 'file')}"
    return _section(heading, f'<table>{rows}</table>\n<pre class="diff">{lines}</pre>')


def _diff_lines(diff: str) -> Iterator[str]:
    for kind, line in told_apart(diff):
        yield f"<span>{_shown(line)}</span>" if kind is LineKind.SAME else f'<span class="{kind}">{_shown(line)}</span>'
