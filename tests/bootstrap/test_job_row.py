from __future__ import annotations

from pathlib import Path

from tests.activities.bench import PlayedModel, always, answer, services_at
from tests.core.spec_files import spec_file
from thirdshift.bootstrap.submission import Prepared, job_row
from thirdshift.core.delivery import DeliveryTerms
from thirdshift.core.gates import GateTerms
from thirdshift.core.ledger import SpecDoc
from thirdshift.core.ports import Base
from thirdshift.core.spec_text import parse_spec
from thirdshift.settings import load_settings


def test_a_job_is_kept_with_the_team_of_its_submitter_and_the_priority_of_its_spec(tmp_path: Path) -> None:
    settings = load_settings(cwd=tmp_path, environ={"THIRDSHIFT_TEAM": "payments", "USER": "ada"})
    services = services_at(tmp_path, PlayedModel(always(answer(text="done"))))
    prepared = Prepared(
        spec=parse_spec(spec_file("priority: 7"), "spec.md"),
        path=tmp_path / "spec.md",
        doc=SpecDoc(id="spec", text=""),
        repository="/repo",
        base=Base(commit="c" * 40, tree="t" * 40, ref_name=""),
        job_id="job-1",
        delivery=DeliveryTerms(),
        terms=GateTerms(),
    )
    services.ledger.open_job(job_row(settings, services, prepared))
    kept = services.ledger.read_job("job-1")
    assert (kept.team, kept.priority, kept.night, kept.submitter) == ("payments", 7, "", "ada")
