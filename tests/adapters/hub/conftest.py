from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.hub.repositories import FILES, Bench, make_repository
from thirdshift.adapters.hub import LocalHub


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    repository = make_repository(tmp_path / "repository", FILES)
    hub_path = tmp_path / "hub"
    hub = LocalHub(str(hub_path))
    found = hub.resolve(str(repository), "main")
    base = hub.import_base(str(repository), found.commit, "job-1")
    made = Bench(hub, hub_path, repository, base, tmp_path / "workspace")
    made.restore()
    return made
