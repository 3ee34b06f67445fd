"""Links into the Temporal Web UI, for people. Paths as UI 2.54 serves them."""

from __future__ import annotations

from urllib.parse import quote

WAITING_QUERY = 'GateOpen=true AND ExecutionStatus="Running"'
WAITING_TITLE = "Waiting for approval"


def _escaped(text: str) -> str:
    return quote(text, safe="")


def workflow_link(ui_url: str, namespace: str, workflow_id: str, run_id: str = "") -> str:
    """The page of a workflow; without a run, the UI shows its newest one."""
    page = f"{ui_url.rstrip('/')}/namespaces/{_escaped(namespace)}/workflows/{_escaped(workflow_id)}"
    return f"{page}/{_escaped(run_id)}" if run_id else page


def schedule_link(ui_url: str, namespace: str, schedule_id: str) -> str:
    """The page of a Schedule, where it is paused, resumed and triggered."""
    return f"{ui_url.rstrip('/')}/namespaces/{_escaped(namespace)}/schedules/{_escaped(schedule_id)}"


def user_metadata_link(ui_url: str, namespace: str, workflow_id: str, run_id: str) -> str:
    """The page with the current details of a workflow, where a gate is read and answered."""
    return f"{workflow_link(ui_url, namespace, workflow_id, run_id)}/user-metadata"


def waiting_view_link(ui_url: str, namespace: str) -> str:
    """The link that installs the saved view of everything that waits for a person."""
    return (
        f"{ui_url.rstrip('/')}/namespaces/{_escaped(namespace)}/workflows"
        f"?query={_escaped(WAITING_QUERY)}&savedQuery={_escaped(WAITING_TITLE)}"
    )
