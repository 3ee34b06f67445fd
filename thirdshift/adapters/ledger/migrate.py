"""Running the migrations on a connection that is already inside a transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

SCRIPTS = Path(__file__).parent / "migrations"


def config_for(connection: Connection | None) -> Config:
    """Alembic's configuration, made in code so that no file has to be found."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, as part of the caller's transaction."""
    command.upgrade(config_for(connection), "head")
