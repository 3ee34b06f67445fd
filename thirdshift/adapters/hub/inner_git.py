"""The throw-away repository that the agent holds.

It is made in the hub's own scratch directory, where no agent was ever, and moved into the workspace when it is
done; after that the host never runs git on it. Its objects are copies: nothing in it points to the hub.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.hub.layout import HubLayout, file_name
from thirdshift.adapters.hub.survey import TOOL_CACHES

_WHO: Final = {
    "GIT_AUTHOR_NAME": "Thirdshift",
    "GIT_AUTHOR_EMAIL": "thirdshift@localhost",
    "GIT_COMMITTER_NAME": "Thirdshift",
    "GIT_COMMITTER_EMAIL": "thirdshift@localhost",
    "GIT_AUTHOR_DATE": "946684800 +0000",  # fixed: the same tree is the same commit
    "GIT_COMMITTER_DATE": "946684800 +0000",
}
_CONFIG: Final = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[user]
\tname = Agent
\temail = agent@localhost
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


def plant_inner_git(
    git: GitProcess, layout: HubLayout, workspace: Path, tree: str, loop: str, exclude: Sequence[str]
) -> None:
    """Put a ``.git`` with one root commit of ``tree`` on ``main`` into a workspace that has none.

    The caller holds the loop's lock.
    """
    hub = str(layout.root)
    commit = git.run(["commit-tree", tree, "-m", "Base"], git_dir=hub, env=_WHO).decode("ascii").strip()
    with layout.scratch(f"inner-{file_name(loop)}") as fresh:
        _skeleton(fresh, commit, exclude)
        pack = [*("pack-objects", "--quiet", "--revs", "--window=0", "--threads=1"), str(fresh / "objects/pack/pack")]
        git.run(pack, git_dir=hub, stdin=f"{commit}\n".encode())
        git.run(["read-tree", commit], git_dir=str(fresh), env={"GIT_INDEX_FILE": str(fresh / "index")})
        _move(fresh, workspace / ".git")


def _skeleton(fresh: Path, commit: str, exclude: Sequence[str]) -> None:
    for directory in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (fresh / directory).mkdir(parents=True)
    (fresh / "HEAD").write_text("ref: refs/heads/main\n")
    (fresh / "refs/heads/main").write_text(f"{commit}\n")
    (fresh / "config").write_text(_CONFIG)
    mounts = "".join(f"/{path.strip('/')}\n" for path in exclude)
    (fresh / "info/exclude").write_text(TOOL_CACHES + mounts)


def _move(fresh: Path, place: Path) -> None:
    try:
        fresh.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copytree(fresh, place, symlinks=True)  # the workspace is on another file system
    place.chmod(0o755)
