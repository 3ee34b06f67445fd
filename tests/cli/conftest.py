import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
