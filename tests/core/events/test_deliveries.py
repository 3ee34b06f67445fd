from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.webhooks import (
    CODE_SCANNING,
    DEPENDABOT,
    EXAMPLES,
    GENERIC,
    LABELED,
    PIPELINE,
    PUSH,
    SARIF,
    SECRET,
    SENTRY_ERROR,
    WORKFLOW_RUN,
    changed,
    delivery,
)
from thirdshift.core.event_book import Event
from thirdshift.core.events.deliveries import Delivered, SourceTerms, read_delivery
from thirdshift.core.events.drafts import Malformed, Nothing
from thirdshift.core.events.signatures import SourceKind

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def read(kind: SourceKind, payload: Any, *, event: str = "workflow_run", **terms: Any) -> Delivered | Nothing:
    sent = delivery(kind, payload, event=event)
    return read_delivery(SourceTerms(name="here", kind=kind, **terms), sent.headers, sent.body, NOW, (SECRET,))


def events(kind: SourceKind, payload: Any, *, event: str = "workflow_run", **terms: Any) -> tuple[Event, ...]:
    found = read(kind, payload, event=event, **terms)
    assert isinstance(found, Delivered)
    return found.events


def only(kind: SourceKind, payload: Any, *, event: str = "workflow_run", **terms: Any) -> Event:
    (found,) = events(kind, payload, event=event, **terms)
    return found


def test_a_failed_workflow_run_says_which_workflow_failed_where() -> None:
    event = only(SourceKind.GITHUB, WORKFLOW_RUN)
    assert (event.source, event.delivery, event.kind, event.repository) == (
        "here",
        "delivery-1",
        "workflow_run.failed",
        "acme/shop",
    )
    assert event.title == "Workflow CI failed on main"
    assert event.facts["branch"] == "main"
    assert event.facts["commit"] == "acb5820ced9479c074f688cc328bf03f341a511d"
    assert event.facts["url"] == "https://github.com/acme/shop/actions/runs/30433642"
    assert event.received_at == NOW
    again = changed(changed(WORKFLOW_RUN, "workflow_run", "id", to=5), "workflow_run", "head_sha", to="beef")
    assert only(SourceKind.GITHUB, again).fingerprint == event.fingerprint
    elsewhere = changed(WORKFLOW_RUN, "workflow_run", "head_branch", to="next")
    assert only(SourceKind.GITHUB, elsewhere).fingerprint != event.fingerprint


@pytest.mark.parametrize(
    ("event", "payload", "kind", "facts"),
    [
        ("push", PUSH, "push", {"branch": "main", "author": "ada"}),
        ("dependabot_alert", DEPENDABOT, "dependabot_alert", {"severity": "high", "patched": "2.0.2"}),
        ("code_scanning_alert", CODE_SCANNING, "code_scanning_alert", {"path": "shop/search.py", "line": "17"}),
        ("issues", LABELED, "issues.labeled", {"label": "thirdshift", "labels": "bug, thirdshift"}),
    ],
)
def test_github_s_other_events_are_read(event: str, payload: dict[str, Any], kind: str, facts: dict[str, str]) -> None:
    found = only(SourceKind.GITHUB, payload, event=event)
    assert found.kind == kind
    assert found.repository == "acme/shop"
    assert facts.items() <= found.facts.items()
    assert found.title
    assert found.text


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("ping", {"zen": "Keep it logically awesome.", "hook_id": 1}),
        ("star", {"action": "created"}),
        ("workflow_run", changed(WORKFLOW_RUN, "workflow_run", "conclusion", to="success")),
        ("workflow_run", changed(WORKFLOW_RUN, "action", to="requested")),
        ("push", changed(PUSH, "deleted", to=True)),
        ("dependabot_alert", changed(DEPENDABOT, "action", to="fixed")),
        ("code_scanning_alert", changed(CODE_SCANNING, "action", to="closed_by_user")),
        ("issues", changed(LABELED, "action", to="opened")),
    ],
)
def test_what_asks_for_nothing_is_no_event(event: str, payload: dict[str, Any]) -> None:
    assert isinstance(read(SourceKind.GITHUB, payload, event=event), Nothing)


def test_a_failed_pipeline_is_told_by_the_jobs_that_had_to_pass() -> None:
    event = only(SourceKind.GITLAB, PIPELINE)
    assert (event.kind, event.repository, event.facts["jobs"]) == ("pipeline.failed", "acme/shop", "unit")
    assert event.title == "Pipeline failed on main: unit"
    assert "flaky" not in event.text
    other = changed(PIPELINE, "builds", 0, "name", to="lint")
    assert only(SourceKind.GITLAB, other).fingerprint != event.fingerprint
    assert isinstance(read(SourceKind.GITLAB, changed(PIPELINE, "object_attributes", "status", to="success")), Nothing)
    assert isinstance(read(SourceKind.GITLAB, {"object_kind": "push"}), Nothing)


