import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from thirdshift.cli.suite_finding import find_suite
from thirdshift.settings import load_settings


def git(*arguments: str, directory: Path) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_an_empty_directory_becomes_ready_to_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k-secret")
    code, out, err = shell("init")
    assert (code, err) == (0, "")
    assert "k-secret" not in out
    assert shell("check", "spec.md")[0] == 0
    settings = load_settings()
    assert [rung.provider for rung in settings.require_keys().rungs] == ["openai"] * 3
    assert settings.budgets.job_nano == 2_000_000_000
    assert git("ls-files", directory=shell.directory).split() == ["spec.md", "thirdshift.toml"]
    assert "k-secret" not in Path("thirdshift.toml").read_text()


def test_without_a_key_it_says_what_is_still_missing(shell: Shell) -> None:
    code, _, err = shell("init")
    assert code == 0
    assert "ANTHROPIC_API_KEY" in err
    assert "# [providers.local]" in Path("thirdshift.toml").read_text()
    assert load_settings().ladder.rungs == ()


def test_nothing_is_ever_overwritten(shell: Shell) -> None:
    Path("spec.md").write_text("mine")
    Path("thirdshift.toml").write_text("# mine\n")
    code, answer = shell.json("init")
    assert code == 0
    assert (answer["written"], answer["kept"]) == ([], ["thirdshift.toml", "spec.md"])
    assert Path("spec.md").read_text() == "mine"
    assert Path("thirdshift.toml").read_text() == "# mine\n"


def test_a_repository_of_yours_gets_two_files_and_no_commit(shell: Shell) -> None:
    Path("Makefile").write_text("all:\n\ntest: all\n\ttrue\n")
    git("init", "-q", directory=shell.directory)
    git("add", "Makefile", directory=shell.directory)
    git("commit", "-qm", "x", directory=shell.directory)
    code, answer = shell.json("init")
    assert code == 0
    assert answer["test_command"] == "make test"
    assert git("rev-list", "--count", "HEAD", directory=shell.directory) == "1"
    assert "run: 'make test'" in Path("spec.md").read_text()
    assert shell("check", "spec.md")[0] == 0


def test_files_of_yours_without_a_commit_are_yours_to_commit(shell: Shell) -> None:
    Path("notes.txt").write_text("private")
    _, answer = shell.json("init")
    assert "git init && git add --all" in answer["repository"]
    assert not Path(".git").exists()


def test_below_the_top_of_a_repository_the_spec_names_the_top(shell: Shell) -> None:
    git("init", "-q", directory=shell.directory)
    git("commit", "-qm", "x", "--allow-empty", directory=shell.directory)
    code, answer = shell.json("init", "work/specs")
    assert code == 0
    assert answer["spec"] == "work/specs/spec.md"
    assert "repo: ../..\n" in Path("work/specs/spec.md").read_text()
    assert shell("check", "work/specs/spec.md")[0] == 0


def test_a_directory_that_cannot_be_written_is_named(shell: Shell) -> None:
    Path("file").write_text("")
    code, _, err = shell("init", "file")
    assert code == 64
    assert "file" in err


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "import pytest"}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "def test_a(): ..."}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "import unittest"}, "python3 -m unittest discover -s tests"),
        (
            {"tests/test_a.py": "import unittest", "tests/__init__.py": ""},
            "python3 -m unittest discover -s tests -t .",
        ),
        ({"test_a.py": "import unittest"}, "python3 -m unittest"),
        ({"package.json": json.dumps({"scripts": {"test": "vitest"}})}, "npm test"),
        ({"package.json": json.dumps({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}})}, None),
        ({"package.json": "[broken"}, None),
        ({"Cargo.toml": ""}, "cargo test"),
        ({"go.mod": ""}, "go test ./..."),
        ({"Makefile": "test:\n\ttrue\n"}, "make test"),
        ({"Makefile": "latest:\n\ttrue\n"}, None),
        ({}, None),
    ],
)
def test_how_the_tests_are_run_is_seen_from_the_files(
    tmp_path: Path, files: dict[str, str], command: str | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    suite = find_suite(tmp_path)
    assert (suite.command if suite else None) == command


VENV = "python3 -m venv .venv && .venv/bin/python -m pip install -q"


@pytest.mark.parametrize(
    ("files", "setup"),
    [
        ({"test_a.py": "def test_a(): ..."}, f"{VENV} pytest"),
        ({"test_a.py": "import pytest", "requirements.txt": "x\n"}, f"{VENV} pytest -r requirements.txt"),
        ({"test_a.py": "import pytest", "pyproject.toml": "[project]\nname = 'x'"}, f"{VENV} pytest -e ."),
        (
            {"test_a.py": "import pytest", "pyproject.toml": "[project.optional-dependencies]\ntest = ['x']"},
            f"{VENV} pytest -e '.[test]'",
        ),
        ({"test_a.py": "import pytest", "pyproject.toml": "[broken"}, f"{VENV} pytest"),
        ({"test_a.py": "import unittest"}, ""),
        ({"test_a.py": "import unittest", "requirements.txt": "x\n"}, f"{VENV} -r requirements.txt"),
        ({"package.json": '{"scripts": {"test": "node --test"}}'}, ""),
        (
            {"package.json": '{"scripts": {"test": "vitest"}, "devDependencies": {"vitest": "3"}}'},
            "npm install --no-package-lock",
        ),
        (
            {
                "package.json": '{"scripts": {"test": "vitest"}, "devDependencies": {"vitest": "3"}}',
                "package-lock.json": "{}",
            },
            "npm ci",
        ),
        ({"go.mod": ""}, ""),
    ],
)
def test_what_the_tests_need_and_a_bare_sandbox_lacks_is_set_up(
    tmp_path: Path, files: dict[str, str], setup: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    suite = find_suite(tmp_path)
    assert suite is not None
    assert suite.setup == setup


def test_a_spec_whose_setup_installs_something_comes_with_a_network_for_it(shell: Shell) -> None:
    Path("test_a.py").write_text("import pytest\n")
    git("init", "-q", directory=shell.directory)
    git("add", "test_a.py", directory=shell.directory)
    git("commit", "-qm", "x", directory=shell.directory)
    code, answer = shell.json("init")
    assert code == 0
    assert answer["setup"] == f"{VENV} pytest"
    assert f"setup: '{VENV} pytest'" in Path("spec.md").read_text()
    assert shell("check", "spec.md")[0] == 0
    assert load_settings().sandbox.setup_network == "host"


def test_a_configuration_that_was_there_is_left_alone_and_the_network_asked_for(shell: Shell) -> None:
    Path("test_a.py").write_text("import pytest\n")
    Path("thirdshift.toml").write_text("")
    code, _, err = shell("init")
    assert code == 0
    assert 'setup_network = "host"' in err


def test_the_commands_to_type_next_are_quoted_for_a_shell(shell: Shell) -> None:
    _, out, _ = shell("init", "my work")
    assert "thirdshift check 'my work/spec.md'" in out
