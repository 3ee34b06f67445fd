"""Sentry's integration webhooks: errors, issue alerts and new issues.

Fields are those of https://docs.sentry.io/organization/integrations/integration-platform/webhooks/. ``Request-ID`` is
not signed, and new with each try, so an event's own id is the delivery's where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from thirdshift.core.events.drafts import Draft, Nothing, Reading, one
from thirdshift.core.events.json_text import first_text, list_at, text_at, value_at

KINDS: Final = ("error",)
HOOK_EVENTS: Final = "error, issue; or an alert rule that sends to the integration"
_NEW_ISSUE: Final = frozenset({"created", "unresolved"})
_PROJECT_URL: Final = re.compile(r"/projects/([A-Za-z0-9_.-]{1,100})/([A-Za-z0-9_.-]{1,100})/")
_FRAMES_TOLD: Final = 12


def read_sentry(headers: Mapping[str, str], body: object) -> Reading:
    """The event of a delivery."""
    resource, action = headers.get("sentry-hook-resource", ""), text_at(body, "action")
    found = next((each for path in _PLACES if isinstance(each := value_at(body, *path), dict)), None)
    if found is None or resource in ("installation", "comment", "seer"):
        return Nothing("events of this kind are not acted on")
    is_issue = isinstance(value_at(body, "data", "issue"), dict)
    if is_issue and action not in _NEW_ISSUE:
        return Nothing("nothing is to be done about this event")
    issue = text_at(found, "id") if is_issue else first_text(found, ("issue_id",), ("issue", "id"), ("groupID",))
    marks = tuple(text_at(each) for each in list_at(found, "fingerprint"))
    title = first_text(found, ("title",), ("message",), ("culprit",))
    project = _project(found)
    event_id = first_text(found, ("event_id",), ("eventID",))
    return one(
        Draft(
            kind="error",
            repository=project,
            about=(project, issue or "\n".join(marks) or title),
            title=title,
            text=_told(found, title),
            delivery=f"{resource or 'error'} {event_id}" if event_id and not is_issue else "",
            facts={
                "resource": resource,
                "action": action,
                "issue": issue,
                "short_id": text_at(found, "shortId"),
                "project": first_text(found, ("project", "slug"), ("project_slug",), ("project",)),
                "level": text_at(found, "level"),
                "culprit": text_at(found, "culprit"),
                "platform": text_at(found, "platform"),
                "environment": first_text(found, ("environment",)) or _tag(found, "environment"),
                "release": first_text(found, ("release",)) or _tag(found, "release"),
                "rule": text_at(body, "data", "triggered_rule"),
                "url": first_text(found, ("web_url",), ("permalink",)),
            },
        )
    )


def sentry_delivery(headers: Mapping[str, str]) -> str:
    """The delivery's id, where its body has none."""
    return headers.get("request-id", "")


_PLACES: Final = (("data", "error"), ("data", "event"), ("data", "issue"), ("event",))


def _project(found: object) -> str:
    match = _PROJECT_URL.search(text_at(found, "url")[:2000]) or _PROJECT_URL.search(
        text_at(found, "project_url")[:2000]
    )
    return f"{match[1]}/{match[2]}" if match else first_text(found, ("project", "slug"), ("project_slug",))


def _tag(found: object, name: str) -> str:
    return next((text_at(tag, 1) for tag in list_at(found, "tags") if text_at(tag, 0) == name), "")


def _told(found: object, title: str) -> str:
    lines = [title, f"in {text_at(found, 'culprit')}"]
    values = list_at(found, "exception", "values") or list_at(found, "exception")
    for raised in values[-3:]:
        lines.append(f"{text_at(raised, 'type')}: {text_at(raised, 'value')}")
        frames = list_at(raised, "stacktrace", "frames")[-_FRAMES_TOLD:]
        for frame in reversed(frames):
            where = first_text(frame, ("filename",), ("abs_path",), ("module",))
            lines.append(f"  {where}:{text_at(frame, 'lineno')} {text_at(frame, 'function')}")
    if value := text_at(found, "metadata", "value"):
        lines.append(f"{text_at(found, 'metadata', 'type')}: {value}")
    return "\n".join(lines)
