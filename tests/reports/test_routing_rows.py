from __future__ import annotations

import csv
import io

from tests.reports.facts import answers, job, line
from thirdshift.core.questions import Facts
from thirdshift.core.reckoning import Answers
from thirdshift.reports.routing_rows import RUN_COLUMNS, group_columns, group_row, run_row, to_csv


def table(found: Answers) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv((run_row(run) for run in found.runs), RUN_COLUMNS))))


def test_csv_has_one_row_for_each_run_with_every_field_of_the_routing_ledger() -> None:
    rows = {row["run"]: row for row in table(answers())}
    assert len(rows) == 4
    one = rows["job-1"]
    assert (one["task"], one["risk"], one["repository"], one["spec"]) == (
        "bugfix",
        "low",
        "/srv/invoices",
        "specs/round.md",
    )
    assert (one["models"], one["tier_path"]) == ("local/sparrow > acme/heron", "economy > specialist")
    assert one["reason_codes"] == "first > verification_failed"
    assert (one["output"], one["review"], one["landed"]) == ("edited", "approve (merge)", "yes")
    assert (one["input_tokens"], one["tool_calls"], one["wall_seconds"]) == ("180000", "8", "300.0")
    assert (one["metered_usd"], one["unknown_usd"]) == ("3", "0.5")
    assert rows["job-3"]["stopped_by"] == "budget"
    assert rows["job-4"]["imputed_usd"] == "3"


def test_no_column_names_a_person() -> None:
    names = {*RUN_COLUMNS, *group_columns("task")}
    assert not [name for name in names for word in ("submit", "reviewer", "person", "user", "author") if word == name]
    text = to_csv((run_row(run) for run in answers().runs), RUN_COLUMNS)
    assert not any(name in text for name in ("ada", "grace", "linus"))


def test_the_columns_are_the_fields_of_a_row() -> None:
    found = answers()
    assert tuple(run_row(found.runs[0])) == RUN_COLUMNS
    assert tuple(group_row(found.agents[0], ("a", "b", "c")))[3:] == group_columns("task")[1:]


def test_a_cell_is_no_formula_to_a_spreadsheet() -> None:
    evil = Facts(jobs=[job(title='=HYPERLINK("http://x")', repository="@shop", task="+1")], lines=[line(1)])
    (row,) = table(answers(evil))
    assert (row["title"], row["repository"], row["task"]) == ('\'=HYPERLINK("http://x")', "'@shop", "'+1")


def test_a_run_under_way_has_no_end_and_no_wall_time() -> None:
    (row,) = table(answers(Facts(jobs=[job(stop_reason="", closed_at=None)])))
    assert (row["output"], row["ended_at"], row["wall_seconds"], row["stopped_by"]) == ("under_way", "", "", "")
