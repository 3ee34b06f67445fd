"""Attacks the sandbox from inside and prints one line for each wall that did not hold, then ``DONE``.

Run as ``python3 -I attack.py FACTS`` where FACTS is JSON: ``allowed_env`` (names), ``home`` (the worker's home
directory), ``shown`` (directories that may be seen beneath it), ``canary`` (a file outside the workspace), ``port``
(a listener on the worker's loopback) and ``abstract`` (its abstract unix socket). System call numbers are those of
x86_64 and aarch64, as in ``syscalls.py``; the two lists are compared by a test.
"""

import contextlib
import ctypes
import errno
import json
import os
import platform
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Facts = dict[str, object]

X86 = platform.machine() == "x86_64"
CALLS = {
    "ptrace": (101 if X86 else 117, (16, 1)),
    "process_vm_readv": (310 if X86 else 270, (1, 0, 0, 0, 0, 0)),
    "keyctl": (250 if X86 else 219, (0, -3, 0)),
    "add_key": (248 if X86 else 217, (0, 0, 0, 0, 0)),
    "bpf": (321 if X86 else 280, (0, 0, 0)),
    "perf_event_open": (298 if X86 else 241, (0, 0, 0, 0, 0)),
    "userfaultfd": (323 if X86 else 282, (1,)),
    "mount": (165 if X86 else 40, (0, 0, 0, 0, 0)),
    "unshare": (272 if X86 else 97, (0x10000000,)),
    "setns": (308 if X86 else 268, (-1, 0)),
    "open_tree": (428, (-100, 0, 1)),
    "fsopen": (430, (0, 0)),
    "io_uring_setup": (425, (1, 0)),
    "clone3": (435, (0, 0)),
    "pidfd_getfd": (438, (-1, 0, 0)),
    "kexec_load": (246 if X86 else 104, (0, 0, 0, 0)),
    "open_by_handle_at": (304 if X86 else 265, (-1, 0, 0)),
    "a call of the future": (1000, ()),
}
"""Each call with arguments that do no harm where it is let through."""

FAMILIES = {"packet": 17, "alg": 38, "vsock": 40, "bluetooth": 31, "xdp": 44}
SYSCTLS = ("kernel/core_pattern", "kernel/hostname", "kernel/modprobe", "vm/drop_caches", "vm/overcommit_memory")


def _environment(facts: Facts) -> Iterator[str]:
    allowed = set(_texts(facts, "allowed_env"))
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            names = {entry.split(b"=")[0].decode() for entry in (directory / "environ").read_bytes().split(b"\0")}
            if names - allowed - {""}:
                yield f"variables of process {directory.name}: {', '.join(sorted(names - allowed))}"
    with contextlib.suppress(OSError):
        if Path("/proc/1/environ").read_bytes():
            yield "process 1 shows its environment"


def _home(facts: Facts) -> Iterator[str]:
    shown = [str(path) for path in _texts(facts, "shown")]
    for path in {str(facts["home"]), "/root", "/home"}:
        with contextlib.suppress(OSError):
            for entry in map(str, Path(path).iterdir()):
                if entry != "/home/agent" and not any((one + "/").startswith(entry + "/") for one in shown):
                    yield entry


def _outside_reads(facts: Facts) -> Iterator[str]:
    for path in (str(facts["canary"]), "/etc/shadow", "/proc/kcore", "/proc/keys", "/var/log", "/sys/kernel", "/mnt"):
        with contextlib.suppress(OSError):
            if list(Path(path).iterdir()) if Path(path).is_dir() else Path(path).read_bytes()[:64]:
                yield path


def _outside_writes(facts: Facts) -> Iterator[str]:
    places = ["/", "/usr", "/usr/bin", "/etc", "/run", "/dev", "/home", "/etc/ssl/certs", "/run/thirdshift"]
    places += [str(Path(str(facts["canary"])).parent), *_texts(facts, "shown")]
    for place in places:
        with contextlib.suppress(OSError):
            trace = Path(place, "thirdshift-was-here")
            trace.write_text("x")
            trace.unlink()
            yield place


