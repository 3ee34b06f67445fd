"""The compose file says what the documentation and the settings say. No container engine is needed to know that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from thirdshift.settings import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RUN_ONCE = {"temporal-schema", "temporal-namespace"}
PINNED = re.compile(r"[a-z0-9][a-z0-9/_.-]*:\d+\.\d+(\.\d+)?(-[a-z]+)*")
DEFAULTED = re.compile(r"\$\{\w+:-([^}]*)\}")


def filled(value: str) -> str:
    """The value with every ``${NAME:-default}`` at its default, as compose has it with nothing set."""
    return DEFAULTED.sub(r"\1", value)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_by_a_version(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


def test_every_image_of_the_docker_file_is_pinned_by_a_version() -> None:
    images = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(images) == 2
    assert all(PINNED.fullmatch(image) for image in images)


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - RUN_ONCE))
def test_every_service_that_stays_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= check.keys()


def test_nobody_waits_for_a_state_that_does_not_come() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in RUN_ONCE else "service_healthy"
            assert how["condition"] == expected, (name, needed)


def test_everything_published_listens_on_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_state_lies_on_named_volumes() -> None:
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert COMPOSE["volumes"].keys() <= mounted
    home = SERVICES["worker"]["environment"]["THIRDSHIFT_HOME"]
    assert f"thirdshift:{home}" in SERVICES["worker"]["volumes"]


def test_the_settings_understand_what_the_worker_is_given(tmp_path: Path) -> None:
    given: Mapping[str, str] = SERVICES["worker"]["environment"]
    settings = load_settings(cwd=tmp_path, environ={name: filled(value) for name, value in given.items()})
    assert settings.engine.kind == "address"
    assert settings.engine.address == "temporal:7233"
    assert settings.engine.ui_url == "http://127.0.0.1:8080"
    assert settings.ledger_url == "postgresql+psycopg://thirdshift:thirdshift@postgresql:5432/thirdshift"
    assert settings.hub_path.is_relative_to(settings.home)


def test_worker_server_and_schema_agree_on_database_and_password() -> None:
    environment = SERVICES["temporal"]["environment"]
    script = SERVICES["temporal-schema"]["command"][0]
    assert f"{environment['DBNAME']}:temporal" in script
    assert f"{environment['VISIBILITY_DBNAME']}:visibility" in script
    passwords = {
        SERVICES["postgresql"]["environment"]["POSTGRES_PASSWORD"],
        SERVICES["temporal-schema"]["environment"]["SQL_PASSWORD"],
        environment["POSTGRES_PWD"],
    }
    assert len(passwords) == 1


def test_schema_and_server_are_of_one_version() -> None:
    tags = {SERVICES[name]["image"].rpartition(":")[2] for name in ("temporal", *RUN_ONCE)}
    assert len(tags) == 1


def test_the_worker_is_no_root_and_holds_no_capability() -> None:
    assert SERVICES["worker"]["cap_drop"] == ["ALL"]
    assert not SERVICES["worker"].get("privileged")
    assert re.search(r"^USER thirdshift$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
