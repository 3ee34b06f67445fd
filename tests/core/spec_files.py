"""Spec files for tests: a small valid one, and ways to spoil it."""

from __future__ import annotations

import pytest

from thirdshift.core.errors import SpecInvalid
from thirdshift.core.spec_text import parse_spec

CHECKS = "checks:\n  - {id: unit, run: pytest -q, covers: [AC-1]}"
BODY = "# Goal\nRound.\n\n# Acceptance\n- AC-1: It shall round."


def spec_file(*fields: str, checks: str = CHECKS, body: str = BODY, title: str = "title: Round totals") -> str:
    """A spec's text: line 2 is the title, then the checks, then the fields."""
    front = "\n".join(part for part in (title, checks, *fields) if part)
    return f"---\n{front}\n---\n{body}\n"


def findings_of(source: str | bytes) -> list[str]:
    """What is wrong with it, as ``line: message``."""
    with pytest.raises(SpecInvalid) as refused:
        parse_spec(source, "spec.md")
    lines = str(refused.value).split("\n")
    assert all(line.startswith("spec.md:") for line in lines)
    return [line.removeprefix("spec.md:") for line in lines]
