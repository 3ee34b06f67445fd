"""GitLab's webhooks: failed pipelines. Fields are those of https://docs.gitlab.com/user/project/integrations/webhook_events/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thirdshift.core.events.drafts import Draft, Nothing, Reading, one
from thirdshift.core.events.json_text import list_at, text_at, value_at

KINDS: Final = ("pipeline.failed",)
HOOK_EVENTS: Final = "Pipeline events"
_JOBS_TOLD: Final = 40


def read_gitlab(_headers: Mapping[str, str], body: object) -> Reading:
    """The event of a delivery."""
    pipeline = value_at(body, "object_attributes")
    if text_at(body, "object_kind") != "pipeline":
        return Nothing("events of this kind are not acted on")
    if text_at(pipeline, "status") != "failed":
        return Nothing("the pipeline has not failed")
    failed = [
        job
        for job in list_at(body, "builds")
        if text_at(job, "status") == "failed" and value_at(job, "allow_failure") is not True
    ]
    names = sorted(text_at(job, "name") for job in failed)
    ref = f"{'fork:' if _from_a_fork(body) else ''}{text_at(pipeline, 'ref')}"
    told = [
        f"failed: {text_at(job, 'name')} (stage {text_at(job, 'stage')}): {text_at(job, 'failure_reason')}"
        for job in failed[:_JOBS_TOLD]
    ]
    return one(
        Draft(
            kind="pipeline.failed",
            repository=text_at(body, "project", "path_with_namespace"),
            about=(ref, "\n".join(names)),
            title=f"Pipeline failed on {ref}: {', '.join(names)}",
            text="\n".join((*told, f"commit: {text_at(body, 'commit', 'message')}")),
            facts={
                "ref": ref,
                "branch": ref if text_at(pipeline, "tag") != "true" else "",
                "tag": ref if text_at(pipeline, "tag") == "true" else "",
                "commit": text_at(pipeline, "sha"),
                "jobs": ", ".join(names),
                "trigger": text_at(pipeline, "source"),
                "pipeline": text_at(pipeline, "id"),
                "default_branch": text_at(body, "project", "default_branch"),
                "url": text_at(pipeline, "url") or f"{text_at(body, 'project', 'web_url')}",
            },
        )
    )


def _from_a_fork(body: object) -> bool:
    """Whether it ran for a merge request of another project, whose branch anybody may have named ``main``."""
    source, target = (text_at(body, "merge_request", f"{end}_project_id") for end in ("source", "target"))
    return source != target


def gitlab_delivery(headers: Mapping[str, str]) -> str:
    """The delivery's id: the one that is signed, else the one that its retries share."""
    names = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
    return next((headers[name] for name in names if headers.get(name)), "")
