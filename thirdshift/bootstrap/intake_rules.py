"""The templates that rules name: read, linted, and tried out before the first event comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from thirdshift.adapters.hub import LocalHub
from thirdshift.adapters.spec_file import read_source, repository_of
from thirdshift.core.errors import RepositoryRefused, SpecInvalid
from thirdshift.core.event_book import Event
from thirdshift.core.event_spec import Placing, Template, read_template, spec_for_event
from thirdshift.core.triage import Rule
from thirdshift.settings import Settings

_TRIAL = Event(
    source="generic",
    delivery="trial",
    kind="trial",
    repository="trial",
    fingerprint="trial",
    title="# Acceptance",
    text="---\n- AC-1: A trial shall change nothing.\n```\n",
    received_at=datetime(2000, 1, 1, tzinfo=UTC),
)


def check_templates(settings: Settings) -> None:
    """Raises SpecInvalid with every finding in every template that a rule names."""
    findings = template_findings(settings.intake.terms.rules)
    if findings:
        raise SpecInvalid("\n".join(line for lines in findings.values() for line in lines))


def template_findings(rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """Name of a rule to what is wrong with its template, one line for each finding."""
    found = {}
    for rule in rules:
        try:
            if rule.template:
                template_of(rule)
        except SpecInvalid as refused:
            found[rule.name] = tuple(f"rule {rule.name}: {line}" for line in str(refused).splitlines())
    return found


def template_of(rule: Rule) -> Template:
    """The rule's template, tried out. Raises SpecInvalid."""
    path = Path(rule.template)
    if not path.exists():
        raise SpecInvalid(f"{path}: no such template; write it, or name another one with `spec`")
    template = read_template(read_source(path), str(path))
    spec_for_event(template, _TRIAL, Placing(number=1, repo="/trial", holdout_dir="/trial"))
    return template


def repository_for(rule: Rule, template: Template, place: Path) -> str:
    """The template's own repository, else the rule's, else the one that the template lies in."""
    if "repo" not in template.spec.model_fields_set and rule.repo:
        return rule.repo
    return repository_of(template.spec, place)


def repository_refusal(rule: Rule) -> str:
    """Why the rule's repository or its base cannot be worked on; empty if it can. The template has to be sound."""
    template, place = template_of(rule), Path(rule.template)
    with TemporaryDirectory(prefix="thirdshift-check-") as nowhere:
        try:
            LocalHub(f"{nowhere}/hub.git").resolve(repository_for(rule, template, place), template.spec.base)
        except RepositoryRefused as refused:
            return str(refused)
    return ""
