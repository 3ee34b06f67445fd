from __future__ import annotations

from pathlib import Path

import pytest

from thirdshift.core.errors import SettingsInvalid
from thirdshift.settings import Settings, load_settings

SOURCES = """
[listen]
port = 9000
public_url = "https://hooks.example.com"

[sources.github]
kind = "github"
secret_env = ["NEW_SECRET", "OLD_SECRET"]
repositories = ["acme/*"]

[sources.scan]
kind = "sarif"
secret_env = "SCAN_SECRET"
repository = "acme/shop"
"""
SECRET = "a-secret-that-nobody-knows"


def load(root: Path, text: str, **environ: str) -> Settings:
    (root / "thirdshift.toml").write_text(text)
    return load_settings(cwd=root, environ={"THIRDSHIFT_HOME": str(root / "home"), **environ})


def test_sources_have_the_secrets_that_their_variables_hold_and_never_show_them(tmp_path: Path) -> None:
    settings = load(tmp_path, SOURCES, NEW_SECRET=SECRET, SCAN_SECRET=SECRET)
    github, scan = settings.require_sources()
    assert [secret.get_secret_value() for secret in github.secrets] == [SECRET]
    assert github.missing == ("OLD_SECRET",)
    assert (github.repositories, scan.repository) == (("acme/*",), "acme/shop")
    assert (github.max_body_bytes, scan.max_body_bytes) == (1 << 20, 10 << 20)
    assert SECRET not in repr(settings)
    assert settings.describe()["source github"] == "github, NEW_SECRET, OLD_SECRET; missing: OLD_SECRET"


def test_a_secret_may_come_from_the_secrets_file(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "secrets.env"
    path.write_text(f"OLD_SECRET={SECRET}\nSCAN_SECRET={SECRET}\n")
    path.chmod(0o600)
    assert all(source.secrets for source in load(tmp_path, SOURCES).require_sources())


def test_nobody_listens_on_other_addresses_than_loopback_unless_told_to(tmp_path: Path) -> None:
    assert load(tmp_path, "").listen.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"NEW_SECRET": SECRET}, r"\[sources.scan\]: SCAN_SECRET is not set"),
        ({"NEW_SECRET": SECRET, "SCAN_SECRET": "short"}, r"\[sources.scan\]: SCAN_SECRET is shorter than 16 bytes"),
    ],
)
def test_a_source_without_a_secret_that_guards_it_is_refused(
    tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    settings = load(tmp_path, SOURCES, **environ)
    with pytest.raises(SettingsInvalid, match=words):
        settings.require_sources()


def test_no_source_at_all_is_said_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"\[sources.github\]"):
        load(tmp_path, "").require_sources()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[sources.x]\nkind = "svn"\nsecret_env = "S"\n', "sources.x.kind"),
        ('[sources.x]\nkind = "github"\n', "secret_env"),
        ('[sources.x]\nkind = "github"\nsecret_env = []\n', "anybody could send events"),
        ('[sources.x]\nkind = "github"\nsecret_env = "not a name"\n', "sources.x.secret_env"),
        ('[sources."a/b"]\nkind = "github"\nsecret_env = "S"\n', "name is up to 40 small letters"),
        ('[sources.x]\nkind = "github"\nsecret_env = "S"\nsecret = "x"\n', "unknown key `secret`"),
        ("[listen]\nport = 70000\n", "listen.port"),
        ('[listen]\npublic_url = "hooks.example.com"\n', "listen.public_url"),
        ("[listen]\ntolerence_seconds = 5\n", "did you mean `tolerance_seconds`"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        load(tmp_path, text)
