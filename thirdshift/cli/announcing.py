"""What is said of a submission, wherever one is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thirdshift.core.gate_summary import gates_in_words
from thirdshift.core.ui_links import workflow_link

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.bootstrap.submission import Submitted


def announce(path: Path, submitted: Submitted, engine: Engine) -> str:
    """Some lines for a person: the job, whether it is new, where the Web UI shows it, and its gates."""
    link = workflow_link(engine.ui_url, engine.client.namespace, submitted.job_id, submitted.run_id)
    if submitted.created:
        said = f"submitted {path}: {submitted.title}"
    else:
        standing = "it is still going on" if submitted.running else "it has ended"
        said = f"{path} at this base was submitted before, and is one job; {standing}"
    return f"{said}\n  job  {submitted.job_id}\n  UI   {link}\n{gates_told(submitted)}"


def gates_told(submitted: Submitted) -> str:
    """Which gates the job has, and who answers them."""
    if submitted.terms is None:
        return "  gates  as at its first run"
    return "  gates  " + gates_in_words(submitted.gates, submitted.terms).replace("\n", "\n         ")


def announced(path: Path, submitted: Submitted, engine: Engine) -> dict[str, Any]:
    """The same for a program."""
    return {
        "spec": str(path),
        "job_id": submitted.job_id,
        "run_id": submitted.run_id,
        "created": submitted.created,
        "running": submitted.running,
        "gates": [kind.value for kind in submitted.gates],
        "reviewers": list(submitted.terms.reviewers) if submitted.terms else [],
        "ui_url": workflow_link(engine.ui_url, engine.client.namespace, submitted.job_id, submitted.run_id),
    }
