from __future__ import annotations

from tests.reports.views import summary
from thirdshift.reports.listing import render_jobs


def test_a_list_of_short_ids_is_one_table_within_eighty_columns() -> None:
    text = render_jobs([summary(f"job-billing-round-{number}", title="wide \u6f22\u5b57 " * 9) for number in range(3)])
    assert all(len(row) <= 80 for row in text.splitlines())
    assert len(text.splitlines()) == 4


def test_a_long_id_is_never_cut_and_has_a_line_of_its_own() -> None:
    ids = [f"job-{'a-very-long-repository-name-' * 2}a-very-long-spec-name-{number:08}" for number in range(3)]
    lines = render_jobs([summary(job_id, title="wide \u6f22\u5b57 " * 9) for job_id in ids]).splitlines()
    assert lines[2::2] == ids
    assert all(len(line) <= 80 for line in lines if line not in ids)
    assert all("accepted" in line for line in lines[3::2])
