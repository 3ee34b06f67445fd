"""GitLab's REST API for merge requests: https://docs.gitlab.com/api/merge_requests, version 4."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.forge.server import TOKEN, Answer, Asked, ForgeServer, Request

_REQUESTS = re.compile(r"/api/v4/projects/(.+)/merge_requests(?:/(\d+))?")


def gitlab_api(forge: ForgeServer, asked: Asked) -> Answer:
    """Answer as GitLab does."""
    if asked.headers.get("private-token") != TOKEN:
        return Answer(401, {"message": "401 Unauthorized"})
    found = _REQUESTS.fullmatch(asked.path)
    if found is None or found[1].startswith("hidden/"):
        return Answer(404, {"message": "404 Project Not Found"})
    project, number = found[1], found[2]
    if number:
        return _one(forge, asked, project, int(number))
    if asked.method == "POST":
        return _create(forge, asked, project)
    rows = [r for r in forge.requests if r.project == project and r.head == asked.query.get("source_branch", r.head)]
    rows.sort(key=lambda r: r.number, reverse=asked.query.get("sort") == "desc")
    return Answer(200, [_shown(row) for row in rows])


def _create(forge: ForgeServer, asked: Asked, project: str) -> Answer:
    head = asked.body["source_branch"]
    if forge.open_from(project, head):
        said = f"Another open merge request already exists for this source branch: !{len(forge.requests)}"
        return Answer(409, {"message": [said]})
    made = forge.add(project, head, asked.body["target_branch"], asked.body["title"], asked.body["description"])
    return Answer(201, _shown(made))


def _one(forge: ForgeServer, asked: Asked, project: str, number: int) -> Answer:
    row = next((r for r in forge.requests if (r.project, r.number) == (project, number)), None)
    if row is None:
        return Answer(404, {"message": "404 Not found"})
    if asked.method == "PUT":
        row.title = asked.body.get("title", row.title)
        row.body = asked.body.get("description", row.body)
        row.base = asked.body.get("target_branch", row.base)
    return Answer(200, _shown(row))


def _shown(row: Request) -> dict[str, Any]:
    return {
        "id": 1000 + row.number,
        "iid": row.number,
        "web_url": f"https://gitlab.example/{row.project}/-/merge_requests/{row.number}",
        "state": {"open": "opened"}.get(row.state, row.state),
        "title": row.title,
        "description": row.body,
        "source_branch": row.head,
        "target_branch": row.base,
        "merge_commit_sha": row.merge_commit or None,
        "squash_commit_sha": None,
    }
