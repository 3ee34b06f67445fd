import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

GOOD = """\
---
title: Round half up
checks:
  - {id: unit, run: pytest -q, covers: [AC-1]}
holdout:
  - {id: cents, run: pytest -q "$HOLDOUT/test_cents.py", covers: [AC-1, AC-2]}
---
# Goal
Round.

# Acceptance
- AC-1: Halves go up.
- AC-2: Credits mirror invoices.
"""


@pytest.fixture(autouse=True)
def _repository(shell: Shell) -> None:
    for arguments in (["init", "-qb", "main"], ["commit", "-qm", "start", "--allow-empty"]):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=shell.directory, check=True)


def test_the_table_traces_each_criterion_to_its_checks(shell: Shell) -> None:
    Path("spec.md").write_text(GOOD)
    code, out, _ = shell("check", "spec.md")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "spec.md: Round half up"
    assert lines[2].split(maxsplit=1) == ["AC-1", "unit, cents (held out)  Halves go up."]
    assert lines[3].split(maxsplit=1)[0] == "AC-2"


def test_the_same_for_a_program(shell: Shell) -> None:
    Path("spec.md").write_text(GOOD)
    code, answer = shell.json("check", "spec.md")
    assert code == 0
    assert answer["ok"] is True
    assert answer["specs"][0]["criteria"][1]["checks"] == ["cents"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("title:", "titles:"), "spec.md:2: "),
        (GOOD.replace("run: pytest -q,", "run: '',"), "spec.md:4: "),
        (GOOD.replace(", covers: [AC-1, AC-2]", ", covers: [AC-1]"), "AC-2"),
        ("no front matter", "no front matter"),
        (GOOD + "x" * (2 << 20), "1 MiB"),
        (GOOD.replace("title: Round", "title:\tRound\n\tx: y"), "spec.md:"),
    ],
    ids=["unknown field", "check without command", "uncovered criterion", "no front matter", "2 MB", "tabs"],
)
def test_a_bad_spec_is_refused_with_its_line_and_64(shell: Shell, text: str, said: str) -> None:
    Path("spec.md").write_text(text)
    code, out, err = shell("check", "spec.md")
    assert code == 64
    assert out == ""
    assert said in err


def test_windows_line_ends_are_no_mistake(shell: Shell) -> None:
    Path("spec.md").write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert shell("check", "spec.md")[0] == 0


def test_every_spec_is_looked_at_even_after_a_bad_one(shell: Shell) -> None:
    Path("good.md").write_text(GOOD)
    code, answer = shell.json("check", "gone.md", "good.md", ".")
    assert code == 64
    assert [spec["ok"] for spec in answer["specs"]] == [False, True, False]
    assert "thirdshift init" in answer["specs"][0]["findings"][0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("repo: ../gone", "gone"),
        ("repo: ..", "repository"),
        ("base: nowhere", "'nowhere'"),
    ],
)
def test_what_run_would_refuse_of_the_repository_is_said_here_and_64(shell: Shell, line: str, said: str) -> None:
    Path("spec.md").write_text(GOOD.replace("checks:", f"{line}\nchecks:"))
    code, _, err = shell("check", "spec.md")
    assert code == 64
    assert "`run` would refuse this" in err
    assert said in err
    _, answer = shell.json("check", "spec.md")
    assert (answer["ok"], answer["specs"][0]["ok"]) == (False, False)


def test_nothing_is_touched(shell: Shell, tmp_path: Path) -> None:
    Path("spec.md").write_text(GOOD)
    before = sorted(tmp_path.rglob("*"))
    shell("check", "spec.md")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_merge_into_a_branch_that_is_checked_out_is_refused_as_run_would(shell: Shell) -> None:
    Path("spec.md").write_text(GOOD.replace("checks:", "base: main\ndeliver: merge\nchecks:", 1))
    code, _, err = shell("check", "spec.md")
    assert code == 64
    assert "would move main, which is checked out in" in err
    assert "check out another branch there (git switch)" in err
    subprocess.run(["git", "switch", "-qc", "work"], cwd=shell.directory, check=True)
    assert shell("check", "spec.md")[0] == 0
