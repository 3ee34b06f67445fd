from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.core.spec_files import spec_file
from thirdshift.core.spec import Spec
from thirdshift.core.spec_fields import FRONT_MATTER, front_matter_schema
from thirdshift.core.spec_text import parse_spec

SPECS = Path(__file__).parents[2] / "specs"
EXAMPLES = sorted(SPECS.glob("*.md"))


def front_matter(source: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(source.split("---\n")[1])
    return values


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_a_valid_spec_and_fits_the_schema(path: Path) -> None:
    spec = parse_spec(path.read_bytes(), path.name)
    assert spec.criteria
    jsonschema.validate(front_matter(path.read_text()), front_matter_schema())


def test_the_schema_file_is_what_the_table_of_fields_says() -> None:
    assert json.loads((SPECS / "front-matter.schema.json").read_text()) == front_matter_schema()


def test_the_schema_is_a_schema_and_knows_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(front_matter_schema())
    assert set(front_matter_schema()["properties"]) == set(FRONT_MATTER.slots)
    not_from_front_matter = {"goal", "criteria", "body", "write"}
    assert set(Spec.model_fields) - not_from_front_matter == set(FRONT_MATTER.slots) - {"scope", "holdout"}


@pytest.mark.parametrize(
    "field",
    [
        "buget: {}",
        "risk: extreme",
        "gates: merge",
        "budget: {max_wall: 45}",
        "budget: {max_attempts: 0}",
        "priority: -101",
        "budget: {max_budget_usd: $5}",
        "scope: {}",
        "packets: [{id: a}]",
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(field: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(front_matter(spec_file(field)), front_matter_schema())
