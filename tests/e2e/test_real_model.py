"""A real language model on the economy rung: it does what it can, the checks judge, and the ladder does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.real_model_server import (
    CACHE,
    MODEL,
    WANTED,
    RealModelServer,
    ServerTokens,
    real_model_server,
    shall_run,
)
from tests.e2e.workbench import Workbench, workbench
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.history import AttemptEnd, ReasonCode
from thirdshift.core.ladder import Tier
from thirdshift.core.views import AttemptView, CallCounts, CostLine, JobState, JobView, Spend, Tokens

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not shall_run(),
        reason=f"fetches 130 MB and computes for minutes; {WANTED}=1 or `make real-model` runs it",
    ),
]

CONTEXT_TOKENS = 2048
OUTPUT_TOKENS = 256
RUN_SECONDS = 400.0

SLUGS = '''"""Titles of pages as parts of their addresses."""


def slug(title):
    """The title in lower case, words joined by single dashes: ``Old Towns`` becomes ``old-towns``."""
    return title.lower().replace(" ", "-")
'''
TEST = """import unittest

from slugs import slug


class SlugTest(unittest.TestCase):
    def test_words_are_joined_by_dashes(self):
        self.assertEqual(slug("Old Towns"), "old-towns")

    def test_runs_of_blanks_give_one_dash(self):
        self.assertEqual(slug("  Old   Towns "), "old-towns")

    def test_punctuation_is_dropped(self):
        self.assertEqual(slug("Old Towns, new roads!"), "old-towns-new-roads")
"""
# More than the model's window holds, so that what it is shown has to be chosen.
NOTES = {
    f"notes/page_{number:02}.md": f"# Page {number}\n\n" + "Nothing that matters here.\n" * 40 for number in range(20)
}

SPEC = """---
title: Slugs without stray dashes
repo: {repo}
task: bugfix
plan: {plan}
scope:
  write: ["slugs.py"]
checks:
  - {{id: unit, run: "python3 -m unittest -q", covers: [AC-1, AC-2], timeout: 1m}}
budget: {{max_budget_usd: 1.00, max_attempts: 6, max_steps: 20, max_wall: 5m}}
---
# Goal
`slug` in slugs.py turns a title into a part of an address. It leaves stray dashes and punctuation in it.

# Acceptance
- AC-1: When a title has blanks in a row or at its ends, the slug shall have one dash between words, none at its ends.
- AC-2: When a title has punctuation, the slug shall not have it.
"""

SCRIPT = """
version: 1
plays:
  - when: {role: code}
    steps:
      - say: Words are runs of letters and digits.
        tools:
          - write_file:
              path: slugs.py
              content: |
                import re


                def slug(title):
                    return "-".join(re.findall("[^\\\\W_]+", title.lower()))
      - tools: [{finish: {summary: "Slugs are words joined by dashes."}}]
"""

CONFIG = """
plan_tier = "economy"

[providers.small]
kind = "{kind}"
base_url = "{base_url}"

[providers.played]
kind = "scripted"
script = "script.yaml"

[[tiers.economy]]
model = "small/{model}"
tools = "text"
attempts = {attempts}
max_output_tokens = {output_tokens}
context_tokens = {context_tokens}

[[tiers.specialist]]
model = "played/heron"

[prices."small/{model}"]
input = "0.10"
cache_read = "0.02"
cache_write = "0.10"
output = "0.40"

