r"""Process 1 inside an open sandbox: takes commands over a socket and runs them one after another.

Started as ``python3 -I -S runner.py CONTROL OUTPUT PROCESSES ADDRESS_SPACE DATA FILE_SIZE OPEN_FILES`` (descriptors
and limits; -1 leaves a limit alone). It imports as little as it can, because every sandbox waits for it.

As process 1 it cannot be killed from inside, and it makes itself undumpable before the first command, so that nothing
inside can read its memory, trace it or borrow its descriptors: a result comes from here or not at all.

It ends when bubblewrap ends, and when the worker does: then the socket's other end closes, which is looked for in every
wait. With it ends everything else in its namespace.

Protocol, host to runner: ``V <n>\n`` and n bytes of NUL-separated environment, once; ``R <n>\n`` and n bytes of
shell script; ``K\n`` kills what runs. Runner to host: ``READY\n``; ``D <wait status>\n`` when a command and
everything it started are gone; ``E <errno>\n`` when it could not be started.
"""

import _signal  # type: ignore[import-not-found]  # the C half of signal: the other half loads enum
import errno
import os
import resource
import select
import sys

TYPE_CHECKING = False  # typing itself would take longer to load than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
REAP_EVERY_MILLISECONDS = 200
CLEAR_EVERY_MILLISECONDS = 1
LONGEST_ARGUMENT = 120_000  # the kernel takes 131072 bytes in one argument
HIGHEST_DESCRIPTOR = 65_536

IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)


class Control:
    """The host's end of the conversation."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.received = b""

    def has_line(self) -> bool:
        """Whether a whole line has been received already."""
        return b"\n" in self.received

    def line(self) -> bytes:
        """Return the next line, without its end; exit when the host has hung up."""
        while not self.has_line():
            self._more()
        line, self.received = self.received.split(b"\n", 1)
        return line

    def exactly(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        while len(self.received) < count:
            self._more()
        data, self.received = self.received[:count], self.received[count:]
        return data

    def say(self, text: str) -> None:
        """Send one line."""
        os.write(self.descriptor, text.encode() + b"\n")

    def _more(self) -> None:
        data = os.read(self.descriptor, 65536)
        if not data:
            os._exit(0)
        self.received += data


class Shell:
    """Starts scripts."""

    def __init__(self, output: int) -> None:
        self.program = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"  # noqa: PTH110 - pathlib is slow to load
        self.output = output
        self.environment: dict[bytes, bytes] = {}

    def set_environment(self, block: bytes) -> None:
        """Take the commands' environment; this process's own stays empty, so that no variable steers it."""
        self.environment = dict(entry.split(b"=", 1) for entry in block.split(b"\0") if entry)

    def start(self, script: bytes) -> int:
        """Start the shell on the script and return its pid; its output goes to a fresh description of the pipe.

        A fresh description, because a program that sets its output non-blocking would set it for all that follow.
        """
        if len(script) <= LONGEST_ARGUMENT:
            return self._spawn([self.program, "-c", script])
        holder = os.memfd_create("script", 0)
        try:
            left = memoryview(script)
            while left:
                left = left[os.write(holder, left) :]
            return self._spawn([self.program, f"/proc/self/fd/{holder}"])
        finally:
            os.close(holder)

    def _spawn(self, arguments: list[str | bytes]) -> int:
        pipe = os.open(f"/proc/self/fd/{self.output}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            return os.posix_spawn(
                self.program,
                arguments,
                self.environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, pipe, 1),
                    (os.POSIX_SPAWN_DUP2, pipe, 2),
                ],
                setsid=True,
                setsigdef=IGNORED_BY_PYTHON,
            )
        finally:
            os.close(pipe)


def set_limits(processes: int, address_space: int, data: int, file_size: int, open_files: int) -> None:
    """Apply the limits to this process; everything it starts inherits them."""
    wanted = (
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in wanted:
        if value < 0:
            continue
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (limit, limit))


def find_prctl() -> "Callable[[int, int], int]":
    """Return the C library's prctl; by the inner half of ctypes where it can be had, which loads four times as fast."""
    try:
        from _ctypes import call_function, dlopen, dlsym

        address = dlsym(dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # None is this program itself
    except (ImportError, OSError):
        import ctypes

        library = ctypes.CDLL(None)
        return lambda option, value: int(library.prctl(option, value, 0, 0, 0))
    return lambda option, value: int(call_function(address, (option, value, 0, 0, 0)))


def shield() -> None:
    """Die with bubblewrap, and be undumpable: otherwise results could be forged, so the sandbox is refused."""
    prctl = find_prctl()
    for option, value in ((PR_SET_PDEATHSIG, _signal.SIGKILL), (PR_SET_DUMPABLE, 0)):
        if prctl(option, int(value)) != 0:
            sys.exit(f"prctl({option}) failed")


def keep_only(control: int, output: int) -> None:
    """Close whatever else came through from outside, and let commands inherit neither of the two."""
    first, second = sorted((control, output))
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, HIGHEST_DESCRIPTOR)
    os.set_inheritable(control, False)
    os.set_inheritable(output, False)


def wait(child: int, control: Control) -> int:
    """Return the child's wait status; kill everything when the host says so."""
    ended = os.pidfd_open(child)
    events = select.poll()
    events.register(ended, select.POLLIN)
    events.register(control.descriptor, select.POLLIN)
    status = None
    while status is None:
        ready = [] if control.has_line() else [one for one, _ in events.poll(REAP_EVERY_MILLISECONDS)]
        if (control.has_line() or control.descriptor in ready) and control.line() == b"K":
            os.kill(-1, _signal.SIGKILL)
        status = reap(child)
    os.close(ended)
    return status


def reap(child: int) -> int | None:
    """Collect what has ended, orphans included; return the child's wait status if it was among them."""
    status = None
    while True:
        try:
            pid, ended_as = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == child:
            status = ended_as
        if pid == 0:
            return status


def clear(control: Control) -> None:
    """Kill and collect every other process of this namespace."""
    hang_up = select.poll()
    hang_up.register(control.descriptor, 0)
    while True:
        try:
            os.kill(-1, _signal.SIGKILL)
            os.waitpid(-1, os.WNOHANG)
        except (ProcessLookupError, ChildProcessError):
            return
        if hang_up.poll(CLEAR_EVERY_MILLISECONDS):
            os._exit(0)


def main() -> None:
    """Serve until the host hangs up."""
    # A handler would let a signal from inside reach process 1; with the default action the kernel drops it.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    control, output, *limits = map(int, sys.argv[1:])
    keep_only(control, output)
    host, shell = Control(control), Shell(output)
    set_limits(*limits)
    shield()
    host.say("READY")
    while True:
        order, *size = host.line().split()
        if order == b"K":
            continue  # for a command that had just ended by itself
        payload = host.exactly(int(size[0]))
        if order == b"V":
            shell.set_environment(payload)
            continue
        try:
            child = shell.start(payload)
        except OSError as error:
            host.say(f"E {error.errno}")
            continue
        except ValueError:  # a NUL in the script
            host.say(f"E {errno.EINVAL}")
            continue
        status = wait(child, host)
        clear(host)
        host.say(f"D {status}")


if __name__ == "__main__":
    main()