def test_an_error_is_one_event_however_often_it_is_sent() -> None:
    event = only(SourceKind.SENTRY, SENTRY_ERROR)
    assert (event.kind, event.repository, event.facts["issue"]) == ("error", "acme/shop", "1170820242")
    assert event.delivery == "error bb78c1407cea4519aa397afc059c793d"
    assert event.facts["environment"] == "production"
    assert "shop/totals.py:9 average" in event.text
    assert only(SourceKind.SENTRY, SENTRY_ERROR, repository="acme/till").repository == "acme/till"


def test_a_scanner_s_log_is_one_event_for_each_rule_and_file() -> None:
    found = events(SourceKind.SARIF, SARIF)
    assert [(event.facts["rule"], event.facts["severity"], event.facts["results"]) for event in found] == [
        ("B602", "error", "2"),
        ("B101", "note", "1"),
    ]
    first = found[0]
    assert (first.kind, first.repository, first.facts["path"]) == ("alert", "acme/shop", "shop/run.py")
    assert first.facts["branch"] == "main"
    assert "line 3: subprocess call with shell=True" in first.text
    assert len({event.delivery for event in found}) == 2
    assert [event.delivery for event in events(SourceKind.SARIF, SARIF)] == [event.delivery for event in found]


def test_of_a_log_with_very_many_findings_the_gravest_are_taken_and_the_rest_counted() -> None:
    results = [
        {"ruleId": f"R{number}", "level": "error" if number % 2 else "note", "message": {"text": "x"}}
        for number in range(250)
    ]
    found = read(SourceKind.SARIF, changed(SARIF, "runs", 0, "results", to=results))
    assert isinstance(found, Delivered)
    assert (len(found.events), found.left_out) == (100, 150)
    assert {event.facts["severity"] for event in found.events} == {"error"}


def test_a_generic_event_is_what_it_says() -> None:
    event = only(SourceKind.GENERIC, GENERIC)
    assert (event.delivery, event.kind, event.repository) == ("alert-17", "alert", "acme/shop")
    assert (event.title, event.text) == ("Latency is above its limit", "p99 is 900 ms")
    assert event.facts == {"severity": "high", "p99_ms": "900"}
    assert event.fingerprint == "here alert latency"
    bare = {"kind": "alert", "repository": "acme/shop", "title": "Disk full"}
    assert only(SourceKind.GENERIC, bare).fingerprint == "here alert Disk full"
    assert only(SourceKind.GENERIC, bare).delivery == "delivery-1"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ([], "not a JSON object"),
        ({**GENERIC, "fingerprnit": "x"}, "unknown field"),
        ({**GENERIC, "title": 5}, "`title` is to be a string"),
        ({**GENERIC, "title": ""}, "`title` is missing"),
        ({**GENERIC, "facts": {"a": [1]}}, "`facts`"),
        ({**GENERIC, "kind": "no kind\n"}, "kind is up to"),
        ({**GENERIC, "repository": "../../etc"}, None),
        ({**GENERIC, "repository": ""}, "repository"),
        ({**GENERIC, "repository": "a b"}, "repository"),
        ({**GENERIC, "repository": "acme//shop"}, "repository"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_being_quoted(payload: Any, words: str | None) -> None:
    if words is None:
        assert only(SourceKind.GENERIC, payload).repository == "../../etc", "a name, and never a path"
        return
    with pytest.raises(Malformed, match=words):
        read(SourceKind.GENERIC, payload)


def test_a_source_speaks_for_its_repositories_alone() -> None:
    assert events(SourceKind.GENERIC, GENERIC, repositories=("acme/*",))
    with pytest.raises(Malformed, match="may not speak for"):
        read(SourceKind.GENERIC, GENERIC, repositories=("other/*", "acme"))


@pytest.mark.parametrize("kind", list(SourceKind))
@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"{", b'"', b"[" * 500_000, b'{"a":' * 500_000, b"NaN", b"-", b"1" * 5000, b'"\\', b"\x00"],
)
def test_what_is_no_json_is_malformed_and_never_a_fault(kind: SourceKind, body: bytes) -> None:
    with pytest.raises(Malformed):
        read(kind, body)


