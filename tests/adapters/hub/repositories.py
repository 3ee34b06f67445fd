from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from thirdshift.adapters.hub import LocalHub
from thirdshift.core.ports import Base, Snapshot, Trailers

CLEAN = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Una",
    "GIT_AUTHOR_EMAIL": "una@example.org",
    "GIT_COMMITTER_NAME": "Una",
    "GIT_COMMITTER_EMAIL": "una@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0100",
    "GIT_COMMITTER_DATE": "1700000000 +0100",
}


def git(where: Path, *arguments: str, check: bool = True, stdin: bytes | None = None) -> str:
    """The system's git, as a person would run it, with no configuration but the repository's."""
    done = subprocess.run(
        ["git", "-C", str(where), "-c", "init.defaultBranch=main", *arguments],
        env=CLEAN,
        input=stdin,
        capture_output=True,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def make_repository(root: Path, files: dict[str, str | bytes]) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "-q")
    write(root, files)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def fingerprint(root: Path) -> dict[str, str]:
    """Every path below a directory with its kind, mode, modification time and content."""
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        stat = path.lstat()
        if path.is_symlink():
            content = f"-> {path.readlink()}"
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = "directory"
        times = "" if path.is_dir() else str(stat.st_mtime_ns)
        found[str(path.relative_to(root))] = f"{stat.st_mode:o} {times} {content}"
    return found


def trailers(step: int = 1, attempt: int = 1) -> Trailers:
    return Trailers(job="job-1", loop="loop-1", attempt=attempt, step=step, model="local/tiny", cost_usd="0.000012")


@dataclass
class Bench:
    """A hub with one imported repository and a restored workspace."""

    hub: LocalHub
    hub_path: Path
    repository: Path
    base: Base
    workspace: Path

    def snapshot(self, parent: str | None = None, **settings: object) -> Snapshot:
        return self.hub.snapshot(
            str(self.workspace),
            "loop-1",
            parent or self.base.commit,
            trailers(),
            **settings,  # type: ignore[arg-type]
        )

    def restore(self, tree: str | None = None) -> None:
        self.hub.restore(str(self.workspace), tree or self.base.tree, "loop-1")


FILES: dict[str, str | bytes] = {
    "README.md": "# Hello\n",
    "src/app.py": "print('hi')\n",
    "src/deep/er/mod.py": "x = 1\n",
    "data.bin": bytes(range(256)),
}
