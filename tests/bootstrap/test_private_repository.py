"""A repository behind ssh that asks for credentials: read at submission and at the job's begin by whoever delivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.hub.repositories import git, make_repository
from thirdshift.bootstrap.services import open_services
from thirdshift.core.errors import RepositoryUnreachable
from thirdshift.settings import Settings, load_settings
from thirdshift.settings.duties import Duty

URL = "ssh://git@far.example/srv/team.git"


def settings_with_credentials(root: Path) -> Settings:
    """A configuration whose ssh command alone gets in."""
    client = root / "ssh"
    client.write_text(
        f"#!/bin/sh\nfor last; do :; done\ncommand=$(echo \"$last\" | sed 's|/srv/team.git|{root}/far.git|')\n"
        'exec env -i PATH=/usr/bin:/bin HOME=/nonexistent sh -c "$command"\n'
    )
    client.chmod(0o755)
    (root / "thirdshift.toml").write_text(f'[delivery]\nssh_command = "{client}"\n')
    return load_settings(root / "thirdshift.toml", root, {"THIRDSHIFT_HOME": str(root / "home"), "USER": "me"})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    repository = make_repository(tmp_path / "repo", {"calc.py": "x = 1\n"})
    git(tmp_path, "clone", "-q", "--bare", str(repository), "far.git")
    return settings_with_credentials(tmp_path)


@pytest.mark.parametrize("duty", [None, "delivery"])
async def test_its_base_is_read_with_the_credentials_of_delivery(settings: Settings, duty: Duty | None) -> None:
    async with open_services(settings, duty=duty) as services:
        base = services.hub.resolve(URL, "main")
        imported = services.hub.import_base(URL, base.commit, "job-1")
    assert imported.tree == base.tree


async def test_the_process_that_runs_agents_code_gets_nothing_from_it(settings: Settings) -> None:
    async with open_services(settings, duty="hosts") as services:
        with pytest.raises(RepositoryUnreachable):
            services.hub.resolve(URL, "main")
