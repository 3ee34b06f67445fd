"""What is wrong with a configuration, said so that a person can put it right."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]


def complaints(error: ValidationError, shape: type[BaseModel], file: str, sources: Mapping[Place, str]) -> list[str]:
    """One line for each finding: where it stands, which key, what is wrong, what was probably meant.

    ``sources`` names the environment variable that set the value at a place; everything else is from ``file``.
    """
    lines = []
    for finding in error.errors(include_url=False, include_context=False):
        place: Place = finding["loc"]
        source = _variable(place, finding["type"] == "missing", sources)
        where = f"environment variable {source}" if source else file
        if finding["type"] == "extra_forbidden":
            section, key = _shown(place[:-1]), str(place[-1])
            inside = f" in [{section}]" if section else ""
            lines.append(f"{where}: unknown key `{key}`{inside}{_suggestion(key, _known_keys(shape, place[:-1]))}")
            continue
        message = finding["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {_shown(place) or 'top level'}: {message[:1].lower()}{message[1:]}")
    return lines


def _variable(place: Place, missing: bool, sources: Mapping[Place, str]) -> str:
    """The variable to blame: the one that set the value, or a section of which something is missing."""
    for at, name in sources.items():
        if place[: len(at)] == at or (missing and place[:-1] == at[:-1]):
            return name
    return ""


def _shown(place: Place) -> str:
    return ".".join(str(part) for part in place)


def _suggestion(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known here: {', '.join(known)}" if known else ""


def _known_keys(shape: type[BaseModel], place: Place) -> list[str]:
    """The keys that a model knows at a place inside it."""
    model: type[BaseModel] | None = shape
    annotation: object = shape
    for part in place:
        if model is not None:
            field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
            if field is None:
                return []
            annotation = field.annotation
        else:
            arguments = typing.get_args(annotation)
            annotation = arguments[-1] if isinstance(part, str) else arguments[0]
        annotation = _without_none(annotation)
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    if model is None:
        return []
    return sorted(
        (f.alias or n) for n, f in model.model_fields.items() if not (n == "tier" and "model" in model.model_fields)
    )


def _without_none(annotation: object) -> object:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(a for a in typing.get_args(annotation) if a is not type(None))
    return annotation
