"""A model that knows the operator's secrets says them wherever it can; nothing that is kept tells them."""

from __future__ import annotations

import json
import logging
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import make_repository
from tests.fakes.whole_line import whole_line
from tests.workflows.line_at_work import decide, open_gate
from thirdshift.bootstrap.submission import submit

KEY = "operator-key-3391-fox"
SHAPED = "-".join(("sk", "proj", "abcdefghij0123456789"))
SPEC = """---
title: Add two numbers
repo: {repo}
plan: none
gates: [merge]
checks:
  - {{id: unit, run: "{check}", covers: [AC-1]}}
budget: {{max_budget_usd: 1.00, max_attempts: 2, max_steps: 12, max_wall: 5m}}
---
# Goal
Make add() add.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
"""
TOLD = "printf 'operator-key-%s\\n' 3391-fox; printf 'sk-%s\\n' proj-abcdefghij0123456789"
"""Put together inside, so that no text on its way in holds them."""
CHECK = "PYTHONPATH=. python3 -c 'import calc; assert calc.add(2, 3) == 5'; " + TOLD.replace("\\n", "")
CODE = "def add(a, b):\n    return a + b\n"
STEPS = [
    {"say": f"The key is {KEY}, or {SHAPED}.", "tools": [{"bash": {"command": f"echo {KEY} {SHAPED}"}}]},
    {
        "fault": {"kind": "rate_limited", "retry_after_seconds": 0.1, "times": 1, "message": f"401 for {KEY}"},
        "tools": [{"write_file": {"path": "calc.py", "content": f"# {KEY} {SHAPED}\n{CODE}"}}],
    },
    {"tools": [{"bash": {"command": TOLD}}]},
    {"tools": [{"call": {"name": "bash", "raw": f'{{"command": "echo {KEY}'}}]},
    {"reasoning": f"I think of {KEY}.", "tools": [{"finish": {"summary": f"{KEY} {SHAPED}"}}]},
]


def holders(home: Path) -> list[str]:
    """Every file below that holds a secret, objects of git unpacked."""
    found = []
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        data = path.read_bytes()
        if "objects" in path.parts and len(path.parent.name) == 2:
            data = zlib.decompress(data)
        if KEY.encode() in data or SHAPED.encode() in data:
            found.append(str(path.relative_to(home)))
    for pack in home.rglob("*.pack"):
        listed = subprocess.run(
            ["git", "--git-dir", str(pack.parents[2]), "cat-file", "--batch", "--batch-all-objects"],
            capture_output=True,
            check=True,
        ).stdout
        found += [str(pack)] if KEY.encode() in listed or SHAPED.encode() in listed else []
    return found


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_secret_that_a_model_says_is_kept_nowhere(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"calc.py": "def add(a, b):\n    return a - b\n"})
    script = json.dumps({"version": 1, "plays": [{"steps": STEPS}]})
    async with whole_line(tmp_path, script, KEY) as line:
        logging.getLogger("thirdshift.test").warning("a log line with %s", KEY)
        place = tmp_path / "spec.md"
        place.write_text(SPEC.format(repo=repository, check=CHECK))
        job = (await submit(line.settings, line.services, line.client, place)).job_id
        handles = [line.client.get_workflow_handle(name) for name in (job, f"loop-{job}-main")]
        number = await open_gate(handles[0])
        tree = line.services.ledger.gates(job)[-1].tree
        note = f"not with {KEY}"
        await decide(handles[0], gate=number, verdict="reject", tree=tree, reviewer="ada", note=note)
        await handles[0].result()
        histories = "".join([(await handle.fetch_history()).to_json() for handle in handles])
        told = line.told(job, 1)
    assert "<redacted>" in told
    assert KEY not in told
    assert KEY not in histories
    assert SHAPED not in histories
    assert holders(line.home) == []
    assert "a log line with <redacted>" in (line.home / "logs" / "worker.log").read_text()
