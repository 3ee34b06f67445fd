"""Looks at what a sandbox uses where no control group counts it: disk always, memory and processes else.

``/proc/<pid>/stat`` is described in proc_pid_stat(5): after the name in parentheses come state, ppid ... num_threads
(the 18th of them) and rss in pages (the 22nd).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from thirdshift.core.ports import CommandEnd, Limits

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PPID, _THREADS, _RSS = 1, 17, 21
_SCAN_AT_LEAST_EVERY_SECONDS = 15.0
_SCAN_SHARE = 10
_SCAN_MEMORY_EVERY_SECONDS = 0.2
_TIMESTAMP_GRAIN_NS = 20_000_000
_DISK_FLOOR_BYTES = 256 << 20
_ENTRY_BYTES = 4096
_MEMORY_FLOOR_SHARE = 33


class Process(NamedTuple):
    """A living process of the sandbox, as the host sees it."""

    pid: int
    threads: int
    resident_bytes: int


def descendants(root: int) -> tuple[Process, ...]:
    """Return the process ``root`` and everything beneath it."""
    children: dict[int, list[int]] = {}
    seen: dict[int, Process] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - a few hundred times a second: no objects for names
        if not name.isdigit():
            continue
        try:
            fields = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        pid = int(name)
        seen[pid] = Process(pid, int(fields[_THREADS]), int(fields[_RSS]) * _PAGE)
        children.setdefault(int(fields[_PPID]), []).append(pid)
    found: list[Process] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in seen:
            found.append(seen[pid])
            waiting += children.get(pid, [])
    return tuple(found)


class DiskGrowth:
    """How much the writable mounts have grown since this object was made.

    Free space is asked often, because that is cheap; only when it has fallen, or after a while, are the files looked
    at. What counts is every file whose inode changed since, and what open descriptors hold of deleted ones.
    """

    def __init__(self, directories: tuple[str, ...], limit_bytes: int) -> None:
        self._directories = directories
        self._limit = limit_bytes
        self._since_ns = time.time_ns() - _TIMESTAMP_GRAIN_NS
        self._free_at_start = self._free()
        self._next_scan = time.monotonic() + _SCAN_AT_LEAST_EVERY_SECONDS
        self._earliest_scan = 0.0

    def exceeded(self, root: int) -> bool:
        """Whether the growth is over the limit, or the disk is nearly full and this sandbox fills it."""
        free = self._free()
        fallen = sum(max(0, self._free_at_start.get(device, now) - now) for device, now in free.items())
        now = time.monotonic()
        if fallen > self._limit // 8 and min(free.values(), default=_DISK_FLOOR_BYTES) < _DISK_FLOOR_BYTES:
            return True
        if now < self._earliest_scan or (fallen < self._limit // 2 and now < self._next_scan):
            return False
        grown, all_seen = self._grown(root)
        took = time.monotonic() - now
        self._earliest_scan = now + took * _SCAN_SHARE
        self._next_scan = now + max(_SCAN_AT_LEAST_EVERY_SECONDS, took * _SCAN_SHARE)
        return max(grown, 0 if all_seen else fallen) > self._limit

    def look(self, root: int) -> int:
        """Return the growth in bytes, as far as it can be seen; ``root`` is the sandbox's first process."""
        return self._grown(root)[0]

    def _free(self) -> dict[int, int]:
        free: dict[int, int] = {}
        for directory in self._directories:
            about = os.statvfs(directory)
            free[os.stat(directory).st_dev] = about.f_bavail * about.f_frsize  # noqa: PTH116 - beside statvfs
        return free

    def _grown(self, root: int) -> tuple[int, bool]:
        """Return bytes, and whether everything could be looked at."""
        counted: set[tuple[int, int]] = set()
        total = 0
        all_seen = True
        waiting = list(self._directories)
        while waiting:
            try:
                entries = list(os.scandir(waiting.pop()))
            except FileNotFoundError:
                continue
            except OSError:  # made unreadable, or deeper than a path can say
                all_seen = False
                continue
            for entry in entries:
                try:
                    about = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if stat.S_ISDIR(about.st_mode):
                    waiting.append(entry.path)
                total += self._new_bytes(about, counted)
        return total + self._deleted_but_open(root, counted), all_seen

    def _new_bytes(self, about: os.stat_result, counted: set[tuple[int, int]]) -> int:
        if about.st_ctime_ns < self._since_ns or (about.st_dev, about.st_ino) in counted:
            return 0
        counted.add((about.st_dev, about.st_ino))
        return max(_ENTRY_BYTES, about.st_blocks * 512)

    def _deleted_but_open(self, root: int, counted: set[tuple[int, int]]) -> int:
        return sum(
            self._new_bytes(about, counted)
            for about in _nameless_files(descendants(root))
            if about.st_dev in self._free_at_start
        )


