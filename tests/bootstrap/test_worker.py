"""Workers with one duty alone, and a worker without a sandbox."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import make_repository
from thirdshift.adapters.engine.access import Engine, open_engine
from thirdshift.bootstrap.services import open_services
from thirdshift.bootstrap.submission import submit
from thirdshift.bootstrap.worker import unconfined_warning, working
from thirdshift.settings import Settings, load_settings
from thirdshift.settings.duties import Duty
from thirdshift.signatures import JobResult

KEY = "pretend-key-5521"
CONFIG = """
[providers.play]
kind = "scripted"
script = "script.yaml"
api_key_env = "PLAY_KEY"
[[tiers.economy]]
model = "play/sparrow"
[prices."play/sparrow"]
input = "0.10"
output = "0.40"
[sandbox]
backend = "{backend}"
"""
SPEC = """---
title: Add two numbers
repo: {repo}
plan: none
checks:
  - {{id: unit, run: "PYTHONPATH=. python3 -c 'from calc import add; assert add(2, 3) == 5'", covers: [AC-1]}}
budget: {{max_budget_usd: 1.00, max_attempts: 2, max_steps: 8, max_wall: 5m}}
---
# Goal
Make add() add.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
"""
WORK = {"write_file": {"path": "calc.py", "content": "def add(a, b):\n    return a + b\n"}}
STEPS = [{"tools": [WORK]}, {"tools": [{"finish": {"summary": "done"}}]}]


def settings_at(root: Path, backend: str, key: str = KEY) -> Settings:
    make_repository(root / "repo", {"calc.py": "def add(a, b):\n    return a - b\n"})
    (root / "script.yaml").write_text(json.dumps({"version": 1, "plays": [{"steps": STEPS}]}))
    (root / "thirdshift.toml").write_text(CONFIG.format(backend=backend))
    (root / "spec.md").write_text(SPEC.format(repo=root / "repo"))
    environ = {"THIRDSHIFT_HOME": str(root / "home"), "PLAY_KEY": key, "PATH": "/usr/bin"}
    return load_settings(root / "thirdshift.toml", root, environ)


@contextlib.asynccontextmanager
async def third(settings: Settings, engine: Engine, only: Duty) -> AsyncIterator[None]:
    async with (
        open_services(settings, duty=only) as services,
        working(settings, services, engine.client, only=only),
    ):
        yield


@pytest.mark.timeout(120)
async def test_one_worker_with_keys_one_with_code_and_one_with_credentials_do_a_job_together(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, "bubblewrap")
    async with (
        open_engine(settings.engine, settings.home, may_start=True) as engine,
        open_services(settings) as services,
        third(settings, engine, "hosts"),
        third(settings, engine, "models"),
        third(settings, engine, "delivery"),
    ):
        submitted = await submit(settings, services, engine.client, tmp_path / "spec.md")
        result = await engine.client.get_workflow_handle(submitted.job_id, result_type=JobResult).result()
    assert result.stop == "accepted"


@pytest.mark.parametrize("duty", ["hosts", "delivery"])
async def test_a_worker_that_calls_no_model_holds_no_key(tmp_path: Path, duty: Duty) -> None:
    settings = settings_at(tmp_path, "bubblewrap")
    async with open_services(settings) as services:
        assert (list(services.models), services.secrets) == (["play"], frozenset([KEY]))
    async with open_services(settings, duty=duty) as services:
        assert (list(services.models), services.secrets) == ([], frozenset())
    keyless = settings.for_duty(duty)
    assert [one.api_key for one in keyless.providers.values()] == [None] * len(keyless.providers)
    assert keyless.ladder == settings.ladder


@pytest.mark.timeout(120)
async def test_no_sandbox_is_taken_at_a_persons_word_said_loudly_and_kept_in_the_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_at(tmp_path, "none")
    with caplog.at_level(logging.WARNING):
        async with (
            open_engine(settings.engine, settings.home, may_start=True) as engine,
            open_services(settings) as services,
            working(settings, services, engine.client),
        ):
            submitted = await submit(settings, services, engine.client, tmp_path / "spec.md")
            result = await engine.client.get_workflow_handle(submitted.job_id, result_type=JobResult).result()
            row = services.ledger.read_job(submitted.job_id)
            assert unconfined_warning(services) in caplog.text
    assert 'backend = "none"' in caplog.text
    assert result.stop == "accepted"
    assert row.sandbox == "none"


async def test_a_real_sandbox_is_warned_of_by_nobody(tmp_path: Path) -> None:
    async with open_services(settings_at(tmp_path, "bubblewrap")) as services:
        assert unconfined_warning(services) == ""
