from pathlib import Path

import pytest

from tests.cli.conftest import Shell

PRICED = """\
[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
api_key_env = "LOCAL_KEY"
[[tiers.economy]]
model = "local/qwen3-coder"
[prices."local/qwen3-coder"]
input = "0.10"
output = "0.40"
"""


def test_everything_there_is_zero_and_no_key_is_shown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("thirdshift.toml").write_text(PRICED)
    monkeypatch.setenv("LOCAL_KEY", "k-secret")
    code, out, err = shell("doctor")
    assert code == 0, out
    assert "k-secret" not in out + err
    assert "MISSING" not in out
    for name in (
        "python",
        "git",
        "sandbox",
        "temporal",
        "server",
        "ledger",
        "disk",
        "LOCAL_KEY is set",
        "price of local",
    ):
        assert name in out


def test_a_missing_key_is_69_with_the_remedy(shell: Shell) -> None:
    Path("thirdshift.toml").write_text(PRICED)
    code, answer = shell.json("doctor")
    assert code == 69
    missing = [finding for finding in answer["findings"] if not finding["ok"]]
    assert [finding["name"] for finding in missing] == ["key of local"]
    assert "secrets.env" in missing[0]["remedy"]


def test_a_rung_without_a_price_is_named_with_the_lines_to_add(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("thirdshift.toml").write_text(PRICED.partition("[prices")[0])
    monkeypatch.setenv("LOCAL_KEY", "k")
    code, out, _ = shell("doctor")
    assert code == 69
    assert '[prices."local/qwen3-coder"]' in out


def test_a_wrong_configuration_is_one_of_the_findings(shell: Shell) -> None:
    Path("thirdshift.toml").write_text("[sandbox]\nbackned = 'none'\n")
    code, out, _ = shell("doctor")
    assert code == 69
    assert "did you mean `backend`" in out


def test_a_home_that_cannot_be_written_is_one_of_the_findings(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("THIRDSHIFT_HOME", str(tmp_path / "file" / "home"))
    code, out, _ = shell("doctor")
    assert code == 69
    assert "set THIRDSHIFT_HOME to another directory" in out