def _nameless_files(processes: tuple[Process, ...]) -> Iterator[os.stat_result]:
    """Every open regular file that has no name any more, or never had one; the same one as often as it is open."""
    for process in processes:
        directory = f"/proc/{process.pid}/fd"
        try:
            names = os.listdir(directory)  # noqa: PTH208 - as above
        except OSError:
            continue
        for name in names:
            try:
                about = os.stat(f"{directory}/{name}")  # noqa: PTH116 - a descriptor, not a path
            except OSError:
                continue
            if about.st_nlink == 0 and stat.S_ISREG(about.st_mode):
                yield about


class NamelessMemory:
    """How much is in files in memory that have no name (memfd_create): mapped by nobody, no process is charged."""

    def __init__(self, limits: Limits, disks: frozenset[int]) -> None:
        self._limit = limits.memory_bytes
        self._disks = disks
        self._next_scan = 0.0

    def exceeded(self, processes: tuple[Process, ...]) -> bool:
        """Whether it is more than the limit by itself. What is mapped also counts where it is mapped."""
        now = time.monotonic()
        if now < self._next_scan:
            return False
        held = {
            (about.st_dev, about.st_ino): about.st_blocks * 512
            for about in _nameless_files(processes)
            if about.st_dev not in self._disks
        }
        self._next_scan = now + max(_SCAN_MEMORY_EVERY_SECONDS, (time.monotonic() - now) * _SCAN_SHARE)
        return sum(held.values()) > self._limit


class Watchdog:
    """Says which limit a sandbox has broken, if any."""

    def __init__(self, limits: Limits, directories: tuple[str, ...], *, memory: bool, processes: bool) -> None:
        self._limits = limits
        self._memory = memory
        self._processes = processes
        self._disk = DiskGrowth(directories, limits.disk_bytes)
        self._nameless = NamelessMemory(limits, frozenset(os.stat(path).st_dev for path in directories))  # noqa: PTH116 - as above

    def breach(self, root: int) -> CommandEnd | None:
        """Look at the sandbox whose first process is ``root``. Blocks; to be called in a thread."""
        if self._memory or self._processes:
            processes = descendants(root)
            resident = sum(one.resident_bytes for one in processes)
            if self._memory and (self._over_memory(resident) or self._nameless.exceeded(processes)):
                return CommandEnd.OUT_OF_MEMORY
            if self._processes and sum(one.threads for one in processes) > self._limits.processes + 2:
                return CommandEnd.KILLED
        return CommandEnd.OUT_OF_DISK if self._disk.exceeded(root) else None

    def _over_memory(self, resident_bytes: int) -> bool:
        if resident_bytes > self._limits.memory_bytes:
            return True
        # System V segments that nobody has mapped are in no process's count; the machine's own is the last line.
        total, available = _machine_memory()
        return available < total // _MEMORY_FLOOR_SHARE and resident_bytes > self._limits.memory_bytes // 8


def _machine_memory() -> tuple[int, int]:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(fields["MemTotal"].split()[0]) << 10, int(fields["MemAvailable"].split()[0]) << 10
