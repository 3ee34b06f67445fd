import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import thirdshift
from tests.cli.desk import CONFIG, SPEC, Type, script
from thirdshift.cli.main import invoke


class Shell:
    """Types commands in a directory of its own, with a home of its own."""

    def __init__(self, directory: Path, read: Callable[[], tuple[str, str]]) -> None:
        self.directory = directory
        self._read = read

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        code = invoke(arguments)
        out, err = self._read()
        assert "Traceback" not in err
        return int(code), out, err

    def json(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and the one JSON value that was printed."""
        code, out, _ = self(*arguments, "--json")
        return code, json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    directory = tmp_path / "here"
    directory.mkdir()
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "THIRDSHIFT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("THIRDSHIFT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(directory)

    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return Shell(directory, read)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A directory with a repository, a spec, a configuration and a script."""
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "README").write_text("empty\n")
    for arguments in (["init", "-qb", "main"], ["add", "-A"], ["commit", "-qm", "start"]):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path / "repo", check=True)
    (tmp_path / "spec.md").write_text(SPEC)
    (tmp_path / "thirdshift.toml").write_text(CONFIG)
    script(tmp_path, "hello")
    return tmp_path


@pytest.fixture
def start(desk: Path) -> Iterator[Type]:
    """Starts commands in the desk's directory; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    environment = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - the test's own
        "HOME": str(desk),
        "THIRDSHIFT_HOME": str(desk / "home"),
        "PYTHONPATH": str(Path(thirdshift.__file__).parents[1]),
    }

    def start(
        *arguments: str, cwd: Path = desk, module: str = "thirdshift", program: str = "", **more: str
    ) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [program, *arguments] if program else [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env=environment | more,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def ask(start: Type) -> Callable[..., tuple[int, Any]]:
    """Runs a command to its end with --json: exit code and answer."""

    def ask(*arguments: str) -> tuple[int, Any]:
        process = start(*arguments, "--json")
        out, err = process.communicate()
        assert "Traceback" not in err
        assert len(out.splitlines()) == 1, err
        return process.returncode, json.loads(out)

    return ask
