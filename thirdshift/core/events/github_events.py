"""GitHub's webhooks: ``X-GitHub-Event`` says which, ``X-GitHub-Delivery`` is the id, also of a redelivery.

Fields are those of https://docs.github.com/webhooks/webhook-events-and-payloads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from thirdshift.core.events.drafts import Draft, Nothing, Reading, one
from thirdshift.core.events.json_text import first_text, list_at, text_at, value_at

KINDS: Final = ("push", "workflow_run.failed", "dependabot_alert", "code_scanning_alert", "issues.labeled")
HOOK_EVENTS: Final = "Pushes, Workflow runs, Dependabot alerts, Code scanning alerts, Issues"
_FAILED: Final = frozenset({"failure", "timed_out", "startup_failure"})
_OPENED: Final = frozenset({"created", "reopened", "reopened_by_user", "reintroduced", "auto_reopened"})
_COMMITS_TOLD: Final = 20


def read_github(headers: Mapping[str, str], body: object) -> Reading:
    """The event of a delivery."""
    event = headers.get("x-github-event", "")
    if event == "ping":
        return Nothing("pong: the webhook is set up")
    reader = _READERS.get(event)
    if reader is None:
        return Nothing("events of this kind are not acted on")
    draft = reader(body)
    return one(draft) if draft is not None else Nothing("nothing is to be done about this event")


def github_delivery(headers: Mapping[str, str]) -> str:
    """The delivery's id."""
    return headers.get("x-github-delivery", "")


def _repository(body: object) -> str:
    return text_at(body, "repository", "full_name")


def _push(body: object) -> Draft | None:
    ref = text_at(body, "ref")
    if value_at(body, "deleted") is True:
        return None
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    told = [f"{text_at(c, 'id')[:12]} {text_at(c, 'message')}" for c in list_at(body, "commits")[:_COMMITS_TOLD]]
    return Draft(
        kind="push",
        repository=_repository(body),
        about=(ref,),
        title=f"Push to {branch}: {text_at(body, 'head_commit', 'message').partition(chr(10))[0]}",
        text="\n".join(told),
        facts={
            "ref": ref,
            "branch": branch if ref.startswith("refs/heads/") else "",
            "tag": branch if ref.startswith("refs/tags/") else "",
            "commit": text_at(body, "after"),
            "before": text_at(body, "before"),
            "forced": text_at(body, "forced"),
            "author": text_at(body, "pusher", "name"),
            "default_branch": text_at(body, "repository", "default_branch"),
            "url": text_at(body, "compare"),
        },
    )


def _workflow_run(body: object) -> Draft | None:
    run = value_at(body, "workflow_run")
    conclusion = text_at(run, "conclusion")
    if text_at(body, "action") != "completed" or conclusion not in _FAILED:
        return None
    name = first_text(body, ("workflow_run", "name"), ("workflow", "name"))
    workflow = first_text(body, ("workflow_run", "path"), ("workflow", "path")) or name
    branch = _branch_of_run(body)
    return Draft(
        kind="workflow_run.failed",
        repository=_repository(body),
        about=(workflow, branch),
        title=f"Workflow {name} failed on {branch}",
        text="\n".join(
            (
                f"workflow: {name} ({workflow})",
                f"conclusion: {conclusion}",
                f"run: {text_at(run, 'run_number')}, attempt {text_at(run, 'run_attempt')}",
                f"started by: {text_at(run, 'event')}",
                f"of: {text_at(run, 'display_title')}",
                f"last commit: {text_at(run, 'head_commit', 'message')}",
            )
        ),
        facts={
            "workflow": name,
            "workflow_path": workflow,
            "branch": branch,
            "commit": text_at(run, "head_sha"),
            "conclusion": conclusion,
            "trigger": text_at(run, "event"),
            "head_repository": text_at(run, "head_repository", "full_name"),
            "run": text_at(run, "id"),
            "default_branch": text_at(body, "repository", "default_branch"),
            "url": text_at(run, "html_url"),
        },
    )