@pytest.mark.parametrize("kind", list(SourceKind))
@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b"0", b'"x"', b'{"a": 1, "a": 2}', b"[[[[[]]]]]"])
def test_another_shape_is_nothing_or_malformed_and_never_a_fault(kind: SourceKind, body: bytes) -> None:
    try:
        found = read(kind, body)
    except Malformed:
        return
    assert isinstance(found, Nothing)


def test_json_with_more_values_than_anybody_sends_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(Malformed, match="more than"):
        read(SourceKind.SARIF, b"[" + b"{}," * 1_000_000 + b"{}]")


@pytest.mark.parametrize("kind", list(SourceKind))
def test_every_text_is_made_safe_whoever_wrote_it(kind: SourceKind) -> None:
    hostile = "\u202e\x1b[31m\x00 sk-abcdefghijklmnopqrstuvwx \ud800 " + SECRET + " " + "A" * 100_000

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poisoned(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [poisoned(inner) for inner in value]
        kept = isinstance(value, str) and value in KEPT
        return hostile if isinstance(value, str) and not kept else value

    KEPT = {"completed", "failure", "failed", "pipeline", "acme/shop", "created", "2.1.0", "alert", "alert-17"}
    for event in events(kind, poisoned(EXAMPLES[kind]), repository="acme/shop"):
        shown = json.dumps(event.model_dump(mode="json"), ensure_ascii=False)
        assert SECRET not in shown
        assert "sk-abcdefghij" not in shown
        for character in "\u202e\x1b\x00\ud800":
            assert character not in shown
        assert len(event.title) <= 200
        assert len(event.text.encode()) <= 4096
        assert len(event.facts) <= 20
        assert all(len(value) <= 300 for value in event.facts.values())
        assert len(event.fingerprint) <= 200
        assert len(event.delivery) <= 220


def test_a_branch_of_a_fork_is_not_taken_for_one_of_ours_however_it_is_named() -> None:
    ours = only(
        SourceKind.GITHUB, changed(WORKFLOW_RUN, "workflow_run", "head_repository", to={"full_name": "Acme/Shop"})
    )
    theirs = only(
        SourceKind.GITHUB, changed(WORKFLOW_RUN, "workflow_run", "head_repository", to={"full_name": "eve/x"})
    )
    assert (ours.facts["branch"], theirs.facts["branch"]) == ("main", "eve:main")
    assert ours.fingerprint != theirs.fingerprint
    gone = changed(
        changed(WORKFLOW_RUN, "workflow_run", "head_repository", to=None), "workflow_run", "event", to="pull_request"
    )
    assert only(SourceKind.GITHUB, gone).facts["branch"] == "unknown:main"
    merge_request = {"source_project_id": 7, "target_project_id": 1}
    assert only(SourceKind.GITLAB, {**PIPELINE, "merge_request": merge_request}).facts["branch"] == "fork:main"
    assert (
        only(SourceKind.GITLAB, {**PIPELINE, "merge_request": {**merge_request, "source_project_id": 1}}).facts[
            "branch"
        ]
        == "main"
    )


def test_no_source_speaks_for_another_and_no_text_passes_for_two() -> None:
    terms = SourceTerms(name="there", kind=SourceKind.GENERIC)
    payload = {"kind": "workflow_run.failed", "repository": "acme/shop", "title": ".github/workflows/ci.yml main"}
    sent = delivery(SourceKind.GENERIC, payload)
    pretended = read_delivery(terms, sent.headers, sent.body, NOW)
    assert isinstance(pretended, Delivered)
    assert pretended.events[0].fingerprint != only(SourceKind.GITHUB, WORKFLOW_RUN).fingerprint

    def of(rule: str, path: str) -> str:
        alert = changed(CODE_SCANNING, "alert", "rule", "id", to=rule)
        alert = changed(alert, "alert", "most_recent_instance", "location", "path", to=path)
        return only(SourceKind.GITHUB, alert, event="code_scanning_alert").fingerprint

    assert len({of("a b", "c"), of("a", "b c"), of("a", "b"), of("a ", "b")}) == 4
    odd = only(SourceKind.GENERIC, {**GENERIC, "fingerprint": "x\x00"}).fingerprint
    as_shown = odd.removeprefix("here alert ")
    assert only(SourceKind.GENERIC, {**GENERIC, "fingerprint": as_shown}).fingerprint != odd


def test_two_long_fingerprints_that_begin_alike_stay_two() -> None:
    one = only(SourceKind.GENERIC, {**GENERIC, "fingerprint": "x" * 1000 + "1"})
    two = only(SourceKind.GENERIC, {**GENERIC, "fingerprint": "x" * 1000 + "2"})
    assert one.fingerprint != two.fingerprint
