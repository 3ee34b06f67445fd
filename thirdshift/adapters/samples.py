"""The bundled demonstration, written out as a person would have it: a git repository with a spec beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from thirdshift.core.errors import BadInput, ServiceMissing

BRANCH = "main"
_WRITTEN_AT = "2026-03-10T09:00:00+00:00"
_AUTHOR = ("Harbour Books", "books@harbour.example")


@dataclass(frozen=True)
class Sample:
    """Where everything was written."""

    repository: Path
    spec: Path
    config: Path
    """Its thirdshift.toml; the script of the model and the held-out checks lie beside it."""
    commit: str


def materialise(directory: Path) -> Sample:
    """Write the demonstration into an empty or new directory. The same files give the same commit everywhere.

    Raises BadInput if something is in the directory already, ServiceMissing without git.
    """
    if directory.exists() and any(directory.iterdir()):
        raise BadInput(f"{directory} is not empty; name a directory that is, or one that does not exist yet")
    with resources.as_file(resources.files("thirdshift").joinpath("samples", "demo")) as source:
        # An installer may have compiled the sample's modules along with ours; that is no part of it.
        shutil.copytree(source, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    repository = directory / "repo"
    return Sample(
        repository=repository,
        spec=directory / "spec.md",
        config=directory / "thirdshift.toml",
        commit=_commit_everything(repository),
    )


def _commit_everything(repository: Path) -> str:
    """Make the directory a repository of one commit, whatever the person's own git configuration says."""
    git = shutil.which("git")
    if git is None:
        raise ServiceMissing("git was not found; install it (Debian and Ubuntu: apt-get install git)")
    name, address = _AUTHOR
    environment = {
        "PATH": f"{Path(git).parent}{os.pathsep}{os.defpath}",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_AUTHOR_DATE": _WRITTEN_AT,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
        "GIT_COMMITTER_DATE": _WRITTEN_AT,
    }

    def run(*arguments: str) -> str:
        command = [git, "-c", "core.autocrlf=false", "-c", "core.fileMode=false", *arguments]
        done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceMissing(f"git {arguments[0]} failed in {repository}: {done.stderr.strip()}")
        return done.stdout.strip()

    run("init", "--quiet", "--template=", f"--initial-branch={BRANCH}")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Invoices 1.4.0")
    return run("rev-parse", "HEAD")