def _sysctl(_: Facts) -> Iterator[str]:
    for path in [*(f"/proc/sys/{name}" for name in SYSCTLS), "/proc/sysrq-trigger", "/proc/mtrr"]:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY))
            if path.startswith("/proc/sys/") or not stat.S_ISCHR(Path(path).stat().st_mode):
                yield path


def _loopback(facts: Facts) -> Iterator[str]:
    abstract = "\0" + str(facts["abstract"])
    for family, address in ((socket.AF_INET, ("127.0.0.1", facts["port"])), (socket.AF_UNIX, abstract)):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            client.connect(address)
            yield f"reached the worker at {address!r}"


def _network(_: Facts) -> Iterator[str]:
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    if names:
        yield f"interfaces {', '.join(names)}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        try:
            client.connect(("192.0.2.1", 9))  # an address for documentation; a datagram socket sends nothing
        except OSError:
            return
        yield "a route to the world"


def _system_calls(_: Facts) -> Iterator[str]:
    library = ctypes.CDLL(None, use_errno=True)
    for name, (number, arguments) in CALLS.items():
        ctypes.set_errno(0)
        result = library.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
        if result != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            yield name
    if X86 and library.syscall(ctypes.c_long(0x40000000 + 39)) != -1:
        yield "x32 getpid"
    for name, family in FAMILIES.items():
        try:
            socket.socket(family, socket.SOCK_DGRAM).close()
        except OSError as error:
            if error.errno in (errno.EAFNOSUPPORT, errno.EPERM):
                continue
        yield f"{name} sockets"


def _privileges(_: Facts) -> Iterator[str]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    if os.getuid() == 0 or os.geteuid() == 0:
        yield "the user is root"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(status[name], 16):
            yield name
    if status["NoNewPrivs"].strip() != "1":
        yield "new privileges can be gained"
    if status["Seccomp"].strip() != "2":
        yield "no system call filter"


def _first_process(_: Facts) -> Iterator[str]:
    for name in ("mem", "maps", "environ", "fd/0"):
        with contextlib.suppress(OSError):
            os.close(os.open(f"/proc/1/{name}", os.O_RDONLY))
            yield f"/proc/1/{name} can be opened"
    if b"runner.py" not in Path("/proc/1/cmdline").read_bytes():
        yield "it is somebody else's"
        return
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP):
        with contextlib.suppress(OSError):
            os.kill(1, number)  # dropped by the kernel; if not, no DONE is ever heard


def _processes(_: Facts) -> Iterator[str]:
    seen = [path.name for path in Path("/proc").glob("[0-9]*")]
    if "1" not in seen or len(seen) > 8:
        yield f"{len(seen)} processes are seen"


def _set_id_files(_: Facts) -> Iterator[str]:
    path = Path("set-id")
    path.write_text("")
    with contextlib.suppress(OSError):
        path.chmod(0o4755)
    with contextlib.suppress(OSError):
        os.close(os.open("set-id-made", os.O_CREAT | os.O_WRONLY, 0o4755))
    for made in ("set-id", "set-id-made"):
        with contextlib.suppress(OSError):
            if Path(made).stat().st_mode & 0o6000:
                yield made


def _terminal(_: Facts) -> Iterator[str]:
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR))
        yield "/dev/tty"


WALLS: tuple[Callable[[Facts], Iterator[str]], ...] = (
    _environment,
    _home,
    _outside_reads,
    _outside_writes,
    _sysctl,
    _loopback,
    _network,
    _system_calls,
    _privileges,
    _first_process,
    _processes,
    _set_id_files,
    _terminal,
)


def _texts(facts: Facts, name: str) -> list[str]:
    found = facts[name]
    return [str(one) for one in found] if isinstance(found, list) else []


def main() -> None:
    """Try every wall."""
    facts = json.loads(sys.argv[1])
    for wall in WALLS:
        name = wall.__name__.replace("_", " ").strip()
        holes = list(wall(facts))
        if holes:
            sys.stdout.write(f"{name}: {'; '.join(holes)}\n")
    sys.stdout.write("DONE\n")


if __name__ == "__main__":
    main()
