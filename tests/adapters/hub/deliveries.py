"""Places to deliver to: repositories whose base moves, and remotes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.adapters.hub.repositories import Bench, git, write
from thirdshift.adapters.hub.deliverer import HubDeliverer
from thirdshift.core.delivery import Work

MESSAGE = "Say hello\n\nThirdshift-Job: job-1\nRun-Id: run-1"
LINES = "".join(f"line {n}\n" for n in range(1, 21))
JOB_BRANCH = "thirdshift/job-1"


@dataclass
class Yard:
    """A repository whose ``main`` is checked out nowhere, with work that is ready to be delivered."""

    bench: Bench
    work: Work

    @property
    def deliverer(self) -> HubDeliverer:
        """A new one each time, as after a crash."""
        return HubDeliverer(str(self.bench.hub_path))

    @property
    def repository(self) -> Path:
        return self.bench.repository

    def tip(self, branch: str = "main") -> str:
        return git(self.repository, "rev-parse", branch)

    def commit_on_main(self, files: dict[str, str | bytes], message: str = "theirs") -> str:
        """What somebody else does to the base branch, in a working tree of their own."""
        elsewhere = self.repository.parent / "elsewhere"
        git(self.repository, "worktree", "add", "-q", str(elsewhere), "main")
        write(elsewhere, files)
        git(elsewhere, "add", "-A")
        git(elsewhere, "commit", "-q", "-m", message)
        git(self.repository, "worktree", "remove", "--force", str(elsewhere))
        return self.tip()


def make_yard(bench: Bench) -> Yard:
    """Work on a fresh bench: app.py changed, new.txt added; the checkout stands on a branch of its own."""
    git(bench.repository, "switch", "-q", "-c", "desk")
    write(bench.workspace, {"src/app.py": "print('hello')\n", "new.txt": LINES})
    tree = bench.snapshot().tree
    work = Work(
        job="job-1",
        run="run-1",
        repository=str(bench.repository),
        base_commit=bench.base.commit,
        tree=tree,
        message=MESSAGE,
        merge_message="Merge into main: Say hello\n\nThirdshift-Job: job-1\nRun-Id: run-1",
        onto="main",
    )
    return Yard(bench, work)
