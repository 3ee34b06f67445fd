from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.ledger.books import Books
from tests.fakes.postgres import NoPostgres, Postgres, running_postgres
from thirdshift.adapters.ledger import open_ledger


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place for books, on each database in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'books' / 'ledger.sqlite'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.make_database()
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    _begin(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    url = postgres.make_database()
    _begin(url)
    postgres.leave_alone(url)
    return url


def _begin(url: str) -> None:
    ledger = open_ledger(url)
    Books(ledger, url).begin()
    ledger.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """Opened books with one job, one loop and its first attempt, on each database in turn."""
    server: Postgres | None = None
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        url = f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres")
        assert server is not None
        url = server.make_database(request.getfixturevalue("postgres_template"))
    ledger = open_ledger(url)
    yield Books(ledger, url)
    ledger.close()
    if server is not None:
        server.drop_database(url)
