"""``thirdshift check``: lint specs and show which check judges which criterion."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import RepositoryRefused, SpecInvalid

if TYPE_CHECKING:
    from thirdshift.core.spec import Spec


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", type=click.Path(path_type=Path))
@invocation
def check(call: Invocation, specs: tuple[Path, ...]) -> int:
    """Lint specs and trace each criterion to its checks. Touches nothing.

    The repository and its base are looked up too, as `run` would, and whether the base can be merged to.
    """
    from thirdshift.adapters.spec_file import read_spec

    answers: list[dict[str, Any]] = []
    for path in specs:
        try:
            spec = read_spec(path)
        except SpecInvalid as refused:
            call.remark(str(refused))
            answers.append({"path": str(path), "ok": False, "findings": str(refused).splitlines()})
            continue
        answer = _as_json(path, spec)
        call.say(_as_text(path, spec))
        if refusal := _refused_base(path, spec) or _refused_merge(call, path, spec):
            call.remark(refusal)
            answer |= {"ok": False, "findings": refusal.splitlines()}
        answers.append(answer)
    bad = sum(not answer["ok"] for answer in answers)
    call.emit({"ok": not bad, "specs": answers})
    if bad:
        call.remark(f"{bad} of {len(specs)} spec{'s' if len(specs) > 1 else ''} refused")
    return ExitCode.BAD_INPUT if bad else ExitCode.DONE


def _refused_base(path: Path, spec: Spec) -> str:
    """Why `run` would refuse the repository or its base; empty if it would not."""
    from thirdshift.adapters.hub import LocalHub
    from thirdshift.adapters.spec_file import repository_of

    with TemporaryDirectory(prefix="thirdshift-check-") as nowhere:
        try:
            LocalHub(f"{nowhere}/hub.git").resolve(repository_of(spec, path), spec.base)
        except RepositoryRefused as refused:
            return f"{path}: `run` would refuse this: {refused}"
    return ""


def _refused_merge(call: Invocation, path: Path, spec: Spec) -> str:
    """Why `run` would refuse to merge into the base, as the repository is now; empty if it would not."""
    from thirdshift.adapters.spec_file import repository_of
    from thirdshift.bootstrap.delivery import delivery_terms
    from thirdshift.core.spec import Delivery

    if spec.deliver is not Delivery.MERGE:
        return ""
    try:
        delivery_terms(call.settings(path.resolve().parent), spec, repository_of(spec, path), path, None)
    except SpecInvalid as refused:
        return f"{refused} (`run` would refuse this)"
    return ""


def _judges(spec: Spec, criterion: str, by_review: bool) -> list[str]:
    names = [f"{c.id} (held out)" if c.holdout else c.id for c in spec.checks if criterion in c.covers]
    return names + (["a person, at the merge gate"] if by_review else [])


def _as_text(path: Path, spec: Spec) -> str:
    rows = [("criterion", "judged by", "text")]
    rows += [(c.id, ", ".join(_judges(spec, c.id, c.by_review)), c.text.partition("\n")[0]) for c in spec.criteria]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{path}: {spec.title}"]
    lines += [f"  {first:<{widths[0]}}  {second:<{widths[1]}}  {text}" for first, second, text in rows]
    guards = [c.id for c in spec.checks if not c.covers]
    if guards:
        lines.append(f"  every tree must also pass: {', '.join(guards)}")
    return "\n".join(lines)


def _as_json(path: Path, spec: Spec) -> dict[str, Any]:
    return {
        "path": str(path),
        "ok": True,
        "title": spec.title,
        "criteria": [
            {
                "id": c.id,
                "text": c.text,
                "by_review": c.by_review,
                "checks": [check.id for check in spec.checks if c.id in check.covers],
            }
            for c in spec.criteria
        ],
        "checks": [{"id": c.id, "run": c.run, "covers": list(c.covers), "holdout": c.holdout} for c in spec.checks],
    }