[prices."played/heron"]
input = "1.50"
cache_read = "0.15"
output = "7.50"
"""
NANO_A_TOKEN = {
    Tier.ECONOMY: {"input": 100, "cache_read": 20, "output": 400},
    Tier.SPECIALIST: {"input": 1500, "cache_read": 150, "output": 7500},
}
"""The prices above, in nano-dollars."""


@pytest.mark.parametrize(
    ("kind", "base_path", "attempts", "plan"),
    [("openai-chat", "/v1", 2, "auto"), ("anthropic", "", 1, "none")],
    ids=["over Chat Completions, with a plan", "over Messages"],
)
def test_the_checks_judge_a_real_model_and_its_tokens_are_counted_as_its_server_counts_them(
    tmp_path: Path, kind: str, base_path: str, attempts: int, plan: str
) -> None:
    with real_model_server(tmp_path, CONTEXT_TOKENS) as server, workbench(tmp_path) as bench:
        write_job(bench, kind, server.url + base_path, attempts=attempts, plan=plan)
        done = bench.run("run", str(bench.spec), seconds=RUN_SECONDS)
        CACHE.joinpath(f"transcript-{kind}.txt").write_text(f"{done.stderr}\n{done.stdout}")
        assert done.returncode == 0, done.stderr + done.stdout
        with closing(open_ledger(f"sqlite:///{bench.home / 'ledger.db'}")) as ledger:
            (job,) = ledger.list_jobs(10)
            view, lines = ledger.job_view(job.job_id), ledger.cost_lines(job.job_id)
        real = [attempt for attempt in view.attempts if attempt.tier is Tier.ECONOMY]
        assert_counted_as_the_server_does(real, server)
        assert_every_prompt_fitted(real)
        assert_climbed_only_because_checks_failed(view, attempts)
        assert_the_books_add_up(view, lines)
        assert bench.git("show", f"{view.branch}:slugs.py") != SLUGS.strip()


def write_job(bench: Workbench, kind: str, base_url: str, *, attempts: int, plan: str) -> None:
    """A repository, a spec for it, and a ladder with the real model below the scripted one."""
    bench.make_repository({"slugs.py": SLUGS, "test_slugs.py": TEST, **NOTES})
    bench.spec.write_text(SPEC.format(repo=bench.repo, plan=plan))
    (bench.root / "script.yaml").write_text(SCRIPT)
    config = CONFIG.format(
        kind=kind,
        base_url=base_url,
        model=MODEL,
        attempts=attempts,
        output_tokens=OUTPUT_TOKENS,
        context_tokens=CONTEXT_TOKENS,
    )
    (bench.root / "thirdshift.toml").write_text(config)


def assert_counted_as_the_server_does(real: Sequence[AttemptView], server: RealModelServer) -> None:
    """Each of these attempts is one call, the plan's included, so its tokens are that call's."""
    assert all(attempt.calls == CallCounts(settled=1) for attempt in real)
    counted = [(attempt.tokens.input - attempt.tokens.cached, attempt.tokens.output) for attempt in real]
    assert counted == server.calls()
    total = sum((attempt.tokens for attempt in real), Tokens())
    assert ServerTokens(read=total.input, cached=total.cached, written=total.output) == server.tokens()


def assert_every_prompt_fitted(real: Sequence[AttemptView]) -> None:
    """What it was shown left room in its window for an answer of the full length."""
    assert all(attempt.end in (None, AttemptEnd.FINISHED) for attempt in real)
    assert max(attempt.tokens.input for attempt in real) + OUTPUT_TOKENS <= CONTEXT_TOKENS


def assert_climbed_only_because_checks_failed(view: JobView, attempts: int) -> None:
    """Either the real model passed by itself, or it failed as often as it may, and the rung above passed."""
    assert view.state is JobState.ACCEPTED
    passed = [attempt.verdict is not None and attempt.verdict.passed for attempt in view.loop_attempts]
    assert passed == [False] * (len(passed) - 1) + [True]
    tiers = [attempt.tier for attempt in view.loop_attempts]
    if tiers[-1] is Tier.ECONOMY:
        assert set(tiers) == {Tier.ECONOMY}
        return
    assert tiers == [Tier.ECONOMY] * attempts + [Tier.SPECIALIST]
    assert view.loop_attempts[-1].reason is ReasonCode.VERIFICATION_FAILED


def assert_the_books_add_up(view: JobView, lines: Sequence[CostLine]) -> None:
    """Nothing is left open; attempts and cost lines sum to the job; tokens at their prices are the cost."""
    whole = sum((attempt.spend for attempt in view.attempts), Spend())
    assert whole == view.spend == sum((line.spend for line in lines), Spend())
    assert view.spend == Spend(settled_nano=view.spend.settled_nano)
    assert sum((attempt.tokens for attempt in view.attempts), Tokens()) == view.tokens
    for line in lines:
        nano = NANO_A_TOKEN[line.tier]
        read = line.tokens.input - line.tokens.cached
        cost = read * nano["input"] + line.tokens.cached * nano["cache_read"] + line.tokens.output * nano["output"]
        assert line.spend.settled_nano == cost > 0
