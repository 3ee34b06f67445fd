"""Programs that want more than their share of memory, disk, processes or attention."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.core.ports import Command, CommandEnd, CommandResult, Limits, SandboxPlan

LIMITS = Limits(
    memory_bytes=192 << 20, processes=64, file_bytes=32 << 20, open_files=256, tmp_bytes=16 << 20, disk_bytes=24 << 20
)
HOARDS = {
    "anonymous memory": "hold = []\nwhile True: hold.append(bytearray(8 << 20))",
    "memory in files without a name": """
while True:
    held = os.memfd_create("x")
    for _ in range(3): os.write(held, bytes(8 << 20))""",
    "memory shared between processes": """
import mmap
while True:
    block = mmap.mmap(-1, 8 << 20); block.write(bytes(8 << 20)); keep.append(block)""",
    "memory of many small processes": """
for _ in range(40):
    if os.fork() == 0:
        hold = bytearray(16 << 20); time.sleep(2); os._exit(0)
if any(os.wait()[1] for _ in range(40)): raise SystemExit(1)""",
    "memory in System V segments": """
import ctypes
library = ctypes.CDLL(None); library.shmat.restype = ctypes.c_void_p
while True:
    segment = library.shmget(0, 8 << 20, 0o1600)
    if segment < 0: break
    ctypes.memset(library.shmat(segment, None, 0), 1, 8 << 20)""",
    "files in the workspace": "for n in itertools.count(): open(f'f{n}', 'wb').write(bytes(1 << 20))",
    "files that are deleted and kept open": """
for n in itertools.count():
    keep.append(open('f', 'wb')); keep[-1].write(bytes(1 << 20)); keep[-1].flush(); os.unlink('f')""",
    "many empty files": """
for n in itertools.count():
    os.makedirs(f'{n % 100}/{n}'); open(f'{n % 100}/{n}/{"x" * 200}', 'w').close()""",
}
STOPS = {
    "one huge file": "dd if=/dev/zero of=big bs=1M count=200; stat -c %s big",
    "file systems in memory": "for d in /tmp /dev/shm ~; do dd if=/dev/zero of=$d/x bs=1M count=64; done; exit 1",
    "a fork bomb": "bomb() { bomb | bomb & }; bomb; sleep 2; exit 1",
    "threads": "python3 -Ic 'import threading, time\nfor _ in range(999): "
    "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()'",
    "open files": "python3 -Ic 'k = [open(\"/dev/null\") for _ in range(9999)]'",
    "pipes full of bytes": "python3 -Ic 'import os\nfor _ in range(9999): os.write(os.pipe()[1], bytes(65536))'",
}


async def run(workspace: Path, script: str, *, cgroups: bool, seconds: float = 40) -> CommandResult:
    plan = SandboxPlan(workspace=str(workspace), limits=LIMITS)
    return await Bubblewrap(use_cgroups=cgroups).run_once(plan, Command(run=script, timeout_seconds=seconds))


@pytest.mark.parametrize("cgroups", [True, False], ids=["cgroups", "no cgroups"])
@pytest.mark.parametrize("hoard", HOARDS)
async def test_a_hoarder_is_stopped(tmp_path: Path, hoard: str, cgroups: bool) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    program = f"import itertools, os, time\nkeep = []\n{HOARDS[hoard]}\nprint('HAD ENOUGH')"
    (workspace / "hoard.py").write_text(program)
    result = await run(workspace, "python3 -I hoard.py", cgroups=cgroups)
    assert not result.passed
    assert result.end is not CommandEnd.TIMED_OUT, result
    assert "HAD ENOUGH" not in result.output


@pytest.mark.parametrize("cgroups", [True, False], ids=["cgroups", "no cgroups"])
@pytest.mark.parametrize("stop", STOPS)
async def test_a_limit_stops_it(tmp_path: Path, stop: str, cgroups: bool) -> None:
    result = await run(tmp_path, STOPS[stop], cgroups=cgroups)
    assert not result.passed or result.output.strip().endswith(str(LIMITS.file_bytes))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= LIMITS.disk_bytes + LIMITS.file_bytes


async def test_a_flood_of_output_in_every_shape_costs_bounded_memory(tmp_path: Path) -> None:
    before = _resident()
    highest = [before]
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            highest.append(_resident())
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    flood = "yes & yes '' >&2 & head -c 999999999 /dev/zero & tr -d '\\n' < /dev/urandom & wait"
    try:
        result = await run(tmp_path, flood, cgroups=True, seconds=2)
    finally:
        done.set()
        watcher.join()
    assert result.end is CommandEnd.TIMED_OUT
    assert result.output_bytes > 10 << 20
    assert len(result.output.encode()) < 1 << 20
    assert max(highest) - before < 64 << 20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
