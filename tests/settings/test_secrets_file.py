from pathlib import Path

import pytest

from thirdshift.core.errors import SettingsInvalid
from thirdshift.settings import load_settings


def _write(home: Path, text: str, mode: int = 0o600) -> None:
    home.mkdir(exist_ok=True)
    (home / "secrets.env").write_text(text)
    (home / "secrets.env").chmod(mode)


def test_a_private_file_gives_keys_and_the_environment_wins(tmp_path: Path) -> None:
    _write(tmp_path, "# keys\nexport ANTHROPIC_API_KEY='from-file'\nOPENAI_API_KEY=also-from-file\n\n")
    settings = load_settings(None, tmp_path, {"THIRDSHIFT_HOME": str(tmp_path), "OPENAI_API_KEY": "from-environment"})
    keys = {name: p.api_key.get_secret_value() for name, p in settings.providers.items() if p.api_key}
    assert keys == {"anthropic": "from-file", "openai": "from-environment"}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    _write(tmp_path, "ANTHROPIC_API_KEY=k", mode)
    with pytest.raises(SettingsInvalid, match=r"chmod 600 .*secrets\.env"):
        load_settings(None, tmp_path, {"THIRDSHIFT_HOME": str(tmp_path)})


def test_a_line_that_is_no_assignment_is_named_but_not_quoted(tmp_path: Path) -> None:
    _write(tmp_path, "ANTHROPIC_API_KEY=k\nsk-oops-pasted-alone\n")
    with pytest.raises(SettingsInvalid, match=r"secrets\.env:2") as refused:
        load_settings(None, tmp_path, {"THIRDSHIFT_HOME": str(tmp_path)})
    assert "sk-oops" not in str(refused.value)
