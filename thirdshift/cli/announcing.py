"""What is said of a submission, wherever one is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thirdshift.core.ui_links import workflow_link

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.bootstrap.submission import Submitted


def announce(path: Path, submitted: Submitted, engine: Engine) -> str:
    """Two lines for a person: the job, whether it is new, and where the Web UI shows it."""
    link = workflow_link(engine.ui_url, engine.client.namespace, submitted.job_id, submitted.run_id)
    if submitted.created:
        said = f"submitted {path}: {submitted.title}"
    else:
        standing = "it is still going on" if submitted.running else "it has ended"
        said = f"{path} at this base was submitted before, and is one job; {standing}"
    return f"{said}\n  job  {submitted.job_id}\n  UI   {link}"


def announced(path: Path, submitted: Submitted, engine: Engine) -> dict[str, Any]:
    """The same for a program."""
    return {
        "spec": str(path),
        "job_id": submitted.job_id,
        "run_id": submitted.run_id,
        "created": submitted.created,
        "running": submitted.running,
        "ui_url": workflow_link(engine.ui_url, engine.client.namespace, submitted.job_id, submitted.run_id),
    }
