"""Deliveries that hypothesis makes up: mutations of what vendors send, signed or not, and others."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from tests.fakes.webhooks import CODE_SCANNING, DEPENDABOT, EXAMPLES, LABELED, PUSH, WORKFLOW_RUN, Delivery, delivery
from thirdshift.core.events.signatures import SourceKind

TEXTS = st.text(st.characters(codec=None), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
HEADERS = (
    *("content-type", "content-length", "content-encoding", "transfer-encoding", "expect", "accept"),
    *("x-hub-signature-256", "x-gitlab-token", "sentry-hook-signature", "sentry-hook-timestamp"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
)
GITHUB_EVENTS = {
    "workflow_run": WORKFLOW_RUN,
    "push": PUSH,
    "dependabot_alert": DEPENDABOT,
    "code_scanning_alert": CODE_SCANNING,
    "issues": LABELED,
}


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    if not isinstance(value, dict | list):
        return [above]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [above, *(path for step, each in inner for path in places(each, (*above, step)))]


@st.composite
def mutated(draw: st.DrawFn, payload: Any) -> Any:
    made = copy.deepcopy(payload)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(places(made)))
        if not path:
            return draw(JSON)
        inner = made
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = draw(JSON)
    return made


@st.composite
def signed(draw: st.DrawFn) -> tuple[str, Delivery]:
    kind = draw(st.sampled_from(list(SourceKind)))
    event, payload = draw(st.sampled_from(list(GITHUB_EVENTS.items())))
    value = draw(mutated(payload if kind is SourceKind.GITHUB else EXAMPLES[kind]))
    body = draw(st.just(json.dumps(value).encode()) | st.binary(max_size=200))
    sent = delivery(kind, body, event=event, delivery_id=draw(st.text(st.characters(codec="latin-1"), max_size=30)))
    return f"/events/{kind}", sent


@st.composite
def unsigned(draw: st.DrawFn) -> tuple[str, Delivery]:
    names = st.sampled_from(HEADERS)
    values = st.sampled_from(["application/json", "gzip", "", "sha256=", "v1,"]) | st.text(max_size=20)
    headers = draw(st.dictionaries(names, values, max_size=6))
    path = draw(
        st.sampled_from([f"/events/{kind}" for kind in SourceKind]) | st.text(max_size=20).map("/events/".__add__)
    )
    return path, Delivery(draw(st.binary(max_size=300)), headers)
