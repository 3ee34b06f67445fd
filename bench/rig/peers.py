"""What benchmarks fetch: peers in environments of their own, and source distributions, all cached beneath .cache/bench.

Nothing is installed into the project's own environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache" / "bench"
_MADE = "made"
_PIP_SECONDS = 600.0


class FetchFailed(Exception):
    """A package index did not give what a benchmark needs; the text ends with what pip said."""


def cache_key(name: str, requirements: Sequence[str], python: str = sys.version) -> str:
    """Name of the directory for an environment: another one for other requirements or another interpreter."""
    identity = "\n".join([python, *sorted(requirements)])
    return f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def peer_environment(name: str, requirements: Sequence[str], cache: Path = CACHE) -> Path:
    """The interpreter of a virtual environment with these requirements, made at the first use. Raises FetchFailed."""
    place = cache / cache_key(name, requirements)
    interpreter = place / "bin" / "python"
    if (place / _MADE).is_file():
        return interpreter
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    print(f"making an environment for {name}: {', '.join(requirements)}", file=sys.stderr)
    _run_pip([sys.executable, "-m", "venv", str(place)], f"the environment for {name}")
    _run_pip([str(interpreter), "-m", "pip", "install", "--quiet", *requirements], f"{name}")
    (place / _MADE).touch()
    return interpreter


def source_distribution(project: str, version: str, cache: Path = CACHE) -> Path:
    """The unpacked source distribution of a release, fetched at the first use. Raises FetchFailed.

    Treat it as read-only: copy it before changing anything.
    """
    place = cache / "sdists" / f"{project}-{version}"
    if not (place / _MADE).is_file():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        print(f"fetching the source distribution of {project} {version}", file=sys.stderr)
        # pip builds the metadata in an environment of its own, which is gone afterwards.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", project]
        _run_pip([*command, "--dest", str(place), f"{project}=={version}"], f"{project} {version}")
        archives = list(place.glob("*.tar.gz"))
        if len(archives) != 1:
            raise FetchFailed(f"{project} {version}: one source archive was expected, {len(archives)} came")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(place, filter="data")
        (place / _MADE).touch()
    trees = [path for path in place.iterdir() if path.is_dir()]
    if len(trees) != 1:
        raise FetchFailed(f"{place}: one directory was expected in the archive, {len(trees)} are there; remove it")
    return trees[0]


def clean_environment(**more: str) -> Mapping[str, str]:
    """The variables that a peer's process gets: enough to find programs, nothing of this project's."""
    kept = {name: value for name, value in _environ().items() if name in ("PATH", "LANG", "TMPDIR") or "CERT" in name}
    return {"LANG": "C.UTF-8", **kept, **more}


def pip_settings() -> dict[str, str]:
    """Where pip finds packages on this machine, as variables, for a sandbox that sees none of its files."""
    wanted = ("PIP_CERT", "PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
    return {name: value for name, value in _environ().items() if name in wanted}


def _environ() -> Mapping[str, str]:
    return os.environ  # noqa: TID251 - a benchmark hands its own environment on


def _run_pip(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
    if done.returncode != 0:
        raise FetchFailed(f"{what} could not be fetched:\n{(done.stderr or done.stdout)[-2000:]}")
