"""Three code bases that nobody here wrote, each with a bug that it once had: the line mends them.

The projects come as source distributions, with their own suites. Each bug is put back by undoing the project's own
mend, so that the suite fails; the suite is the check, its dependencies are installed by `setup`, and a narrow check
shows the one behaviour that is asked for. The models are scripted and answer over the real Chat Completions format on
loopback: the economy rung is wrong at least once, in a way that passes the narrow check and fails the suite. All else
is real: the command line, the engine, the sandbox, git, the ledger.

    python bench/real_code.py [--quick] [--only PROJECT] [--keep]
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.loopback import Loopback
from bench.rig.past_bugs import PAST_BUGS, PastBug, put_in
from bench.rig.peers import pip_settings, source_distribution
from bench.rig.repair_script import ECONOMY, SPECIALIST, repair_plays, repair_script
from bench.rig.suite_control import Control, control, counted
from bench.rig.workshop import Workshop, last_json, workshop
from thirdshift.adapters.ledger import open_ledger

SPEC = """---
title: {title}
repo: {repo}
task: bugfix
setup: {setup}
checks:
  - {{id: narrow, run: {narrow}, covers: [AC-1], timeout: 1m}}
  - {{id: suite, run: {suite}, covers: [AC-2], timeout: 10m}}
budget: {{max_budget_usd: "5", max_attempts: 6, max_steps: 60, max_wall: 30m}}
---
# Goal
{goal}

# Acceptance
- AC-1: {criterion}
- AC-2: The project shall go on passing its own tests.
"""

CONFIG = f"""
[sandbox]
setup_network = "host"

