"""The five tools, as they are offered to a model, and its calls of them as typed requests.

The offers are written out by hand: they are part of every request's cached prefix, which a library that generates
them could change with its next version.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from thirdshift.core.conversation import ToolCall
from thirdshift.core.findings import closest
from thirdshift.core.frozen import Frozen
from thirdshift.core.ladder import Rung
from thirdshift.core.ports import ToolSpec
from thirdshift.core.text import one_line
from thirdshift.core.tree_path import TreePathRefused, tree_path

RESULT_BYTES = 16 << 10
"""At most this much of a result is shown to the model, half of it from its head and half from its tail."""
DEFAULT_TIMEOUT_SECONDS = 120.0
LONGEST_TIMEOUT_SECONDS = 900.0
_LONGEST_COMMAND = 100_000
_LONGEST_CONTENT = 2_000_000

Line = Annotated[int, Field(ge=1, le=100_000_000)]


class Bash(Frozen):
    """Run a shell command in the sandbox."""

    kind: Literal["bash"] = "bash"
    command: Annotated[str, Field(min_length=1, max_length=_LONGEST_COMMAND)]
    timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = DEFAULT_TIMEOUT_SECONDS


class ReadFile(Frozen):
    """Show a file, or its lines ``start`` to ``end``, both counted from 1 and both included."""

    kind: Literal["read_file"] = "read_file"
    path: str
    start: Line | None = None
    end: Line | None = None


class WriteFile(Frozen):
    """Replace or create a file."""

    kind: Literal["write_file"] = "write_file"
    path: str
    content: Annotated[str, Field(max_length=_LONGEST_CONTENT)]


class EditFile(Frozen):
    """Replace the one place where ``old`` stands."""

    kind: Literal["edit_file"] = "edit_file"
    path: str
    old: Annotated[str, Field(min_length=1, max_length=_LONGEST_CONTENT)]
    new: Annotated[str, Field(max_length=_LONGEST_CONTENT)]


class Finish(Frozen):
    """The model says that it is done; the checks say whether it is."""

    kind: Literal["finish"] = "finish"
    summary: str = ""


ToolRequest = Bash | ReadFile | WriteFile | EditFile | Finish


class CallRefused(Frozen):
    """A call that cannot be run; the text is for the model."""

    text: str


_REQUESTS: dict[str, type[ToolRequest]] = {
    "bash": Bash,
    "read_file": ReadFile,
    "write_file": WriteFile,
    "edit_file": EditFile,
    "finish": Finish,
}


def _spec(name: str, description: str, properties: dict[str, Any], required: list[str]) -> ToolSpec:
    shape = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return ToolSpec(name=name, description=description, parameters=shape)


def _words(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_PATH = _words("Path of the file, relative to the workspace, like src/app.py.")


def _offers() -> tuple[ToolSpec, ...]:
    bash = (
        "Run a shell command in the workspace and get its exit code and output, standard error included. Each command "
        "starts in the workspace with a fresh shell and leaves no process behind. There is no network. Long output is "
        "cut in its middle."
    )
    seconds = (
        f"Seconds until it is killed; {DEFAULT_TIMEOUT_SECONDS:.0f} if absent, at most {LONGEST_TIMEOUT_SECONDS:.0f}."
    )
    read = "Show a text file, or some of its lines. Lines count from 1, and both ends are included."
    write = (
        "Write a file whole: it is created with its directories, or everything in it is replaced. Give the complete "
        "content, never a part with the rest left out."
    )
    edit = (
        "Replace a piece of a file. The old text must stand in the file exactly once, with the same blanks and line "
        "breaks: include enough lines around the change to make it unique."
    )
    finish = "Say that the work is done. Nothing runs after it in this answer; the checks are then run on the tree."
    number = {"type": "integer", "minimum": 1}
    return (
        _spec(
            "bash",
            bash,
            {"command": _words("The command."), "timeout_seconds": {"type": "number", "description": seconds}},
            ["command"],
        ),
        _spec("read_file", read, {"path": _PATH, "start": number, "end": number}, ["path"]),
        _spec(
            "write_file",
            write,
            {"path": _PATH, "content": _words("The whole content of the file.")},
            ["path", "content"],
        ),
        _spec(
            "edit_file",
            edit,
            {
                "path": _PATH,
                "old": _words("The text to replace, exactly as it is."),
                "new": _words("What to put there."),
            },
            ["path", "old", "new"],
        ),
        _spec("finish", finish, {"summary": _words("What was done, in a few sentences.")}, ["summary"]),
    )


def tools_for(rung: Rung) -> tuple[ToolSpec, ...]:
    """What a rung is offered: nothing under the text protocol; ``edit_file`` only where the rung edits."""
    if rung.tools == "text":
        return ()
    return tuple(tool for tool in _offers() if rung.offers_edit or tool.name != "edit_file")


def read_call(call: ToolCall, rung: Rung) -> ToolRequest | CallRefused:
    """A call as a request that can be run, its path in its one spelling, or what to tell the model."""
    offered = [tool.name for tool in tools_for(rung)]
    if call.name not in offered:
        meant = closest(call.name, offered)
        hint = f"did you mean `{meant}`?" if meant else f"the tools are {', '.join(offered) or 'none'}"
        return CallRefused(text=f"Error: there is no tool `{one_line(call.name, 60)}`; {hint}")
    shape = _REQUESTS[call.name]
    if call.arguments is None:
        began = f" It began: {one_line(call.raw, 120)}" if call.raw.strip() else ""
        text = (
            f"Error: the input of `{call.name}` was no JSON object.{began} Send the call again with {_example(shape)}."
        )
        return CallRefused(text=text)
    # Models write null for what they leave out.
    given = {name: value for name, value in call.arguments.items() if value is not None}
    try:
        request = shape.model_validate(given)
        return _ready(request)
    except ValidationError as error:
        return CallRefused(text=f"Error: `{call.name}`: {_complaints(error, shape)}")
    except TreePathRefused as refused:
        return CallRefused(text=f"Error: `{call.name}`: {refused}")


def _ready(request: ToolRequest) -> ToolRequest | CallRefused:
    if isinstance(request, Bash):
        if not request.command.strip():
            return CallRefused(text="Error: `bash`: `command` is blank; give a command")
        return request.model_copy(update={"timeout_seconds": min(request.timeout_seconds, LONGEST_TIMEOUT_SECONDS)})
    if isinstance(request, Finish):
        return request
    if isinstance(request, ReadFile) and request.start and request.end and request.start > request.end:
        return CallRefused(text=f"Error: `read_file`: start {request.start} comes after end {request.end}")
    if isinstance(request, EditFile) and request.old == request.new:
        return CallRefused(text="Error: `edit_file`: `old` and `new` are the same, so nothing would change")
    return request.model_copy(update={"path": tree_path(request.path)})


def _fields(shape: type[ToolRequest]) -> list[str]:
    return [name for name in shape.model_fields if name != "kind"]


def _example(shape: type[ToolRequest]) -> str:
    required = [name for name in _fields(shape) if shape.model_fields[name].is_required()]
    return "{" + ", ".join(f'"{name}": ...' for name in required or _fields(shape)) + "}"


def _complaints(error: ValidationError, shape: type[ToolRequest]) -> str:
    found = []
    for finding in error.errors(include_url=False, include_context=False, include_input=False):
        name = one_line(".".join(str(part) for part in finding["loc"]), 60)
        if finding["type"] == "missing":
            found.append(f"`{name}` is missing")
        elif finding["type"] in ("extra_forbidden", "literal_error"):
            meant = closest(name, _fields(shape))
            hint = f"did you mean `{meant}`?" if meant else f"it takes {', '.join(_fields(shape))}"
            found.append(f"`{name}` is not known; {hint}")
        else:
            message = finding["msg"]
            found.append(f"`{name}`: {message[:1].lower()}{message[1:]}")
    return "; ".join(found[:8])
