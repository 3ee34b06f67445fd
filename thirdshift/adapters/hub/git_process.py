"""Git, started with nothing of this process's environment and nothing of anybody's configuration.

GitPython's ``Git.execute`` starts the processes. It always hands on a copy of ``os.environ``, so every command
goes through ``env -i``, which drops that copy before git begins. Nothing secret may stand in the arguments,
because they can be read by other users: credentials come by file (``Transport``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from thirdshift.adapters.hub.failures import GitFailed, translated
from thirdshift.core.errors import HubUnavailable

if TYPE_CHECKING:
    from git.cmd import Git

_IMPORT: Final = threading.Lock()
NOWHERE: Final = "/nonexistent"
NULL: Final = "/dev/null"

_ENVIRONMENT: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": NOWHERE,
    "XDG_CONFIG_HOME": NOWHERE,
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": NULL,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_ALLOW_PROTOCOL": "none",  # no transport at all; what needs one names it
    "GIT_SSH_COMMAND": "false",
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone would run its remote's commands to fill a gap
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}

_CONFIG: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.autocrlf=false",
    "core.symlinks=true",
    "core.logAllRefUpdates=false",
    "core.alternateRefsCommand=true",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.fsckObjects=false",
    "fetch.writeCommitGraph=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "submodule.recurse=false",
    "safe.directory=*",  # nothing that is run reads commands from a repository, whoever owns it
)


@dataclass(frozen=True)
class Transport:
    """How remote repositories are reached. By default only those that ask for no credentials."""

    config_file: str = NULL
    """A git configuration file read for remote work alone: credential helpers, extra headers, proxies."""
    ssh_command: str = "ssh -oBatchMode=yes"
    ssh_agent_socket: str | None = None

    def environment(self) -> dict[str, str]:
        """What git is told besides the usual, for one remote command."""
        told = {
            "GIT_ALLOW_PROTOCOL": "https:ssh",
            "GIT_CONFIG_GLOBAL": self.config_file,
            "GIT_SSH_COMMAND": self.ssh_command,
        }
        return told | ({"SSH_AUTH_SOCK": self.ssh_agent_socket} if self.ssh_agent_socket else {})


@dataclass(frozen=True)
class GitProcess:
    """Runs git. ``about`` in errors is what the caller was doing, in a person's words."""

    executable: str = "git"
    timeout_seconds: float = 900.0
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        arguments: Sequence[str],
        *,
        git_dir: str | None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        may_fail: bool = False,
        pass_fds: tuple[int, ...] = (),
    ) -> bytes:
        """Standard output of a git command; b"" where it failed and ``may_fail``. Raises ``GitFailed``."""
        with self.started(arguments, git_dir=git_dir, env=env, stdin=subprocess.PIPE, pass_fds=pass_fds) as process:
            try:
                out, err = process.communicate(stdin, timeout=self.timeout_seconds)
            except subprocess.TimeoutExpired as error:
                raise HubUnavailable(
                    f"git {arguments[0]} did not end within {self.timeout_seconds:.0f} s; it was stopped. "
                    "See whether the disk or the network hangs."
                ) from error
        if process.returncode == 0:
            return out
        if process.returncode == 127:  # said by env
            raise HubUnavailable(f"There is no git at {self.executable!r}. Install git 2.34 or newer.")
        if may_fail:
            return b""
        raise GitFailed(arguments[0], process.returncode, err.decode("utf-8", "replace"))

    @contextmanager
    def started(
        self,
        arguments: Sequence[str],
        *,
        git_dir: str | None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A running git with pipes; it is dead when the block is left, however that happens."""
        command = [*self._prefix(git_dir, env or {}), *arguments]
        with translated("start git"):
            running = _gitpython()().execute(
                command,
                istream=cast(BinaryIO, stdin),
                as_process=True,
                start_new_session=True,  # Ctrl-C in a terminal is for this process to handle
                pass_fds=pass_fds,
            )
        process = cast("subprocess.Popen[bytes]", running.proc)
        try:
            yield process
        finally:
            _finish(process)

    def _prefix(self, git_dir: str | None, env: Mapping[str, str]) -> list[str]:
        told = {**_ENVIRONMENT, **self.environment, **env}
        if git_dir is not None:
            told["GIT_DIR"] = git_dir
        config = [part for setting in _CONFIG for part in ("-c", setting)]
        return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in told.items()), self.executable, *config]


def _finish(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


@cache
def _gitpython() -> type[Git]:
    """GitPython's command class, imported late.

    Its import starts ``git version`` with the whole environment of this process. Pointing it at a program that
    is not there, for that moment, keeps it from starting anything.
    """
    with _IMPORT:
        told = {"GIT_PYTHON_GIT_EXECUTABLE": "/nonexistent/git", "GIT_PYTHON_REFRESH": "quiet"}
        environment = os.environ  # noqa: TID251 - GitPython can be told this in no other way
        before = {name: environment.get(name) for name in told}
        environment.update(told)
        try:
            from git.cmd import Git
        finally:
            for name, value in before.items():
                if value is None:
                    environment.pop(name, None)
                else:
                    environment[name] = value
    return Git
