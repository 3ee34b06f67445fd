from __future__ import annotations

from tests.core.spec_files import spec_file
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.spec_trace import criteria_of_failed, trace_table

SPEC = parse_spec(
    spec_file(
        "holdout: [{id: cents, run: x, covers: [AC-2]}]",
        "packets: [{id: a, covers: [AC-1]}, {id: b, covers: [AC-1, AC-2, AC-3]}]",
        checks="checks: [{id: lint, run: x}, {id: unit, run: x, covers: [AC-2, AC-1]}]",
        body="# Goal\nX\n# Acceptance\n- AC-1: one\n- AC-2: two\n- AC-3 (by: review): three",
    ),
    "spec.md",
)


def test_each_criterion_is_traced_to_its_checks_and_packets() -> None:
    rows = [(row.criterion.id, row.checks, row.holdout, row.packets) for row in trace_table(SPEC)]
    assert rows == [
        ("AC-1", ("unit",), (), ("a", "b")),
        ("AC-2", ("unit",), ("cents",), ("b",)),
        ("AC-3", (), (), ("b",)),
    ]


def test_failed_checks_lead_to_their_criteria_in_the_order_written() -> None:
    assert [c.id for c in criteria_of_failed(SPEC, ["unit"])] == ["AC-1", "AC-2"]
    assert [c.id for c in criteria_of_failed(SPEC, ["cents"])] == ["AC-2"]
    assert criteria_of_failed(SPEC, ["lint"]) == ()
