"""The start of a person's repository, for ``init`` in an empty directory. No other part of Thirdshift makes one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from thirdshift.core.errors import ServiceMissing


def begin_repository(directory: Path, written: Sequence[str]) -> str:
    """Make a first commit of the files just ``written`` where there is nothing else yet.

    Returns what to tell the person; empty if there is nothing to tell. A directory with files of theirs is left
    alone, because what belongs into their first commit is theirs to say. Raises ServiceMissing without git.
    """
    git = shutil.which("git")
    if git is None:
        raise ServiceMissing("git was not found; install it (Debian and Ubuntu: apt-get install git)")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([git, *arguments], cwd=directory, capture_output=True, text=True, check=False)

    inside = run("rev-parse", "--is-inside-work-tree").returncode == 0
    if inside and run("rev-parse", "--verify", "--quiet", "HEAD").returncode == 0:
        return ""
    others = [path.name for path in directory.iterdir() if path.name not in {*written, ".git"}]
    if others or not written:
        first = "" if inside else "git init && "
        return f"a job needs a commit to start from; make one: {first}git add --all && git commit -m 'Start'"
    # A person's name is used where git knows it; a machine without one must still be able to begin.
    named = bool(run("config", "user.email").stdout.strip())
    identity = () if named else ("-c", "user.name=Thirdshift", "-c", "user.email=thirdshift@localhost")
    steps: list[tuple[str, ...]] = [] if inside else [("init", "--quiet", "--initial-branch=main")]
    steps += [("add", "--", *written), (*identity, "commit", "--quiet", "--message", "Start with a first spec")]
    for step in steps:
        done = run(*step)
        if done.returncode:
            raise ServiceMissing(f"git {' '.join(step[-3:])} failed in {directory}: {done.stderr.strip()}")
    return f"made a git repository in {directory.resolve()} with a first commit"


def repository_root(directory: Path) -> Path | None:
    """The top of the repository that the directory lies in, if it lies in one."""
    top = directory.resolve()
    return next((path for path in (top, *top.parents) if (path / ".git").exists()), None)
