"""The tools as they act on a workspace: commands in its sandbox, files from the host without following links."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from thirdshift.adapters.workspace.files import FileRefused, read_beneath, write_beneath
from thirdshift.core.file_views import EditRefused, edited, shown_lines
from thirdshift.core.ports import Command, CommandEnd, CommandResult, SandboxSession
from thirdshift.core.tools import RESULT_BYTES, Bash, EditFile, Finish, ReadFile, ToolRequest, WriteFile

READ_BYTES = 4 << 20
"""Files beyond this are for commands such as grep and sed, not for showing or editing whole."""


@dataclass(frozen=True)
class Outcome:
    """What a tool gave. ``touched`` is False where the tree is certainly as it was before."""

    text: str
    is_error: bool = False
    touched: bool = False
    finished: bool = False


async def use(request: ToolRequest, directory: str, session: SandboxSession) -> Outcome:
    """Do what a call asks for. Every mistake of the model's is an outcome; only our own faults raise."""
    if isinstance(request, Bash):
        return await _bash(request, session)
    if isinstance(request, Finish):
        return Outcome(text="The checks decide now.", finished=True)
    try:
        return await asyncio.to_thread(_with_file, request, directory)
    except (FileRefused, EditRefused) as refused:
        return Outcome(text=f"Error: {refused}", is_error=True)


async def _bash(request: Bash, session: SandboxSession) -> Outcome:
    command = Command(run=request.command, timeout_seconds=request.timeout_seconds, output_bytes=RESULT_BYTES)
    result = await session.run(command)
    return Outcome(text=f"{_ending(result)}\n{result.output}", is_error=not result.passed, touched=True)


def _ending(result: CommandResult) -> str:
    """The first line of a result. It holds no duration: the same result must have the same bytes."""
    said = {
        CommandEnd.EXITED: f"exit code {result.exit_code}",
        CommandEnd.TIMED_OUT: "killed: it did not end within its time; give timeout_seconds if it needs longer",
        CommandEnd.OUT_OF_MEMORY: "killed: it used too much memory",
        CommandEnd.OUT_OF_DISK: "killed: it wrote too much to disk",
        CommandEnd.KILLED: "killed",
    }
    return said[result.end]


def _with_file(request: ReadFile | WriteFile | EditFile, directory: str) -> Outcome:
    if isinstance(request, WriteFile):
        write_beneath(directory, request.path, _bytes(request.content))
        return Outcome(text=f"{request.path} is written", touched=True)
    content = read_beneath(directory, request.path, READ_BYTES)
    if len(content) > READ_BYTES:
        raise FileRefused(f"{request.path} is over {READ_BYTES >> 20} MiB; use bash with grep, head or sed")
    if isinstance(request, ReadFile):
        return Outcome(text=shown_lines(content, request.start, request.end, RESULT_BYTES))
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise FileRefused(f"{request.path} is not UTF-8 text; change it with bash") from None
    write_beneath(directory, request.path, _bytes(edited(text, request.old, request.new)))
    return Outcome(text=f"{request.path} is edited", touched=True)


def _bytes(text: str) -> bytes:
    """A model may write half of a surrogate pair; that is no text, and becomes a question mark."""
    return text.encode(errors="replace")
