"""The ports: what the inside asks of the outside world. Adapters implement them; the inside owns them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import Field

from thirdshift.core.conversation import Message
from thirdshift.core.frozen import Frozen
from thirdshift.core.usage import Usage

# --- Model ------------------------------------------------------------------------------------------


class ToolSpec(Frozen):
    """A tool as it is offered to a model: name, one paragraph, JSON schema of its input object."""

    name: str
    description: str
    parameters: dict[str, Any]


class StopKind(StrEnum):
    """Why a model stopped."""

    TOOLS = "tools"
    END = "end"
    MAX_TOKENS = "max_tokens"
    REFUSAL = "refusal"


class ModelRequest(Frozen):
    """One call, whole: the prefix (system, tools, earlier messages) is byte-stable from step to step."""

    model: str
    """The vendor's name of the model."""
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int
    effort: str | None = None
    role: Literal["plan", "code", "review", "verify"] = "code"
    timeout_seconds: float = 600.0
    """Longest wait for the next byte."""


class ModelAnswer(Frozen):
    """A complete answer: the terminal event was seen. ``usage`` is None where the vendor reported none."""

    message: Message
    stop: StopKind
    usage: Usage | None
    served_model: str
    """The model that the vendor says it used; empty where it does not say."""
    request_id: str = ""


class Model(Protocol):
    """A provider's models. Raises ``core.errors.ModelFault`` and nothing else; never retries by itself."""

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """Send one request and wait for its whole answer, calling ``on_progress`` at every received event."""
        ...

    async def count_input(self, request: ModelRequest) -> int | None:
        """The exact number of input tokens where the vendor counts for free, else None."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


# --- Sandbox ----------------------------------------------------------------------------------------


class Mount(Frozen):
    """A host path inside the sandbox, under another name or the same."""

    host: str
    guest: str
    writable: bool = False


class Limits(Frozen):
    """What the processes of one sandbox may use."""

    memory_bytes: int = 4 << 30
    processes: int = 512
    file_bytes: int = 1 << 30
    open_files: int = 4096
    tmp_bytes: int = 1 << 30
    disk_bytes: int = 8 << 30
    """Growth of the writable mounts."""


class SandboxPlan(Frozen):
    """A sandbox to open: ``workspace`` appears at ``/workspace``, which is also the working directory."""

    workspace: str
    mounts: tuple[Mount, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    path_prefix: tuple[str, ...] = ()
    """Guest directories put before the default PATH."""
    network: Literal["none", "host"] = "none"
    limits: Limits = Limits()


class Command(Frozen):
    """A shell command line to run inside, with its bounds."""

    run: str
    timeout_seconds: float
    output_bytes: int = 64 << 10
    """How much output is kept, half from its head and half from its tail."""


class CommandEnd(StrEnum):
    """How a command ended."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    KILLED = "killed"


class CommandResult(Frozen):
    """Combined output (head and tail, the cut said in between) and how the command ended."""

    end: CommandEnd
    exit_code: int
    """Of the shell; 128 + signal when a signal ended it; 124 on time-out."""
    output: str
    output_bytes: int
    """How much it wrote in all."""
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether it exited with 0."""
        return self.end is CommandEnd.EXITED and self.exit_code == 0


class SandboxSession(Protocol):
    """An open sandbox. Commands run one after another; each leaves no process behind."""

    async def run(self, command: Command) -> CommandResult:
        """Run one command; on cancellation its processes are dead before the cancellation goes on."""
        ...

    async def close(self) -> None:
        """Kill what lives inside and release everything. Twice does nothing more."""
        ...


class Sandbox(Protocol):
    """A way to run hostile commands."""

    name: str

    async def open(self, plan: SandboxPlan) -> SandboxSession:
        """Open a sandbox. Raises ``core.errors.SandboxUnavailable`` with the remedy."""
        ...

    async def run_once(self, plan: SandboxPlan, command: Command) -> CommandResult:
        """Run one command in a sandbox of its own, which is gone when this returns: for checks.

        Raises ``core.errors.SandboxUnavailable`` with the remedy.
        """
        ...

    async def self_test(self) -> tuple[str, ...]:
        """Attack the sandbox from inside; the names of the walls that are missing, none when all stand."""
        ...


# --- Hub --------------------------------------------------------------------------------------------


class Base(Frozen):
    """Where a job starts: a commit of the user's repository, kept in the hub."""

    commit: str
    tree: str
    ref_name: str
    """The branch, tag or commit as it was asked for."""


class Snapshot(Frozen):
    """A tree in the hub and the commit that carries it."""

    tree: str
    commit: str
    changed: bool
    """Whether the tree differs from the one before it."""


class Trailers(Frozen):
    """What a step's commit says of where it came from."""

    job: str
    loop: str
    attempt: int
    step: int
    model: str
    cost_usd: str


class Hub(Protocol):
    """The bare repository that holds every tree. All paths are host paths; all hashes are full."""

    def resolve(self, repository: str, base: str) -> Base:
        """Find ``base`` in the repository, without changing anything anywhere.

        Raises ``core.errors.RepositoryRefused`` saying what is wrong (missing, bare, empty, no such base).
        """
        ...

    def may_deliver(self, repository: str) -> str:
        """Why no branch could be put into the repository, with the remedy; empty where nothing is known against it."""
        ...

    def import_base(self, repository: str, commit: str, job: str) -> Base:
        """Copy the commit and what it needs into the hub, pinned under ``refs/thirdshift/<job>/base``."""
        ...

    def restore(self, workspace: str, tree: str, loop: str, exclude: tuple[str, ...] = ()) -> None:
        """Make the directory hold exactly ``tree`` plus a throw-away inner ``.git`` of one root commit.

        ``exclude`` names paths below the workspace, such as mount points, that are left as they are.
        """
        ...

    def snapshot(
        self,
        workspace: str,
        loop: str,
        parent_commit: str,
        trailers: Trailers,
        exclude: tuple[str, ...] = (),
    ) -> Snapshot:
        """Record the directory's content; a commit under ``refs/thirdshift/<loop>`` only if it changed.

        Files that the tree's own ``.gitignore`` files ignore, and paths named by ``exclude``, stay out.
        Raises ``core.errors.TreeRefused`` naming each path that may not be in a tree.
        """
        ...

    def export(self, tree: str, directory: str) -> None:
        """Write the tree's files into an empty directory, with no ``.git``."""
        ...

    def changed_paths(self, old_tree: str, new_tree: str) -> tuple[str, ...]:
        """Paths that differ between two trees; a rename is two paths."""
        ...

    def read_file(self, tree: str, path: str, max_bytes: int) -> bytes | None:
        """A file's content at a tree, None where there is none or it is larger than ``max_bytes``."""
        ...

    def diff(self, old_tree: str, new_tree: str, max_lines: int) -> str:
        """A textual diff, cut after ``max_lines`` with the cut said."""
        ...

    def list_paths(self, tree: str) -> tuple[str, ...]:
        """All file paths of a tree."""
        ...

    def paths_holding(self, tree: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Paths of a tree whose content is one of these, byte for byte."""
        ...

    def deliver(self, tree: str, parent_commit: str, message: str, repository: str, branch: str) -> str:
        """Commit ``tree`` on ``parent_commit`` and set ``refs/heads/<branch>`` of the repository to it.

        Touches nothing else of the repository: not its checkout, index, stashes or other branches. The same
        arguments give the same commit, so that a repeated delivery is no second one. Returns the commit.
        """
        ...