[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:{{port}}/v1"

[[tiers.economy]]
model = "local/{ECONOMY}"
attempts = 2

[[tiers.specialist]]
model = "local/{SPECIALIST}"

[prices."local/{ECONOMY}"]
input = "0.10"
cache_read = "0.02"
output = "0.40"

[prices."local/{SPECIALIST}"]
input = "1.50"
cache_read = "0.15"
output = "7.50"
"""


@dataclass(frozen=True)
class Mended:
    """How the line did on one bug."""

    bug: PastBug
    control: Control
    state: str
    stop_reason: str
    attempts: int
    tier: str
    cost_usd: str
    base_failed: int
    """Failed tests of the suite on the tree with the bug, in the sandbox."""
    suite_passed: int
    """Passed tests of the suite on the accepted tree, in the sandbox; 0 where there is none."""
    suite_seconds: float
    seconds: float
    untouched: bool
    """Whether the user's repository is as it was but for the new branch."""

    @property
    def as_told(self) -> bool:
        """Accepted after exactly the attempts that were scripted, no tests lost."""
        return self.state == "accepted" and self.attempts == len(self.bug.answers)


def setup_command(bug: PastBug) -> str:
    """Makes the project's environment in the sandbox; where pip finds packages is this machine's affair."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in sorted(pip_settings().items())]
    packages = " ".join(shlex.quote(requirement) for requirement in bug.requirements)
    install = " ".join([*settings, ".venv/bin/python -m pip install --quiet", packages])
    return f"python3 -m venv .venv && {install} && .venv/bin/python -m compileall -q .venv"


def spec_text(bug: PastBug, repository: Path) -> str:
    """The spec; commands are quoted as JSON, which YAML reads."""
    return SPEC.format(
        title=json.dumps(bug.title),
        repo=json.dumps(str(repository)),
        setup=json.dumps(setup_command(bug)),
        narrow=json.dumps(bug.narrow),
        suite=json.dumps(bug.suite),
        goal=bug.goal,
        criterion=bug.criterion,
    )


def mend(place: Workshop, bug: PastBug, checked: Control) -> Mended:
    repository = place.repository(bug.project)
    spec = place.root / f"{bug.project}.md"
    spec.write_text(spec_text(bug, repository))
    before = place.git(repository, "status", "--porcelain"), place.git(repository, "rev-parse", "HEAD")
    began = time.monotonic()
    done = place.thirdshift("run", str(spec), "--json", "--config", str(place.root / "thirdshift.toml"))
    seconds = time.monotonic() - began
    end = last_json(done)
    if end.get("state") != "accepted":
        print(f"{bug.project}: {end}\n{done.stderr[-4000:]}", file=sys.stderr)
    after = place.git(repository, "status", "--porcelain"), place.git(repository, "rev-parse", "HEAD")
    base, best = suite_outputs(place, str(end.get("job_id", "")))
    return Mended(
        bug=bug,
        control=checked,
        state=str(end.get("state")),
        stop_reason=str(end.get("stop_reason")),
        attempts=int(end.get("attempts", 0)),
        tier=str(end.get("tier")),
        cost_usd=str(end.get("total_cost_usd")),
        base_failed=counted(base[0])[1],
        suite_passed=counted(best[0])[0] if end.get("state") == "accepted" else 0,
        suite_seconds=best[1],
        seconds=seconds,
        untouched=before == after and bool(place.git(repository, "branch", "--list", str(end.get("branch") or "-"))),
    )


def suite_outputs(place: Workshop, job_id: str) -> tuple[tuple[str, float], tuple[str, float]]:
    """Output and seconds of the suite as the ledger has them: on base, and on the best tree."""
    found = []
    with closing(open_ledger(f"sqlite:///{place.home / 'ledger.db'}")) as ledger:
        try:
            view = ledger.job_view(job_id)
        except KeyError:
            return ("", 0.0), ("", 0.0)
        for verdict in (view.baseline, view.best):
            checks = ledger.get_verdict(verdict.id).checks if verdict else ()
            found.append(next(((check.output, check.seconds) for check in checks if check.id == "suite"), ("", 0.0)))
    return found[0], found[1]


def tell(mended: list[Mended]) -> None:
    heading = ("project", "bug told in", "ended", "attempts", "tier", "USD", "base fails", "suite passes", "of")
    rows: list[tuple[object, ...]] = [(*heading, "suite s", "all s")]
    rows += [
        (
            f"{each.bug.project} {each.bug.version}",
            each.bug.told_in.partition(",")[0],
            each.stop_reason,
            each.attempts,
            each.tier,
            each.cost_usd[:8],
            each.base_failed,
            each.suite_passed,
            each.control.released_passed,
            each.suite_seconds,
            each.seconds,
        )
        for each in mended
    ]
    print(table(rows))
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one project instead of three")
    parser.add_argument("--only", choices=[bug.project for bug in PAST_BUGS], help="this project alone")
    parser.add_argument("--keep", action="store_true", help="leave the temporary directory")
    given = parser.parse_args()
    bugs = [bug for bug in PAST_BUGS if given.only in (None, bug.project)][: 1 if given.quick else None]
    print(f"real_code: {', '.join(bug.project for bug in bugs)}; {machine()}\n")
    controls = {bug.project: control(bug) for bug in bugs}
    with workshop("real-code", keep=given.keep) as place:
        plays = []
        for bug in bugs:
            tree = place.root / bug.project
            shutil.copytree(source_distribution(bug.project, bug.version), tree)
            put_in(bug.put_back, tree)
            plays += repair_plays(bug, tree)
        script = place.root / "script.json"
        script.write_text(repair_script(plays))
        with Loopback(script) as server:
            (place.root / "thirdshift.toml").write_text(CONFIG.format(port=server.port))
            mended = [mend(place, bug, controls[bug.project]) for bug in bugs]
            counts = server.counts()
    tell(mended)
    figures = {
        "projects": len(mended),
        "accepted": sum(each.state == "accepted" for each in mended),
        "as_told": sum(each.as_told for each in mended),
        "climbed": sum(each.tier != "economy" for each in mended),
        "suite_tests_passed": sum(each.suite_passed for each in mended),
        "suite_tests_released": sum(each.control.released_passed for each in mended),
        "bugs_seen_by_suite": sum(each.base_failed > 0 and each.control.bug_failed > 0 for each in mended),
        "repositories_untouched": sum(each.untouched for each in mended),
        "requests": counts["total"],
        "requests_repeated": counts["repeats"],
        "seconds": round(sum(each.seconds for each in mended), 1),
    }
    limits = [Limit("projects", at_least=1 if given.quick or given.only else 3)]
    limits += [
        Limit(name, at_least=len(mended))
        for name in ("accepted", "as_told", "bugs_seen_by_suite", "repositories_untouched")
    ]
    limits.append(Limit("suite_tests_passed", at_least=figures["suite_tests_released"]))
    limits.append(Limit("requests_repeated", at_most=0))
    line = closing_line(figures, limits)
    print(line)
    return 0 if json.loads(line)["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