def _branch_of_run(body: object) -> str:
    """The run's branch; of another repository, as a pull request from a fork is, ``owner:branch``.

    Whoever may open a pull request names their branch as they like. A rule for ``main`` is not to hear of a fork's.
    """
    run = value_at(body, "workflow_run")
    branch, of = text_at(run, "head_branch"), text_at(run, "head_repository", "full_name")
    if not of and not text_at(run, "event").startswith("pull_request"):
        return branch
    if of.casefold() == _repository(body).casefold():
        return branch
    return f"{of.partition('/')[0] or 'unknown'}:{branch}"


def _dependabot(body: object) -> Draft | None:
    alert = value_at(body, "alert")
    action = text_at(body, "action")
    if action not in _OPENED:
        return None
    package = text_at(alert, "dependency", "package", "name")
    advisory = value_at(alert, "security_advisory")
    ghsa = text_at(advisory, "ghsa_id")
    patched = text_at(alert, "security_vulnerability", "first_patched_version", "identifier")
    return Draft(
        kind="dependabot_alert",
        repository=_repository(body),
        about=(package, ghsa),
        title=f"{package}: {text_at(advisory, 'summary')}",
        text=f"first patched version: {patched or 'none'}\n\n{text_at(advisory, 'description')}",
        facts={
            "action": action,
            "package": package,
            "ecosystem": text_at(alert, "dependency", "package", "ecosystem"),
            "manifest": text_at(alert, "dependency", "manifest_path"),
            "scope": text_at(alert, "dependency", "scope"),
            "severity": text_at(advisory, "severity"),
            "ghsa": ghsa,
            "cve": text_at(advisory, "cve_id"),
            "vulnerable": text_at(alert, "security_vulnerability", "vulnerable_version_range"),
            "patched": patched,
            "alert": text_at(alert, "number"),
            "url": text_at(alert, "html_url"),
        },
    )


def _code_scanning(body: object) -> Draft | None:
    alert = value_at(body, "alert")
    action = text_at(body, "action")
    if action not in _OPENED | {"appeared_in_branch"}:
        return None
    instance = value_at(alert, "most_recent_instance")
    rule, path = text_at(alert, "rule", "id"), text_at(instance, "location", "path")
    ref = first_text(body, ("ref",), ("alert", "most_recent_instance", "ref"))
    said = text_at(instance, "message", "text")
    return Draft(
        kind="code_scanning_alert",
        repository=_repository(body),
        about=(rule, path),
        title=f"{rule} in {path}: {text_at(alert, 'rule', 'description')}",
        text=f"{said}\n\n{first_text(alert, ('rule', 'full_description'), ('rule', 'description'))}",
        facts={
            "action": action,
            "rule": rule,
            "path": path,
            "line": text_at(instance, "location", "start_line"),
            "severity": first_text(alert, ("rule", "security_severity_level"), ("rule", "severity")),
            "tool": text_at(alert, "tool", "name"),
            "ref": ref,
            "branch": ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else "",
            "commit": first_text(body, ("commit_oid",), ("alert", "most_recent_instance", "commit_sha")),
            "alert": text_at(alert, "number"),
            "url": text_at(alert, "html_url"),
        },
    )


def _issues(body: object) -> Draft | None:
    if text_at(body, "action") != "labeled":
        return None
    issue, label = value_at(body, "issue"), text_at(body, "label", "name")
    number = text_at(issue, "number")
    return Draft(
        kind="issues.labeled",
        repository=_repository(body),
        about=(number, label),
        title=f"#{number} {text_at(issue, 'title')}",
        text=text_at(issue, "body"),
        facts={
            "label": label,
            "labels": ", ".join(text_at(each, "name") for each in list_at(issue, "labels")[:_COMMITS_TOLD]),
            "issue": number,
            "author": text_at(issue, "user", "login"),
            "association": text_at(issue, "author_association"),
            "labeled_by": text_at(body, "sender", "login"),
            "default_branch": text_at(body, "repository", "default_branch"),
            "url": text_at(issue, "html_url"),
        },
    )


_READERS: Final[Mapping[str, Callable[[object], Draft | None]]] = {
    "push": _push,
    "workflow_run": _workflow_run,
    "dependabot_alert": _dependabot,
    "code_scanning_alert": _code_scanning,
    "issues": _issues,
}
