r"""The file that the scripted model plays: YAML or JSON, checked strictly. ``docs/scripted-model.md`` explains it.

    version: 1
    plays:                          # looked at from the top; the first that fits the request is played
      - when:                       # every condition given must hold; none given fits every request
          model: cheap-*            # name of the model, shell wildcards allowed; or a list of them
          role: code                # plan, code, review or verify
          attempt: 2                # a number, a list, or {from: 2, to: 4}; either end may be left out
          step: {to: 119}           # likewise; 1 is the first answer of a conversation
          contains: "AC-1"          # a text, or a list of which all must be there, anywhere in the request
          lacks: "Traceback"        # likewise, none of which may be there
          last_contains: "FAILED"   # a text, or a list, in the last user turn, tool results included
          matches: 'cents?_\d+'    # a regular expression to be found anywhere in the request
        repeat: false               # start again from the first step when the steps are used up
        fill: false                 # replace {{step}}, {{attempt}} and {{model}} in texts and tool input
        steps:                      # one answer each, by the number of answers in the conversation so far
          - say: "I will look."
            reasoning: "Where is the rounding?"
            tools:
              - bash: {command: "pytest -q"}
              - call: {name: bash, raw: '{"command": "ls'}   # input as a broken model would write it
            stop: tools             # else: tools if there are any, end if not
            usage: {input_tokens: 900, cache_read_tokens: 800, output_tokens: 40}   # or none
            served_model: cheap-2025-01-01
            delay_seconds: 0.5
          - fault: {kind: rate_limited, retry_after_seconds: 2, times: 1}
            tools: [{finish: {summary: "Done."}}]

What is played depends on the request alone, never on what this process did before: the same request gets the same
answer after a crash. The one exception is ``fault.times``, which counts in a directory that outlives the process.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from thirdshift.core.errors import FaultKind, SettingsInvalid
from thirdshift.core.frozen import Frozen
from thirdshift.core.ports import StopKind
from thirdshift.core.usage import Usage

_LARGEST_BYTES = 8 << 20
Positive = Annotated[int, Field(ge=1)]
Items = TypeVar("Items", bound=tuple[object, ...])


def _not_empty(items: Items) -> Items:
    # Not `min_length`: that would complain of an empty list wherever an item is wrong.
    if not items:
        raise ValueError("at least one is needed")
    return items


class Span(Frozen):
    """A range of numbers, both ends in it; an end left out is open."""

    from_: Annotated[Positive | None, Field(alias="from")] = None
    to: Positive | None = None


class When(Frozen):
    """Conditions on a request. Lists of texts are as given, a single one being a list of one."""

    model: tuple[str, ...] = ()
    role: Literal["plan", "code", "review", "verify"] | None = None
    attempt: Positive | tuple[Positive, ...] | Span | None = None
    step: Positive | tuple[Positive, ...] | Span | None = None
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    last_contains: tuple[str, ...] = ()
    matches: str | None = None

    @field_validator("model", "contains", "lacks", "last_contains", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("matches")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value


class Call(Frozen):
    """A tool call: an input object, or the raw text of one that is broken."""

    name: str
    input: dict[str, Any] | None = None
    raw: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("a tool call is one line such as `bash: {command: ls}`, or `call: {name:, raw:}`")
        ((name, given),) = value.items()
        return given if name == "call" else {"name": name, "input": given or {}}

    @model_validator(mode="after")
    def _one_of_two(self) -> Call:
        if (self.input is None) == (self.raw is None):
            raise ValueError("a tool call has either `input` or `raw`")
        return self


class ScriptedFault(Frozen):
    """A fault to raise instead of answering."""

    kind: FaultKind
    message: str = "the script says so"
    retry_after_seconds: Annotated[float, Field(ge=0)] | None = None
    may_be_billed: bool | None = None
    """Left out: true for faults that leave the outcome open, which are timed_out, cut_stream and bad_body."""
    times: Positive | None = None
    """Only the first so many times that this very request comes; left out: always."""


class Step(Frozen):
    """One answer."""

    say: str = ""
    reasoning: str | None = None
    tools: tuple[Call, ...] = ()
    stop: StopKind | None = None
    usage: Usage | Literal["none"] | None = None
    served_model: str | None = None
    delay_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    fault: ScriptedFault | None = None


class Play(Frozen):
    """Answers for the conversations that fit ``when``."""

    when: When = When()
    steps: Annotated[tuple[Step, ...], AfterValidator(_not_empty)]
    repeat: bool = False
    fill: bool = False


class Script(Frozen):
    """A whole file."""

    version: Literal[1]
    plays: Annotated[tuple[Play, ...], AfterValidator(_not_empty)]

    @property
    def counts_faults(self) -> bool:
        """Whether any fault comes a limited number of times."""
        return any(step.fault and step.fault.times for play in self.plays for step in play.steps)


def load_script(path: Path) -> Script:
    """Read and check a script. Raises ``SettingsInvalid`` naming the file and every field that is wrong."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SettingsInvalid(f"{path}: a script may have {_LARGEST_BYTES >> 20} MiB at most")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: the script cannot be read: {error}") from None
    return parse_script(text, str(path))


def parse_script(text: str, source: str) -> Script:
    """Check a script's text; ``source`` names it in errors. YAML, of which JSON is a part."""
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader underneath
    except yaml.YAMLError as error:
        raise SettingsInvalid(f"{source}: the script is no YAML: {error}") from None
    try:
        return Script.model_validate(content)
    except ValidationError as error:
        lines = [_finding(source, found["loc"], found["msg"], found["type"]) for found in error.errors()]
        raise SettingsInvalid("\n".join(lines)) from None


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc] # chosen by what libyaml offers
    """Safe loading, by the faster parser where it is there."""


_FIELDS = sorted({name for model in (Script, Play, When, Step, ScriptedFault, Call) for name in model.model_fields})


def _finding(source: str, where: Iterable[int | str], message: str, kind: str) -> str:
    place = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in where]
    field = "".join(place).removeprefix(".") or "the whole file"
    if kind == "extra_forbidden":
        name = field.rpartition(".")[2]
        near = difflib.get_close_matches(name, _FIELDS, n=1)
        return f"{source}: {field}: unknown field" + (f"; did you mean `{near[0]}`?" if near else "")
    return f"{source}: {field}: {message.removeprefix('Value error, ')}"
