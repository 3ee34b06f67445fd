"""The bundled demonstration is what it says: sound at base, failing as designed, mended by its own script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from thirdshift.adapters.llm.script_format import Play, load_script
from thirdshift.adapters.samples import Sample, materialise
from thirdshift.core.errors import BadInput

UNIT = "-m unittest discover -s tests -t ."
HALF_CENTS = "-m unittest acceptance.test_half_cents"
GROSS = "-m unittest acceptance.test_gross_column"
CENTS = "../holdout/test_cents.py"


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return materialise(tmp_path / "demo")


def passes(sample: Sample, arguments: str) -> bool:
    command = [sys.executable, "-B", *arguments.split()]
    environment = {"PYTHONPATH": str(sample.repository)}
    return (
        subprocess.run(command, cwd=sample.repository, env=environment, capture_output=True, check=False).returncode
        == 0
    )


def results(sample: Sample) -> dict[str, bool]:
    return {
        "unit": passes(sample, UNIT),
        "half-cents": passes(sample, HALF_CENTS),
        "gross": passes(sample, GROSS),
        "cents": passes(sample, CENTS),
    }


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()


def plays_of(sample: Sample) -> dict[str, Play]:
    script = load_script(sample.config.parent / "script.yaml")
    first, second, third = (play for play in script.plays if play.when.role == "code")
    return {"first": first, "second": second, "third": third}


def write_what_it_writes(play: Play, repository: Path) -> None:
    """Apply the file tools of a play as the product does."""
    for call in (call for step in play.steps for call in step.tools):
        given = call.input or {}
        if call.name == "write_file":
            (repository / given["path"]).write_text(given["content"], encoding="utf-8")
        elif call.name == "edit_file":
            file = repository / given["path"]
            text = file.read_text(encoding="utf-8")
            assert text.count(given["old"]) == 1, given
            file.write_text(text.replace(given["old"], given["new"]), encoding="utf-8")


def test_the_same_files_give_the_same_commit_in_every_place(tmp_path: Path) -> None:
    assert materialise(tmp_path / "a").commit == materialise(tmp_path / "b").commit


def test_a_persons_own_git_configuration_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = materialise(tmp_path / "plain").commit
    config = tmp_path / "gitconfig"
    config.write_text("[init]\ndefaultBranch = trunk\n[user]\nname = Somebody Else\n[core]\nautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    other = materialise(tmp_path / "other")
    assert other.commit == plain
    assert git(other.repository, "branch", "--show-current") == "main"


def test_the_repository_is_clean_and_holds_no_compiled_files(sample: Sample) -> None:
    assert git(sample.repository, "status", "--porcelain") == ""
    assert not [path for path in git(sample.repository, "ls-files").splitlines() if "pyc" in path]


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        materialise(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_at_base_the_suite_is_sound_and_the_asked_for_is_missing(sample: Sample) -> None:
    assert results(sample) == {"unit": True, "half-cents": False, "gross": False, "cents": False}


def test_the_first_attempt_mends_the_csv_file_and_not_the_rounding(sample: Sample) -> None:
    write_what_it_writes(plays_of(sample)["first"], sample.repository)
    assert results(sample) == {"unit": True, "half-cents": False, "gross": True, "cents": False}


def test_the_second_attempt_mends_the_rounding_and_breaks_the_tax(sample: Sample) -> None:
    for play in ("first", "second"):
        write_what_it_writes(plays_of(sample)[play], sample.repository)
    assert results(sample) == {"unit": False, "half-cents": True, "gross": True, "cents": False}


@pytest.mark.parametrize("best_so_far", ["first", "second"])
def test_the_specialist_mends_everything_from_either_tree(sample: Sample, best_so_far: str) -> None:
    plays = plays_of(sample)
    write_what_it_writes(plays["first"], sample.repository)
    if best_so_far == "second":
        write_what_it_writes(plays["second"], sample.repository)
    write_what_it_writes(plays["third"], sample.repository)
    assert results(sample) == {"unit": True, "half-cents": True, "gross": True, "cents": True}


def test_every_attempt_of_the_script_ends_by_saying_so(sample: Sample) -> None:
    for name, play in plays_of(sample).items():
        assert [call.name for call in play.steps[-1].tools] == ["finish"], name
