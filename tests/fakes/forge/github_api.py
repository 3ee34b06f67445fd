"""GitHub's REST API for pull requests: https://docs.github.com/rest/pulls/pulls, version 2022-11-28."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.forge.server import TOKEN, Answer, Asked, ForgeServer, Request

_PULLS = re.compile(r"/repos/([^/]+)/([^/]+)/pulls(?:/(\d+))?")


def github_api(forge: ForgeServer, asked: Asked) -> Answer:
    """Answer as GitHub does."""
    if asked.headers.get("authorization") not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
        return Answer(401, {"message": "Bad credentials"})
    found = _PULLS.fullmatch(asked.path)
    if found is None or found[1] == "hidden":
        return Answer(404, {"message": "Not Found"})
    project, number = f"{found[1]}/{found[2]}", found[3]
    if number:
        return _one(forge, asked, project, int(number))
    if asked.method == "POST":
        return _create(forge, asked, project)
    return _listed(forge, asked, project)


def _create(forge: ForgeServer, asked: Asked, project: str) -> Answer:
    head = asked.body["head"].partition(":")[2] or asked.body["head"]
    if forge.open_from(project, head):
        said = f"A pull request already exists for {project.partition('/')[0]}:{head}."
        return Answer(422, {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": said}]})
    if len(asked.body["body"]) > 65_536:
        return Answer(422, {"message": "Validation Failed", "errors": [{"message": "body is too long"}]})
    made = forge.add(project, head, asked.body["base"], asked.body["title"], asked.body["body"])
    return Answer(201, _shown(forge, made))


def _listed(forge: ForgeServer, asked: Asked, project: str) -> Answer:
    owner = project.partition("/")[0]
    rows = [r for r in forge.requests if r.project == project]
    if head := asked.query.get("head"):
        rows = [r for r in rows if f"{owner}:{r.head}" == head]
    if (state := asked.query.get("state", "open")) != "all":
        rows = [r for r in rows if ("open" if r.state == "open" else "closed") == state]
    rows.sort(key=lambda r: r.number, reverse=asked.query.get("direction") == "desc")
    return Answer(200, [_shown(forge, row) for row in rows])


def _one(forge: ForgeServer, asked: Asked, project: str, number: int) -> Answer:
    row = next((r for r in forge.requests if (r.project, r.number) == (project, number)), None)
    if row is None:
        return Answer(404, {"message": "Not Found"})
    if asked.method == "PATCH":
        row.title = asked.body.get("title", row.title)
        row.body = asked.body.get("body", row.body)
        row.base = asked.body.get("base", row.base)
    return Answer(200, _shown(forge, row))


def _shown(forge: ForgeServer, row: Request) -> dict[str, Any]:
    merged = row.state == "merged"
    return {
        "number": row.number,
        "url": f"{forge.url}/repos/{row.project}/pulls/{row.number}",
        "html_url": f"https://github.example/{row.project}/pull/{row.number}",
        "state": "open" if row.state == "open" else "closed",
        "title": row.title,
        "body": row.body.replace("\n", "\r\n"),
        "merged_at": "2026-01-02T03:04:05Z" if merged else None,
        "merge_commit_sha": row.merge_commit or "9" * 40,
        "head": {"ref": row.head},
        "base": {"ref": row.base},
    }
