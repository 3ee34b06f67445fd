"""What an attack from inside is made of: a name, the wall that it runs against, and a Python program that tries."""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = r"""
import ctypes, errno, fcntl, glob, json, os, platform, resource, signal, socket, stat, struct, subprocess, sys, time
X86 = platform.machine() == "x86_64"
FACTS = json.loads(sys.argv[1])
SECRET = FACTS["secret"].encode()
LIBC = ctypes.CDLL(None, use_errno=True)

def mark(what="it worked"):
    print("MARK", what, flush=True)

def call(x86, arm, *arguments):
    # The result of a system call, or minus its errno.
    ctypes.set_errno(0)
    words = [a if isinstance(a, (ctypes.Array, bytes)) else ctypes.c_long(a) for a in arguments]
    result = LIBC.syscall(ctypes.c_long(x86 if X86 else arm), *words)
    return -ctypes.get_errno() if result == -1 else result

def let_through(result):
    # Whether the kernel did the call, or at least looked at what was asked.
    return result not in (-errno.EPERM, -errno.ENOSYS, -errno.EACCES)

def tried(action, *arguments):
    # What an action returns; None where the system refuses it.
    try:
        return action(*arguments)
    except OSError:
        return None

def readable(path):
    with open(path, "rb") as file:
        return file.read(1 << 20)

def written(path, text):
    # Whether the kernel took the text.
    try:
        return os.write(os.open(path, os.O_WRONLY), text.encode()) > 0
    except OSError:
        return False

def others():
    # Every process but this one and the shell that started it.
    return [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) not in (os.getpid(), os.getppid())]

def in_child(action):
    # Run in a child of its own; the wait status.
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]
"""
ENDING = '\nprint("TRIED")\n'


@dataclass(frozen=True)
class Attack:
    """An attempt from inside. ``attempt`` calls ``mark()`` if it gets what it wants."""

    name: str
    wall: str
    attempt: str
    control: bool = False
    """Whether it does no harm where it succeeds, so that it can be shown to succeed with no sandbox at all."""

    @property
    def program(self) -> str:
        """The whole Python program."""
        return PRELUDE + self.attempt.strip("\n") + ENDING
