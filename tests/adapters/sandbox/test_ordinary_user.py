"""The same sandbox, opened by a user who is not root."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
NOBODY = 65534
SUITES = ("test_conformance.py", "test_limits.py", "test_setup_cache.py", "test_survivors.py", "test_walls.py")
ATTACKS = ("test_egress.py", "test_hoarding.py", "test_inside.py", "test_lingering.py")

# Directories that only root may enter are replaced, for this process alone, by ones that hold just what is needed.
SHOW = r"""
set -e
mount -t tmpfs tmpfs "$STASH"
n=0
for path in $NEEDED; do n=$((n+1)); mkdir "$STASH/$n"; mount --bind "$path" "$STASH/$n"; done
for path in $CLOSED; do mount -t tmpfs -o mode=755 tmpfs "$path"; done
n=0
for path in $NEEDED; do
  n=$((n+1)); [ -d "$path" ] || { mkdir -p "$path"; mount --bind "$STASH/$n" "$path"; }
done
exec setpriv --reuid $WHO --regid $WHO --clear-groups "$@"
"""


def closed_ancestors(paths: list[Path]) -> list[Path]:
    """Return the outermost directories above the paths that others may not enter."""
    found: set[Path] = set()
    for path in paths:
        for ancestor in reversed(path.parents):
            if not ancestor.stat().st_mode & stat.S_IXOTH:
                found.add(ancestor)
                break
    return sorted(found)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(os.geteuid() != 0, reason="these tests already run as an ordinary user")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv of util-linux to become somebody else")
@pytest.mark.parametrize(
    "suites",
    [[HERE / suite for suite in SUITES], [REPOSITORY / "tests" / "attacks" / suite for suite in ATTACKS]],
    ids=["the sandbox's own tests", "attacks"],
)
def test_everything_holds_for_an_ordinary_user(tmp_path: Path, suites: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as stash:
        _run_as_ordinary_user(tmp_path, stash, suites)


def _run_as_ordinary_user(tmp_path: Path, stash: str, suites: list[Path]) -> None:
    needed = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), REPOSITORY]
    mounting = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", stash], capture_output=True)
    if mounting.returncode != 0:
        pytest.skip(f"root may not mount here, so the interpreter cannot be shown to others: {mounting.stderr!r}")
    scratch = tmp_path / "theirs"
    scratch.mkdir()
    os.chown(scratch, NOBODY, NOBODY)
    closed = closed_ancestors([*needed, scratch])
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "NEEDED": " ".join(map(str, [*needed, scratch])),
        "CLOSED": " ".join(map(str, closed)),
        "STASH": stash,
        "WHO": str(NOBODY),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    pytest_words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", f"{scratch}/t"]
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "--propagation",
            "private",
            "/bin/sh",
            "-c",
            SHOW,
            "sh",
            *pytest_words,
            *map(str, suites),
        ],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
