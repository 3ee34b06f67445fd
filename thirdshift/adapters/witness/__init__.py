"""How a check's sandbox is told to report which tests ran, and how the reports are read afterwards.

pytest is told by its own option to write JUnit XML. ``unittest`` writes nothing, so a module that Python imports at
its start notes tests as they run. Both go to a directory of their own, never into the checkout. A command that sets
``PYTHONPATH`` or ``PYTEST_ADDOPTS`` itself goes without, at base as well as later.
"""

from __future__ import annotations

from pathlib import Path

from thirdshift.core.ports import Mount, SandboxPlan

REPORT_IN_GUEST = "/opt/thirdshift/report"
WITNESS_IN_GUEST = "/opt/thirdshift/witness"
PYTEST_REPORT = "pytest.xml"
UNITTEST_REPORTS = "unittest-*.jsonl"

_PATH = Path(__file__).with_name("path")
# pytest expands the variable itself, so that the path is right under every sandbox backend.
_PYTEST_OPTIONS = f"--junitxml=$THIRDSHIFT_REPORT/{PYTEST_REPORT} -o junit_family=xunit1"


def witnessed(plan: SandboxPlan, report: str) -> SandboxPlan:
    """The plan with reports of tests written into the host's directory ``report``."""
    mounts = (
        Mount(host=report, guest=REPORT_IN_GUEST, writable=True),
        Mount(host=str(_PATH), guest=WITNESS_IN_GUEST),
    )
    env = {
        "THIRDSHIFT_REPORT": REPORT_IN_GUEST,
        "PYTEST_ADDOPTS": _PYTEST_OPTIONS,
        "PYTHONPATH": WITNESS_IN_GUEST,
    }
    return plan.model_copy(update={"mounts": (*plan.mounts, *mounts), "env": {**env, **plan.env}})
