"""Reading a spec file: Markdown with YAML front matter, checked whole, into ``core.spec.Spec``."""

from __future__ import annotations

from typing import Any

from thirdshift.core.errors import SpecInvalid
from thirdshift.core.findings import Findings
from thirdshift.core.front_matter import compose, decode_file, split_file
from thirdshift.core.spec import Budget, Check, Packet, Spec
from thirdshift.core.spec_body import Body, read_body
from thirdshift.core.spec_fields import FRONT_MATTER
from thirdshift.core.spec_kinds import Reading
from thirdshift.core.spec_rules import check_rules

_AS_THEY_ARE = (
    "title",
    "repo",
    "base",
    "task",
    "risk",
    "priority",
    "setup",
    "holdout_dir",
    "gates",
    "deliver",
    "plan",
    "loop",
)
_BUDGET_FIELDS = {
    "max_budget_usd": "max_budget_nano",
    "max_attempts": "max_attempts",
    "max_steps": "max_steps",
    "max_wall": "max_wall_seconds",
}


def parse_spec(source: bytes | str, path: str) -> Spec:
    """The spec in a file's content; ``path`` only names it in messages.

    Raises SpecInvalid whose text has one line for each finding, all of them at once, in the form
    ``path:line: what is wrong; what to do``.
    """
    findings = Findings()
    spec = _read(source, findings)
    if spec is None or findings:
        raise SpecInvalid(findings.report(path))
    return spec


def _read(source: bytes | str, findings: Findings) -> Spec | None:
    text = decode_file(source, findings)
    split = split_file(text, findings) if text is not None else None
    if split is None:
        return None
    body = read_body(split.body, split.body_line, findings)
    node = compose(split.front_matter, findings)
    if node is None:
        return None
    reading = Reading(findings)
    values: dict[str, Any] = FRONT_MATTER.read(node, (), reading)
    check_rules(values, body, reading)
    return None if findings else _spec(values, body, split.body)


def _spec(values: dict[str, Any], body: Body, body_text: str) -> Spec:
    """Build the spec from values without findings; what is absent gets the type's own default."""
    given: dict[str, Any] = {name: values[name] for name in _AS_THEY_ARE if name in values}
    if "scope" in values:
        given["write"] = tuple(values["scope"]["write"])
    if "budget" in values:
        given["budget"] = Budget(**{_BUDGET_FIELDS[name]: value for name, value in values["budget"].items()})
    if "packets" in values:
        given["packets"] = tuple(Packet.model_validate(packet) for packet in values["packets"])
    checks = [_check(check, holdout=False) for check in values.get("checks", ())]
    held_out = [_check(check, holdout=True) for check in values.get("holdout", ())]
    criteria = tuple(located.criterion for located in body.criteria)
    return Spec.model_validate(
        given | {"checks": (*checks, *held_out), "goal": body.goal, "criteria": criteria, "body": body_text}
    )


def _check(values: dict[str, Any], *, holdout: bool) -> Check:
    given = dict(values)
    if "timeout" in given:
        given["timeout_seconds"] = given.pop("timeout")
    return Check.model_validate(given | {"holdout": holdout})
