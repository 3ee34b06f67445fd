"""``[gates]``, ``[[reviewers]]`` and ``[notify]``: who is asked at gates, for how long, and how they hear of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from thirdshift.core.frozen import Frozen
from thirdshift.core.gates import LONGEST_NAME, GateTerms, OnExpiry, same_person
from thirdshift.core.spec import Risk

_DURATION: Final = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?")
_UNITS: Final = (86_400, 3_600, 60)


def _seconds(value: object) -> float:
    """Seconds of a text like ``2d``, ``8h`` or ``1d12h``."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    total = sum(int(part or 0) * unit for part, unit in zip(match.groups(), _UNITS, strict=True)) if match else 0
    if not total:
        raise ValueError(f'{value!r} is not a time; write it with its unit, like "2d", "8h" or "90m"')
    return float(total)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise ValueError(f"{value!r} is not a name; write up to {LONGEST_NAME} characters in quotes")
    return " ".join(value.split())


Time = Annotated[float, BeforeValidator(_seconds)]
Names = tuple[Annotated[str, BeforeValidator(_name)], ...]


class GatesSection(Frozen):
    """``[gates]``: the terms of every gate, as far as no ``[[reviewers]]`` says otherwise."""

    reviewers: Names = ()
    """Empty: anybody who gives a name."""
    needed: Annotated[int, Field(ge=1, le=20)] = 1
    separation: bool = False
    deadline_seconds: Time | None = Field(default=None, alias="deadline")
    remind_every_seconds: Time | None = Field(default=None, alias="remind_every")
    escalate_to: Names = ()
    on_expiry: OnExpiry = OnExpiry.PARK

    @model_validator(mode="after")
    def _can_be_met(self) -> GatesSection:
        if self.escalate_to and self.deadline_seconds is None:
            raise ValueError("escalate_to is asked once a deadline has passed; add deadline, or take it out")
        return self


class ReviewersRule(Frozen):
    """One ``[[reviewers]]``: for which jobs it is, and which of the terms it replaces."""

    repository: str = "*"
    """A pattern for the repository's path or URL, or for its last part; ``*`` stands for anything."""
    risk: tuple[Risk, ...] = ()
    """Empty: every risk."""
    names: Names = Field(min_length=1)
    needed: Annotated[int, Field(ge=1, le=20)] | None = None
    separation: bool | None = None
    escalate_to: Names | None = None

    def is_for(self, repository: str, risk: Risk) -> bool:
        """Whether the rule holds for such a job."""
        whole = repository.rstrip("/")
        last = whole.rpartition("/")[2].removesuffix(".git")
        fits = fnmatchcase(whole, self.repository) or fnmatchcase(last, self.repository)
        return fits and (not self.risk or risk in self.risk)


def terms_for(
    section: GatesSection,
    rules: tuple[ReviewersRule, ...],
    repository: str,
    risk: Risk,
    *,
    submitter: str,
    notify: bool,
) -> GateTerms:
    """The terms of a job's gates: ``[gates]``, with what the first rule for such a job replaces.

    Raises ValueError where so many approvals can never come together.
    """
    rule = next((rule for rule in rules if rule.is_for(repository, risk)), None)
    replaced = rule.model_dump(include={"needed", "separation", "escalate_to"}, exclude_none=True) if rule else {}
    terms = GateTerms.model_validate(
        {
            **section.model_dump(),
            **replaced,
            **({"reviewers": rule.names} if rule else {}),
            "submitter": submitter,
            "notify": notify,
        }
    )
    _can_be_met(terms)
    return terms


def _can_be_met(terms: GateTerms) -> None:
    """With named reviewers, an approval that takes more people than there are would be waited for in vain."""
    people: list[str] = []
    for name in (*terms.reviewers, *terms.escalate_to):
        if not any(same_person(name, other) for other in people):
            people.append(name)
    if not terms.reviewers:
        return
    if len(people) < terms.needed:
        raise ValueError(f"{terms.needed} approvals are needed, and there are {len(people)} reviewers; add some")
    if terms.separation and all(same_person(name, terms.submitter) for name in people):
        raise ValueError(f"the only reviewer is {terms.submitter}, who submits the job; add another one")


class Notified(Frozen):
    """Names of reviewers, or ``everybody``, to apprise URLs. Never prints one: they hold keys."""

    addresses: dict[str, tuple[SecretStr, ...]] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """Variables that are named and not set."""
    variables: tuple[str, ...] = ()
    """All variables that are named."""
    held: dict[str, SecretStr] = Field(default_factory=dict)
    """Those that are set, with their values."""
    elsewhere: bool = False
    """Whether another process has the addresses, and tells people."""

    @property
    def anybody(self) -> bool:
        """Whether people are told of gates, by whichever process."""
        return bool(self.addresses) or (self.elsewhere and bool(self.variables))

    def urls(self) -> dict[str, list[str]]:
        """The addresses as apprise takes them."""
        return {name: [url.get_secret_value() for url in urls] for name, urls in self.addresses.items()}


def notified(section: Mapping[str, tuple[str, ...]], keys: Mapping[str, str], *, elsewhere: bool = False) -> Notified:
    """``[notify]`` with the addresses that its variables hold; ``elsewhere`` if another process holds them."""
    named = tuple(sorted({variable for variables in section.values() for variable in variables}))
    if elsewhere:
        return Notified(variables=named, elsewhere=True)
    addresses = {
        name: tuple(SecretStr(keys[variable]) for variable in variables if variable in keys)
        for name, variables in section.items()
    }
    return Notified(
        addresses={name: urls for name, urls in addresses.items() if urls},
        missing=tuple(variable for variable in named if variable not in keys),
        variables=named,
        held={variable: SecretStr(keys[variable]) for variable in named if variable in keys},
    )
