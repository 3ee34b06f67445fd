"""The whole line in this process: engine, workflows, activities, sandbox, hub, ledger. Only the model is scripted."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from activities.services import Services
from thirdshift.adapters.engine.access import open_engine
from thirdshift.bootstrap.books import redactor_of
from thirdshift.bootstrap.logs import logged
from thirdshift.bootstrap.services import open_services
from thirdshift.bootstrap.submission import submit
from thirdshift.bootstrap.worker import working
from thirdshift.settings import Settings, load_settings
from thirdshift.signatures import JobResult

CONFIG = """
[providers.play]
kind = "scripted"
script = "script.yaml"

[[tiers.economy]]
model = "play/sparrow"
attempts = 6

[prices."play/sparrow"]
input = "0.10"
output = "0.40"
"""


@dataclass(frozen=True)
class Line:
    """A running line. ``home`` is its THIRDSHIFT_HOME."""

    root: Path
    home: Path
    settings: Settings
    services: Services
    client: Client

    async def run(self, name: str, spec: str, holdout: Mapping[str, str] | None = None) -> tuple[str, JobResult]:
        """Submit a spec and wait for its end; the job's id and result."""
        place = self.root / name
        place.mkdir()
        for file, content in (holdout or {}).items():
            (place / "holdout").mkdir(exist_ok=True)
            (place / "holdout" / file).write_text(content)
        path = place / "spec.md"
        path.write_text(spec)
        submitted = await submit(self.settings, self.services, self.client, path)
        handle = self.client.get_workflow_handle(submitted.job_id, result_type=JobResult)
        return submitted.job_id, await handle.result()

    def told(self, job: str, attempt: int, packet: str = "main") -> str:
        """Everything that was said in an attempt's conversation, its system prompt included."""
        found = self.services.ledger.conversation(f"loop-{job}-{packet}", attempt)
        return "\n".join([found.attempt.system, *(message.model_dump_json() for message in found.messages)])


@contextlib.asynccontextmanager
async def whole_line(root: Path, script: str, key: str = "") -> AsyncIterator[Line]:
    """Bring everything up on ``script``; everything is gone when the block is left. ``key`` is the model's."""
    (root / "script.yaml").write_text(script)
    keyed = CONFIG.replace('kind = "scripted"', 'kind = "scripted"\napi_key_env = "PLAY_KEY"')
    (root / "thirdshift.toml").write_text(keyed if key else CONFIG)
    home = root / "home"
    environ = {"THIRDSHIFT_HOME": str(home), "PATH": "/usr/bin", "PLAY_KEY": key}
    settings = load_settings(root / "thirdshift.toml", root, environ)
    redactor = redactor_of(settings)
    async with (
        open_engine(settings.engine, settings.home, may_start=True, redactor=redactor) as engine,
        open_services(settings) as services,
        working(settings, services, engine.client),
    ):
        with logged(settings.log_dir, redactor=redactor):
            yield Line(root, home, settings, services, engine.client)
