"""The command line of bubblewrap for a plan."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from thirdshift.adapters.sandbox import guest
from thirdshift.core.errors import SandboxUnavailable, TreeRefused
from thirdshift.core.ports import Mount, SandboxPlan

RUNNER_IN_GUEST = "/run/thirdshift/runner.py"
_RUNNER = Path(__file__).with_name("runner.py")

# Not --die-with-parent: bubblewrap takes that signal before it lets its child go, and killed in between it leaves the
# child waiting for ever. The runner ends with the worker instead, because the worker's end of its socket closes.
WALLS = (
    "--unshare-all",
    "--unshare-user",
    "--disable-userns",
    "--new-session",
    "--as-pid-1",
    "--cap-drop",
    "ALL",
    "--uid",
    str(guest.USER_ID),
    "--gid",
    str(guest.USER_ID),
    "--hostname",
    "sandbox",
)

_SMALL_SHARE = 4
_HIDDEN_IN_PROC = (
    "cmdline",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "mtrr",
    "sched_debug",
    "slabinfo",
    "sysrq-trigger",
    "timer_list",
    "vmallocinfo",
)
_READ_ONLY_IN_PROC = ("acpi", "asound", "fs", "pressure", "scsi", "sys")
_RESERVED = ("/proc", "/dev", "/sys", "/run/thirdshift")


@dataclass(frozen=True)
class Toolchain:
    """What of the host every sandbox shows, read-only: the interpreter, and directories of further tools."""

    interpreter: str
    prefix: str
    read_only: tuple[str, ...] = ()

    @property
    def directories(self) -> tuple[str, ...]:
        """Directories to show beside /usr, parents first."""
        wanted = sorted({self.prefix, *self.read_only})
        return tuple(path for path in wanted if not is_beneath(path, "/usr"))

    @property
    def path(self) -> tuple[str, ...]:
        """Where this interpreter is found by name."""
        return (posixpath.join(self.prefix, "bin"),)


def is_beneath(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or inside it; both are normalised."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def bwrap_arguments(plan: SandboxPlan, toolchain: Toolchain, hold: Callable[[bytes], int]) -> list[str]:
    """Return what bubblewrap is told, without the command.

    ``hold`` keeps bytes in a descriptor that bubblewrap will inherit, and returns its number.
    """
    arguments = list(WALLS)
    if plan.network == "host":
        arguments.append("--share-net")
    arguments += _system()
    for path, content in guest.etc_files(plan.network).items():
        arguments += ["--ro-bind-data", str(hold(content)), path]
    for path in guest.etc_mounts():
        arguments += ["--ro-bind", path, path]
    arguments += ["--proc", "/proc", *_proc_covers(), "--dev", "/dev"]
    whole, small = plan.limits.tmp_bytes, max(1, plan.limits.tmp_bytes // _SMALL_SHARE)
    for size, path in ((small, "/dev/shm"), (whole, "/tmp"), (small, guest.HOME)):  # noqa: S108 - inside the sandbox
        arguments += ["--perms", "0755" if path == guest.HOME else "1777", "--size", str(size), "--tmpfs", path]
    for path in toolchain.directories:  # after the file systems in memory, which may be where they are
        arguments += ["--ro-bind", path, path]
    arguments += ["--ro-bind", str(_RUNNER), RUNNER_IN_GUEST]
    arguments += ["--bind", plan.workspace, guest.WORKSPACE]
    for mount in sorted(plan.mounts, key=lambda one: one.guest.count("/")):
        arguments += ["--bind" if mount.writable else "--ro-bind", mount.host, mount.guest]
    # The device and root file systems are in memory and unsized: writable, they would be a way round every limit.
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", guest.WORKSPACE]
    return arguments


def _system() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in guest.ROOT_DIRECTORIES:
        directory = Path(name)
        if directory.is_symlink():
            arguments += ["--symlink", str(directory.readlink()), name]
        elif directory.is_dir():
            arguments += ["--ro-bind", name, name]
    return arguments


def _proc_covers() -> list[str]:
    """Cover what belongs to the whole machine.

    For a worker that is root, its owner is the user inside, so all of it is covered. An ordinary user has no right to
    it anyway, and each cover costs a sixth of a millisecond.
    """
    root = os.geteuid() == 0
    arguments: list[str] = []
    for name in _READ_ONLY_IN_PROC if root else ("sys",):
        if Path("/proc", name).is_dir():
            arguments += ["--ro-bind", f"/proc/{name}", f"/proc/{name}"]
    for name in _HIDDEN_IN_PROC if root else ("keys", "key-users"):
        if Path("/proc", name).exists():
            arguments += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    return arguments


def check_plan(plan: SandboxPlan) -> None:
    """Refuse a plan that cannot be opened, naming the path. Raises SandboxUnavailable."""
    if not Path(plan.workspace).is_dir():
        raise SandboxUnavailable(f"The workspace {plan.workspace} is no directory; make it before opening a sandbox.")
    for name, value in plan.env.items():
        if not name or "=" in name or "\0" in name + value:
            raise SandboxUnavailable(f"The variable {name!r} cannot be set: a name has no `=`, and neither has a NUL.")
    for mount in plan.mounts:
        guest_path = mount.guest
        if not guest_path.startswith("/") or posixpath.normpath(guest_path) != guest_path or guest_path == "/":
            raise SandboxUnavailable(f"Mount target {guest_path!r} is refused: give an absolute, normalised path.")
        if any(is_beneath(guest_path, reserved) for reserved in _RESERVED):
            raise SandboxUnavailable(f"Mount target {guest_path} is refused: it would hide a wall of the sandbox.")
        if not Path(mount.host).exists():
            raise SandboxUnavailable(f"{mount.host}, to be mounted at {guest_path}, does not exist.")


def make_targets(plan: SandboxPlan) -> None:
    """Make sure that mounts beneath the workspace have a target there, without following any link.

    bubblewrap would make the targets itself, but it follows links while it does, and the workspace's content is
    hostile: a link where a directory belongs would have it make directories on the host. The empty directories stay
    behind; git does not see them. Raises TreeRefused where something else is in the way.
    """
    for mount in plan.mounts:
        if is_beneath(mount.guest, guest.WORKSPACE) and mount.guest != guest.WORKSPACE:
            _make_target(Path(plan.workspace), mount)


def _make_target(workspace: Path, mount: Mount) -> None:
    *parents, name = mount.guest[len(guest.WORKSPACE) + 1 :].split("/")
    place = workspace
    for part in parents:
        place = place / part
        _make_directory(place, mount)
    if Path(mount.host).is_dir():
        _make_directory(place / name, mount)
    elif (place / name).is_symlink() or not (place / name).is_file():
        raise TreeRefused(f"{mount.guest} must be a file, for {mount.host} to be mounted there: make it or move it.")


def _make_directory(place: Path, mount: Mount) -> None:
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise TreeRefused(
            f"{place.name} is in the way: {mount.guest} holds what setup made, and the tree has something else there. "
            f"Remove {place.name} from the tree."
        )
    place.mkdir(exist_ok=True)
