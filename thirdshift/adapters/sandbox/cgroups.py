"""Control groups for one sandbox: memory and number of processes, version 1 or 2, where this user may make them.

Sources: Linux ``Documentation/admin-guide/cgroup-v2.rst`` and ``cgroup-v1/memory.rst``; ``/proc/self/mountinfo`` is
described in proc_pid_mountinfo(5).
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from thirdshift.core.ports import Limits

_PREFIX = "thirdshift-"
_REMOVE_TRIES = 50
_REMOVE_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class CgroupPlace:
    """Directories beneath which a group may be made; None where that controller cannot be used here."""

    memory: Path | None
    processes: Path | None
    unified: bool


def find_place(proc: Path = Path("/proc/self")) -> CgroupPlace:
    """Find where this process may make groups."""
    mounts = _mounts((proc / "mountinfo").read_text())
    own = _own_paths((proc / "cgroup").read_text())
    memory = _version_1(mounts, own, "memory")
    processes = _version_1(mounts, own, "pids")
    if memory is not None or processes is not None:
        return CgroupPlace(memory, processes, unified=False)
    unified = _version_2(mounts, own)
    return CgroupPlace(unified, unified, unified=True)


def _mounts(mountinfo: str) -> dict[str, tuple[str, Path]]:
    """Map a controller (``""`` for version 2) to the group at its mount's root, and where it is mounted."""
    found: dict[str, tuple[str, Path]] = {}
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.partition(" ")
        root, point = fields.split()[3:5]
        place = (root, Path(point.replace("\\040", " ")))
        if kind == "cgroup2":
            found.setdefault("", place)
        elif kind == "cgroup":
            for option in options.split()[-1].split(","):
                found.setdefault(option, place)
    return found


def _own_paths(cgroup: str) -> dict[str, str]:
    own: dict[str, str] = {}
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path
    return own


def _own_directory(mounts: dict[str, tuple[str, Path]], own: dict[str, str], controller: str) -> Path | None:
    if controller not in mounts or controller not in own:
        return None
    root, point = mounts[controller]
    path = own[controller]
    if root != "/" and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    directory = point / path.lstrip("/")
    return directory if directory.is_dir() else None


def _version_1(mounts: dict[str, tuple[str, Path]], own: dict[str, str], controller: str) -> Path | None:
    directory = _own_directory(mounts, own, controller)
    return directory if directory is not None and os.access(directory, os.W_OK) else None


def _version_2(mounts: dict[str, tuple[str, Path]], own: dict[str, str]) -> Path | None:
    """Find the nearest ancestor that hands memory and pids to its children and that this user may write.

    A group that holds processes cannot hand on controllers, so the worker's own group is never the place.
    """
    directory = _own_directory(mounts, own, "")
    if directory is None:
        return None
    top = mounts[""][1]
    while True:
        if _hands_on(directory) and os.access(directory, os.W_OK) and os.access(directory / "cgroup.procs", os.W_OK):
            return directory
        if directory in (top, directory.parent):
            return None
        directory = directory.parent


def _hands_on(directory: Path) -> bool:
    try:
        handed = (directory / "cgroup.subtree_control").read_text().split()
    except OSError:
        return False
    return {"memory", "pids"} <= set(handed)


class Cgroup:
    """The groups of one sandbox. ``counts_memory`` and ``counts_processes`` say which limits they enforce."""

    def __init__(self, memory: Path | None, processes: Path | None, *, unified: bool) -> None:
        self._memory = memory
        self._processes = processes
        self._unified = unified
        self.counts_memory = memory is not None
        self.counts_processes = processes is not None

    @property
    def directories(self) -> tuple[Path, ...]:
        """The directories of the groups, each once."""
        return tuple(dict.fromkeys(path for path in (self._memory, self._processes) if path is not None))

    def add(self, pid: int) -> None:
        """Move a process, and so everything it will start, into the groups."""
        for directory in self.directories:
            (directory / "cgroup.procs").write_text(str(pid))

    def oom_kills(self) -> int:
        """Return how many processes the kernel has killed here for want of memory."""
        if self._memory is None:
            return 0
        report = self._memory / ("memory.events" if self._unified else "memory.oom_control")
        try:
            found = re.search(r"^oom_kill (\d+)$", report.read_text(), re.MULTILINE)
        except OSError:
            return 0
        return int(found.group(1)) if found else 0

    def pids(self) -> tuple[int, ...]:
        """Return who is inside, as the host numbers them."""
        found: set[int] = set()
        for directory in self.directories:
            with contextlib.suppress(OSError):
                found.update(map(int, (directory / "cgroup.procs").read_text().split()))
        return tuple(sorted(found))

    def remove(self) -> None:
        """Remove the groups; they are empty once the last process has been collected, which may take a moment."""
        for directory in self.directories:
            for _ in range(_REMOVE_TRIES):
                try:
                    directory.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(_REMOVE_PAUSE_SECONDS)
                else:
                    break


def create(place: CgroupPlace, name: str, limits: Limits) -> Cgroup:
    """Make the groups of one sandbox; a controller that refuses is left out, for the watchdog to replace."""
    full_name = f"{_PREFIX}{os.getpid()}-{name}"
    memory = _made(place.memory, full_name, _memory_settings(limits, unified=place.unified))
    # The runner and bubblewrap are two more than the plan asked for.
    processes = _made(place.processes, full_name, {"pids.max": str(limits.processes + 2)})
    return Cgroup(memory, processes, unified=place.unified)


def _memory_settings(limits: Limits, *, unified: bool) -> dict[str, str]:
    most = str(limits.memory_bytes)
    if unified:
        return {"memory.max": most, "memory.swap.max": "0"}
    return {"memory.limit_in_bytes": most, "memory.memsw.limit_in_bytes": most}


def _made(parent: Path | None, name: str, settings: dict[str, str]) -> Path | None:
    if parent is None:
        return None
    directory = parent / name
    first, *others = settings
    try:
        directory.mkdir(exist_ok=True)
        (directory / first).write_text(settings[first])
    except OSError:
        with contextlib.suppress(OSError):
            directory.rmdir()
        return None
    for other in others:
        with contextlib.suppress(OSError):  # no swap accounting in this kernel
            (directory / other).write_text(settings[other])
    return directory


def sweep(place: CgroupPlace) -> None:
    """Remove the empty groups of workers that were killed before they could."""
    for parent in {place.memory, place.processes} - {None}:
        if parent is None:
            continue
        for left in parent.glob(f"{_PREFIX}*-*"):
            owner = left.name.removeprefix(_PREFIX).split("-", 1)[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                with contextlib.suppress(OSError):  # not empty, or removed by somebody else
                    left.rmdir()
