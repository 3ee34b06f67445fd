from __future__ import annotations

from pathlib import Path

import pytest

from thirdshift.core.errors import SettingsInvalid
from thirdshift.settings import Settings, load_settings

FORGES = """
[delivery]
git_config = "push.gitconfig"
ssh_command = "ssh -i key"
ssh_agent = true

[forges.public]
kind = "github"
token_env = "GITHUB_TOKEN"

[forges.enterprise]
kind = "github"
url = "https://ghe.example/api/v3/"
token_env = "GHE_TOKEN"

[forges.lab]
kind = "gitlab"
url = "https://lab.example:8443"
host = "Git.Lab.Example"
token_env = "LAB_TOKEN"
"""


def load(root: Path, text: str, **environ: str) -> Settings:
    (root / "thirdshift.toml").write_text(text)
    return load_settings(cwd=root, environ={"THIRDSHIFT_HOME": str(root / "home"), **environ})


def test_forges_are_found_by_the_host_in_the_urls_of_their_repositories(tmp_path: Path) -> None:
    found = {forge.name: forge for forge in load(tmp_path, FORGES, LAB_TOKEN="tok-lab").forges}
    assert {name: (forge.url, forge.host) for name, forge in found.items()} == {
        "public": ("https://api.github.com", "github.com"),
        "enterprise": ("https://ghe.example/api/v3", "ghe.example"),
        "lab": ("https://lab.example:8443", "git.lab.example"),
    }
    assert found["public"].token is None
    assert found["lab"].token is not None
    assert found["lab"].token.get_secret_value() == "tok-lab"


def test_a_token_may_come_from_the_secrets_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    secrets = tmp_path / "home" / "secrets.env"
    secrets.write_text("GITHUB_TOKEN=tok-secret\n")
    secrets.chmod(0o600)
    settings = load(tmp_path, FORGES)
    assert settings.forges[0].token is not None
    assert settings.describe()["forge public"] == "github, github.com, GITHUB_TOKEN set"
    assert settings.describe()["forge lab"] == "gitlab, git.lab.example, LAB_TOKEN missing"
    assert "tok-secret" not in repr(settings)


def test_how_git_reaches_remotes_is_stated_and_counts_from_the_file(tmp_path: Path) -> None:
    access = load(tmp_path, FORGES, SSH_AUTH_SOCK="/run/agent").delivery
    assert access.git_config == tmp_path / "push.gitconfig"
    assert (access.ssh_command, access.ssh_agent_socket) == ("ssh -i key", "/run/agent")
    plain = load(tmp_path, "", SSH_AUTH_SOCK="/run/agent").delivery
    assert (plain.git_config, plain.ssh_agent_socket) == (None, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[forges.x]\nkind = "gerrit"\ntoken_env = "T"\n', "forges.x.kind"),
        ('[forges.x]\nkind = "github"\n', "token_env"),
        ('[forges.x]\nkind = "github"\ntoken_env = "T"\nurl = "ftp://x"\n', "forges.x.url"),
        ("[delivery]\nssh_comand = 'x'\n", "did you mean `ssh_command`"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        load(tmp_path, text)
