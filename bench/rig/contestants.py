"""The two that are measured against each other, each run by its own command line on the same loopback model.

What mini-swe-agent does with a step: it runs the command as a plain subprocess of the user's, keeps the conversation
in memory, and rewrites one JSON file with all of it. It has no sandbox, records no tree, sets no money aside before a
call, and begins anew when it is killed. What Thirdshift does: two Temporal activities, a hold and its settling in the
ledger, the command in a sandbox, and the tree in git when it changed.
"""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.rig.loopback import Exchange, Loopback
from bench.rig.peers import clean_environment
from bench.rig.steps_script import files
from bench.rig.workshop import Workshop, last_json

PEER = ("mini-swe-agent==2.4.6", "litellm==1.106.2", "mcp==2.3.0")
"""The last two are what it runs on: a litellm as of its day, and a package that this litellm imports unasked."""
_PEER_SECONDS = 900.0

_SPEC = """---
title: {title}
repo: {repo}
task: chore
plan: none
checks:
  - {{id: notes, run: grep -q looked notes.txt, covers: [AC-1], timeout: 1m}}
budget: {{max_budget_usd: "50", max_attempts: 2, max_steps: 400, max_wall: 30m}}
---
# Goal
Read the guide and keep notes.

# Acceptance
- AC-1: When the guide has been read, the notes shall say so.
"""

_PROVIDERS = {
    "local": '[providers.local]\nkind = "openai-chat"\nbase_url = "http://127.0.0.1:{port}/v1"\n',
    "marked": '[providers.marked]\nkind = "anthropic"\nbase_url = "http://127.0.0.1:{port}"\n',
}
_CONFIG = """
[[tiers.economy]]
model = "{model}"
max_output_tokens = 1000

[prices."{model}"]
input = "0.10"
cache_read = "0.02"
cache_write = "0.10"
output = "0.40"
"""


@dataclass
class Run:
    """One run of one contestant."""

    exchanges: list[Exchange] = field(default_factory=list)
    job_id: str = ""
    began: float = 0.0
    seconds: float = 0.0
    """Of the whole process, from its start to its end."""
    cpu_seconds: float = 0.0
    """Of that process and all its children, start-up included."""

    @property
    def first_request_seconds(self) -> float:
        """From the start of the process to its first request to the model."""
        return self.exchanges[0].arrived - self.began


@contextmanager
def _timed() -> Iterator[Run]:
    run = Run()
    cpu = _children_cpu_seconds()
    run.began = time.monotonic()
    yield run
    run.seconds = time.monotonic() - run.began
    run.cpu_seconds = _children_cpu_seconds() - cpu


def _children_cpu_seconds() -> float:
    """Processor time of all ended children and theirs: the processes of one run, since runs do not overlap."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def written_spec(place: Workshop, title: str) -> Path:
    """A spec for the workshop's repository; another title is another job."""
    path = place.root / f"{title.replace(' ', '-').lower()}.md"
    path.write_text(_SPEC.format(title=title, repo=place.root / "repo"))
    return path


def config_for(place: Workshop, server: Loopback, model: str) -> list[str]:
    """Options that name a configuration with this one model, as ``provider/model``."""
    path = place.root / f"{model.replace('/', '-')}.toml"
    provider = _PROVIDERS[model.partition("/")[0]]
    path.write_text(provider.format(port=server.port) + _CONFIG.format(model=model))
    return ["--config", str(path)]


def run_line(place: Workshop, server: Loopback, model: str, title: str) -> Run:
    """One job in the foreground, with an embedded server and a worker for as long as it takes."""
    spec, options = written_spec(place, title), config_for(place, server, model)
    with _timed() as run:
        done = place.thirdshift("run", str(spec), "--json", *options)
    end = last_json(done)
    assert end.get("state") == "accepted", f"{title}: {end}\n{done.stderr[-3000:]}"
    run.job_id = str(end["job_id"])
    run.exchanges = server.exchanges(model.partition("/")[2], since=run.began)
    return run


def run_mini(place: Workshop, server: Loopback, python: Path, model: str, number: int) -> Run:
    """The same conversation with mini-swe-agent, as its command line runs it unattended."""
    directory = place.repository(f"{model}-{number}", files())
    command = [str(python), "-m", "minisweagent.run.mini", "-m", f"openai/{model}", "-t", "Read the guide, keep notes."]
    command += ["-y", "--exit-immediately", "-o", str(place.root / f"{model}-{number}.json"), "-c", "mini.yaml"]
    command += ["-c", f"model.model_kwargs.api_base=http://127.0.0.1:{server.port}/v1"]
    command += ["-c", "model.model_kwargs.api_key=none"]
    environment = clean_environment(
        HOME=str(place.root),
        MSWEA_CONFIGURED="true",
        MSWEA_COST_TRACKING="ignore_errors",
        MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT="1",
        LITELLM_LOCAL_MODEL_COST_MAP="True",
    )
    with _timed() as run:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PEER_SECONDS,
            check=False,
        )
    assert done.returncode == 0, f"mini-swe-agent ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
    run.exchanges = server.exchanges(model, since=run.began)
    return run
