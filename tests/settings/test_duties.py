from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from thirdshift.settings import Settings, load_settings
from thirdshift.settings.duties import DUTIES, LISTENER, Duty, environment_for, environment_for_listener

CONFIG = """
[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
api_key_env = "LOCAL_CRED"
[[tiers.economy]]
model = "local/small"
[prices."local/small"]
input = "1"
output = "1"
[forges.work]
kind = "github"
host = "git.example.org"
token_env = "WORK_CRED"
[sources.ci]
kind = "generic"
secret_env = "CI_CRED"
[notify]
everybody = ["TEAM_HOOK"]
"""
PLAIN = {
    "PATH": "/bin",
    "HOME": "/h",
    "LANG": "C",
    "PGPASSWORD": "for-the-ledger",
    "TEMPORAL_API_KEY": "for-the-server",
}
OWN = {
    "models": {"LOCAL_CRED": "model", "OPENAI_API_KEY": "o"},
    "delivery": {"WORK_CRED": "forge", "TEAM_HOOK": "json://h/", "SSH_AUTH_SOCK": "/agent", "GIT_ASKPASS": "/ask"},
    "hosts": dict[str, str](),
}
STRAYS = {
    "CI_CRED": "source",
    "AWS_SECRET_ACCESS_KEY": "a",
    "OPENAI_API_KEY": "o",
    "SENTRY_DSN": "d",
    "DB_PASSWORD": "p",
}


def loaded(root: Path, environ: Mapping[str, str], duty: Duty | None = None, config: str = CONFIG) -> Settings:
    (root / "thirdshift.toml").write_text(config)
    return load_settings(cwd=root, environ={"THIRDSHIFT_HOME": str(root), "USER": "me", **environ}, duty=duty)


def everything() -> dict[str, str]:
    return PLAIN | STRAYS | {name: value for own in OWN.values() for name, value in own.items()}


@pytest.mark.parametrize("duty", DUTIES)
def test_the_environment_of_a_duty_has_its_own_secrets_and_nobody_else_s(tmp_path: Path, duty: Duty) -> None:
    made = environment_for(duty, loaded(tmp_path, everything()), everything())
    told = {"THIRDSHIFT_DUTY", "THIRDSHIFT_KEYS_ELSEWHERE"}
    assert {name: value for name, value in made.items() if name not in told} == PLAIN | OWN[duty]


@pytest.mark.parametrize("duty", DUTIES)
def test_what_the_secrets_file_holds_for_a_duty_is_handed_over_and_the_file_is_not_read_again(
    tmp_path: Path, duty: Duty
) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("LOCAL_CRED=model\nWORK_CRED=forge\nTEAM_HOOK=json://h/\nCI_CRED=source\n")
    file.chmod(0o600)
    made = environment_for(duty, loaded(tmp_path, PLAIN), PLAIN)
    mine = {value for name, value in OWN[duty].items() if name in file.read_text()}
    file.write_text("not a line that could be read")
    settings = loaded(tmp_path, made, duty)
    assert settings.secret_values == mine


@pytest.mark.parametrize("duty", ["hosts", "delivery"])
def test_a_process_without_keys_knows_that_the_ladder_s_are_elsewhere(tmp_path: Path, duty: Duty) -> None:
    settings = loaded(tmp_path, environment_for(duty, loaded(tmp_path, everything()), everything()), duty)
    assert settings.require_keys().rungs
    assert settings.providers["local"].api_key is None
    assert settings.notify.anybody


@pytest.mark.parametrize("duty", ["hosts", "delivery"])
def test_a_ladder_that_follows_from_keys_is_the_same_in_a_process_without_them(tmp_path: Path, duty: Duty) -> None:
    environ = {**PLAIN, "ANTHROPIC_API_KEY": "a-key"}
    whole = loaded(tmp_path, environ, config="")
    part = loaded(tmp_path, environment_for(duty, whole, environ), duty, config="")
    assert part.ladder == whole.ladder
    assert part.secret_values == frozenset()


@pytest.mark.parametrize("duty", DUTIES)
def test_settings_cut_down_in_one_process_hold_what_settings_read_for_the_duty_do(tmp_path: Path, duty: Duty) -> None:
    whole = loaded(tmp_path, everything())
    assert whole.for_duty(duty).secret_values == loaded(tmp_path, everything(), duty).secret_values


def test_a_listener_has_the_secrets_of_its_sources_alone(tmp_path: Path) -> None:
    made = environment_for_listener(loaded(tmp_path, everything()), everything())
    assert made == PLAIN | {"CI_CRED": "source", "THIRDSHIFT_DUTY": LISTENER}
    assert loaded(tmp_path, made).secret_values == {"source"}


def test_a_listener_is_handed_what_the_secrets_file_holds_for_it_and_needs_no_model(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("LOCAL_CRED=model\nCI_CRED=from the file\n")
    file.chmod(0o600)
    made = environment_for_listener(loaded(tmp_path, PLAIN), PLAIN)
    assert made == PLAIN | {"CI_CRED": "from the file", "THIRDSHIFT_DUTY": LISTENER}
    assert loaded(tmp_path, made).secret_values == {"from the file"}


@pytest.mark.parametrize("duty", DUTIES)
def test_no_part_of_a_worker_has_the_secret_of_a_source(tmp_path: Path, duty: Duty) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("CI_CRED=source\n")
    file.chmod(0o600)
    for environ in (everything(), PLAIN):
        settings = loaded(tmp_path, environ)
        assert "source" not in environment_for(duty, settings, environ).values()
        assert not any(one.secrets for one in settings.for_duty(duty).sources)
