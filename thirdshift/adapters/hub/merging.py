"""Merging in the hub: no checkout, no index, no driver that a repository could name, and nothing that others see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from thirdshift.adapters.hub.delivery import make_delivery_commit
from thirdshift.adapters.hub.failures import GitFailed
from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.hub.trees import TreeReader
from thirdshift.core.delivery_text import run_marker
from thirdshift.core.errors import DeliveryRefused

_CONFLICT: Final = 1
"""The exit status by which ``git merge-tree`` says that there are conflicts; higher ones are failures."""


@dataclass(frozen=True)
class Merged:
    """A merged tree, and the paths that are in conflict; where there are any, the tree is of no use."""

    tree: str
    conflicts: tuple[str, ...]


@dataclass(frozen=True)
class HubMerger:
    """Merges commits that are in the hub."""

    git: GitProcess
    git_dir: str

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` has ``older`` in its history, itself included."""
        out = self.git.run(["rev-list", "--max-count=1", f"{newer}..{older}"], git_dir=self.git_dir)
        return not out.strip()

    def landed(self, run: str, base: str, tip: str) -> str:
        """The newest commit since ``base`` that says to be this run's delivery; empty where there is none."""
        arguments = ["rev-list", "--max-count=1", "--fixed-strings", f"--grep={run_marker(run)}", tip, f"^{base}"]
        return self.git.run(arguments, git_dir=self.git_dir).decode("ascii").strip()

    def merge(self, ours: str, theirs: str) -> Merged:
        """The merge of two commits, made by ``git merge-tree`` with its own rules alone."""
        arguments = ["merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, theirs]
        with self.git.started(arguments, git_dir=self.git_dir) as process:
            out, err = process.communicate(timeout=self.git.timeout_seconds)
        said = err.decode("utf-8", "replace")
        if process.returncode not in (0, _CONFLICT):
            if "usage: git merge-tree" in said:
                raise DeliveryRefused("This git cannot merge without a checkout. Install git 2.38 or newer.")
            raise GitFailed("merge-tree", process.returncode or 0, said)
        tree, *paths = out.decode("utf-8", "surrogateescape").split("\0")
        return Merged(tree.strip(), tuple(sorted({path for path in paths if path})))

    def merge_commit(self, tree: str, tip: str, commit: str, message: str) -> str:
        """The commit with both parents. Who and when follow from the tip, so the same merge is the same commit."""
        return make_delivery_commit(self.git, self.git_dir, tree, tip, message, second_parent=commit)

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return TreeReader(self.git, self.git_dir).commit(commit).tree
