from __future__ import annotations

from tests.reports.views import summary
from thirdshift.reports.listing import render_jobs


def test_a_list_stays_within_eighty_columns_and_keeps_the_ends_of_ids() -> None:
    ids = [f"job-a-very-long-repository-name-a-very-long-spec-name-{number:08}" for number in range(3)]
    text = render_jobs([summary(job_id, title="wide \u6f22\u5b57 " * 9) for job_id in ids])
    assert all(len(row) <= 80 for row in text.splitlines())
    assert "-00000002" in text
