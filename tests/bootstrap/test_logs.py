from __future__ import annotations

import logging
from pathlib import Path

import pytest

from thirdshift.bootstrap.logs import logged
from thirdshift.core.text import Redactor


def test_what_temporal_logs_goes_into_the_file_and_not_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(tmp_path / "logs"):
        logging.getLogger("temporalio.activity").warning("Completing activity as failed")
    assert "Completing activity as failed" in (tmp_path / "logs" / "worker.log").read_text()
    assert capsys.readouterr().err == ""


def test_our_own_warnings_are_shown_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(tmp_path):
        logging.getLogger("thirdshift.adapters.engine").warning("the server went away")
    assert capsys.readouterr().err == "thirdshift: the server went away\n"
    assert "the server went away" in (tmp_path / "worker.log").read_text()


def test_nothing_is_left_behind_in_the_logging_tree(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    with logged(tmp_path):
        pass
    assert logging.getLogger().handlers == before


def test_secrets_are_taken_out_of_lines_arguments_and_tracebacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("thirdshift.test")
    with logged(tmp_path, redactor=Redactor(["operator-key-3391-fox"])):
        log.warning("asked with %s", "operator-key-3391-fox")
        try:
            raise OSError("Authorization: Bearer 0123456789abcdef0123")  # noqa: TRY301 - it is raised to be logged
        except OSError:
            log.exception("refused: operator-key-3391-fox")
    written = (tmp_path / "worker.log").read_text()
    assert "asked with <redacted>" in written
    assert "Authorization: Bearer <redacted>" in written
    assert not {"operator-key-3391-fox", "0123456789abcdef0123"} & set(written.split())
    assert "operator-key" not in written + capsys.readouterr().err
