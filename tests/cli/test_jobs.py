"""Jobs from the command line, as a person has them: processes, signals, a real server, a scripted model."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.desk import SPEC, Type, processes_of, script, wait_for_line

OPENAI_MODELS = ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol")

HELLO_PROGRAM = """\
version: 1
plays:
  - when: {role: plan}
    steps:
      - say: '{"approach": "Write it.", "files": ["hello.py"], "risks": [], "checks": {"AC-1": "greets"}}'
  - when: {role: code}
    steps:
      - tools:
          - write_file: {path: hello.py, content: "print('Hello, world!')\\n"}
      - tools:
          - finish: {summary: It greets.}
"""


def test_a_run_that_passes_lands_on_a_branch_and_leaves_no_process(desk: Path, ask: Any) -> None:
    code, job = ask("run", "spec.md")
    assert (code, job["state"], job["stop_reason"]) == (0, "accepted", "accepted")
    assert job["attempts"] == 1
    assert job["checks"] == [{"id": "greets", "state": "passed", "holdout": False, "exit_code": 0, "tail": []}]
    assert float(job["total_cost_usd"]) > 0
    assert job["budget_usd"] == "1"
    assert job["ui_url"].endswith(f"/workflows/{job['job_id']}/{job['run_id']}")
    shown = subprocess.run(
        ["git", "show", f"{job['branch']}:hello.txt"], cwd=desk / "repo", capture_output=True, text=True, check=True
    )
    assert shown.stdout == "hello\n"
    assert processes_of(desk) == []


def test_a_run_that_a_limit_stops_is_2_and_names_the_way_on(desk: Path, ask: Any) -> None:
    script(desk, "goodbye")
    code, job = ask("run", "spec.md")
    assert code in (1, 2)
    assert job["state"] in ("stopped", "failed")
    assert job["remedy"].startswith(f"thirdshift resume {job['job_id']}")
    assert job["branch"].endswith("-unfinished")


def test_the_same_spec_at_the_same_base_is_one_job_and_costs_nothing_again(ask: Any, start: Type) -> None:
    _, first = ask("run", "spec.md")
    again = start("run", "spec.md", "--json")
    out, err = again.communicate()
    second = json.loads(out)
    assert again.returncode == 0
    assert "was submitted before and is one job" in err
    assert second["job_id"] == first["job_id"]
    assert second["total_cost_usd"] == first["total_cost_usd"]
    assert "to run it again, change the spec or its base\n" in err


def test_a_stopped_job_goes_on_from_its_best_tree_when_resumed(desk: Path, ask: Any, start: Type) -> None:
    script(desk, "goodbye")
    _, stopped = ask("run", "spec.md")
    script(desk, "hello")
    code, resumed = ask("resume", stopped["job_id"], "--max-attempts", "2", "--max-wall", "5m")
    assert (code, resumed["state"]) == (0, "accepted")
    assert resumed["job_id"] == stopped["job_id"]
    assert resumed["attempts"] == stopped["attempts"] + 1
    process = start("resume", stopped["job_id"], "--budget-usd", "a lot")
    _, err = process.communicate()
    assert process.returncode == 64
    assert "not an amount" in err


def test_status_and_report_tell_people_what_happened(desk: Path, ask: Any, start: Type) -> None:
    _, job = ask("run", "spec.md")
    for arguments in (("status",), ("status", job["job_id"]), ("report",), ("report", job["job_id"])):
        process = start(*arguments)
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert job["job_id"][:20] in out
    code, costs = ask("report", job["job_id"])
    assert code == 0
    assert {(line["role"], line["tier"], line["model"]) for line in costs["costs"]} == {
        ("code", "economy", "toy/small")
    }
    assert sum(line["tokens"]["input"] for line in costs["costs"]) == job["tokens"]["input"]


def test_an_interrupted_run_says_how_to_go_on_and_does(desk: Path, ask: Any, start: Type) -> None:
    script(desk, "hello", delay=30)
    run = start("run", "spec.md")
    wait_for_line(run, "attempt 1 on economy")
    run.send_signal(signal.SIGINT)
    _, err = run.communicate()
    assert run.returncode == 130
    assert "nothing that was finished is lost" in err
    assert "thirdshift up" in err
    assert "Traceback" not in err
    assert processes_of(desk) == []
    again = start("run", "spec.md", "--json")
    wait_for_line(again, "step 1")
    again.send_signal(signal.SIGTERM)
    out, _ = again.communicate()
    left = json.loads(out)
    assert (again.returncode, left["exit_code"], left["state"]) == (130, 130, "running")
    script(desk, "hello")
    code, job = ask("run", "spec.md")
    assert job["job_id"] == left["job_id"]
    assert (code, job["state"]) == (0, "accepted")


def test_submit_status_and_watch_with_a_line_that_is_up(desk: Path, ask: Any, start: Type) -> None:
    up = start("up")
    wait_for_line(up, "Ready", "stdout")
    code, answer = ask("submit", "spec.md")
    job_id = answer["jobs"][0]["job_id"]
    assert (code, answer["worker_up"], answer["jobs"][0]["created"]) == (0, True, True)
    assert ask("submit", "spec.md")[1]["jobs"][0]["created"] is False
    code, watched = ask("watch", job_id)
    assert (code, watched["state"]) == (0, "accepted")
    _, status = ask("status", job_id[-8:])
    assert (status["job_id"], status["state"], status["steps"]) == (job_id, "accepted", 2)
    assert status["ui_url"]
    assert ask("status")[1]["jobs"] == [status]
    up.send_signal(signal.SIGTERM)
    up.communicate()
    assert up.returncode == 0
    assert processes_of(desk) == []


def test_a_job_submitted_to_a_server_without_a_worker_waits_and_is_said_to(desk: Path, ask: Any, start: Type) -> None:
    up = start("up", "--no-worker")
    wait_for_line(up, "Ready", "stdout")
    _, answer = ask("submit", "spec.md")
    assert answer["worker_up"] is False
    job_id = answer["jobs"][0]["job_id"]
    worker = start("worker")
    assert ask("watch", job_id)[1]["state"] == "accepted"
    worker.send_signal(signal.SIGINT)
    worker.communicate()
    assert worker.returncode == 0


def test_a_stopped_job_ends_at_once_with_its_reason(desk: Path, ask: Any, start: Type) -> None:
    script(desk, "hello", delay=60)
    up = start("up")
    wait_for_line(up, "Ready", "stdout")
    _, answer = ask("submit", "spec.md")
    job_id = answer["jobs"][0]["job_id"]
    watch = start("watch", job_id)
    wait_for_line(watch, "attempt 1 on economy")
    code, stopped = ask("stop", job_id, "--reason", "wrong spec")
    assert (code, stopped["ended"], stopped["stop_reason"]) == (0, True, "stopped_by_person")
    assert "wrong spec" in stopped["evidence"]
    assert stopped["branch"] == ""
    watch.communicate()
    assert watch.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("submit", "spec.md"), 69, "thirdshift up"),
        (("watch", "nowhere"), 64, "no job `nowhere`"),
        (("status", "nowhere"), 64, "no job `nowhere`"),
        (("stop", "nowhere"), 64, "no job `nowhere`"),
        (("resume", "nowhere"), 64, "no job `nowhere`"),
        (("run", "gone.md"), 64, "thirdshift init"),
        (("run", "no-repository.md"), 64, "elsewhere"),
        (("run", "no-base.md"), 64, "nightly"),
        (("run", "bare.md"), 64, "bare"),
        (("run", "no-commits.md"), 64, "commit"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_remedy(
    desk: Path, start: Type, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (desk / "no-repository.md").write_text(SPEC.replace("repo: repo", "repo: elsewhere"))
    (desk / "no-base.md").write_text(SPEC.replace("repo: repo", "repo: repo\nbase: nightly"))
    (desk / "bare.md").write_text(SPEC.replace("repo: repo", "repo: bare.git"))
    (desk / "no-commits.md").write_text(SPEC.replace("repo: repo", "repo: no-commits"))
    for made in (("--bare", "bare.git"), ("no-commits",)):
        subprocess.run(["git", "init", "-q", *made], cwd=desk, check=True)
    process = start(*arguments)
    _, err = process.communicate()
    assert process.returncode == code, err
    assert said in err
    assert "Traceback" not in err
    assert "unexpected" not in err
    assert processes_of(desk) == []


@pytest.mark.slow
def test_the_demonstration_climbs_and_lands_and_can_be_repeated(desk: Path, ask: Any) -> None:
    commits = []
    for _ in range(2):
        code, job = ask("demo")
        assert (code, job["state"], job["tier"], job["attempts"]) == (0, "accepted", "specialist", 3)
        assert {check["state"] for check in job["checks"]} == {"passed"}
        assert processes_of(desk) == []
        commits.append(job["commit"])
    shown = ["git", "cat-file", "-t", commits[1]]
    assert (
        subprocess.run(shown, cwd=desk / "home/demo/bench/repo", capture_output=True, check=True).stdout == b"commit\n"
    )


def test_a_fresh_directory_with_a_key_needs_nothing_but_init(desk: Path, start: Type) -> None:
    """The vendor is a loopback server that speaks its wire format; only its address is told by the environment."""
    (desk / "script.yaml").write_text(HELLO_PROGRAM)
    vendor = start("--script", str(desk / "script.yaml"), module="tests.fakes.wire")
    assert vendor.stdout
    port = json.loads(vendor.stdout.readline())["port"]
    fresh = desk / "fresh"
    fresh.mkdir()
    prices = ", ".join(f'"openai/{model}" = {{input = "1", output = "1"}}' for model in OPENAI_MODELS)
    key = {
        "OPENAI_API_KEY": "k",
        "THIRDSHIFT_PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{port}/v1",
        "THIRDSHIFT_PROVIDERS__OPENAI__API_KEY_ENV": "OPENAI_API_KEY",
        # A server that is not the vendor's has no catalogue price.
        "THIRDSHIFT_PRICES": f"{{{prices}}}",
    }
    init = start("init", cwd=fresh, **key)
    out, err = init.communicate()
    assert (init.returncode, err) == (0, ""), out
    run = start("run", "spec.md", "--json", cwd=fresh, **key)
    out, err = run.communicate()
    assert run.returncode == 0, err
    job = json.loads(out)
    assert (job["state"], job["tier"], job["budget_usd"]) == ("accepted", "economy", "1")
    assert processes_of(desk / "fresh") == []


def test_without_a_key_a_run_names_the_remedies(desk: Path, start: Type) -> None:
    (desk / "thirdshift.toml").write_text("")
    process = start("run", "spec.md")
    _, err = process.communicate()
    assert process.returncode == 69
    assert "ANTHROPIC_API_KEY" in err
    assert "secrets.env" in err
    assert "[providers.NAME]" in err
