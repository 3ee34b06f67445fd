"""A job as the ledger keeps it from the moment that it is opened."""

from __future__ import annotations

from datetime import datetime

from thirdshift.core.frozen import Frozen


class JobRow(Frozen):
    """A job as it is opened."""

    job_id: str
    spec_id: str
    spec_path: str
    title: str
    task: str
    risk: str
    repository: str
    """The path or URL as resolved at submission; also the key of its budgets."""
    base_commit: str
    base_tree: str
    budget_nano: int | None
    submitter: str
    submitted_at: datetime
    sandbox: str = "bubblewrap"
    team: str = "default"
    """Whose days and months its calls count against."""
    night: str = ""
    """``Night.id`` of the night that pays for its calls; empty outside shifts."""
    night_limit_nano: int | None = None
    """The whole night's budget."""
    priority: int = 0
    """Of its calls, in the line for money that others hold."""
    window_closes_at: datetime | None = None
    """The end of that night's window; from then on its calls do not count against the night."""
