"""How a check's sandbox is told to report which tests ran, and how the reports are read afterwards.

pytest is told by its own option to write JUnit XML. ``unittest`` writes nothing, so a module that Python imports at
its start notes tests as they run: found on ``PYTHONPATH``, and among the user's own packages where a command sets
``PYTHONPATH`` itself. Reports go to a directory of their own, never into the checkout. A command that leads past all
of this goes without, at base as well as later.
"""

from __future__ import annotations

from pathlib import Path

from thirdshift.core.ports import Mount, SandboxPlan

REPORT_IN_GUEST = "/opt/thirdshift/report"
WITNESS_IN_GUEST = "/opt/thirdshift/witness"
USER_BASE_IN_GUEST = "/opt/thirdshift/user"
PYTEST_REPORTS = "pytest-*.xml"
"""One of each pytest that the command runs. That of a pytest which a test runs is ``inner.xml``, and not read."""
UNITTEST_REPORTS = "unittest-*.jsonl"

_MODULE = Path(__file__).with_name("path") / "sitecustomize.py"
_PYTHONS = range(7, 17)
"""Minor versions of Python 3; the place of a user's packages has the version in its name."""
# pytest expands the variables itself, so that the path is right under every sandbox backend; the witness sets the
# second one anew in each Python that starts.
_PYTEST_OPTIONS = "--junitxml=$THIRDSHIFT_REPORT/$THIRDSHIFT_RUN.xml -o junit_family=xunit1"


def lay_out(directory: str) -> None:
    """Put the witness into an empty directory of the host, in every place where a Python may look for it."""
    source = _MODULE.read_bytes()
    for minor in _PYTHONS:
        packages = Path(directory, "user", "lib", f"python3.{minor}", "site-packages")
        packages.mkdir(parents=True)
        (packages / "usercustomize.py").write_bytes(source)
    Path(directory, "path").mkdir()
    Path(directory, "path", "sitecustomize.py").write_bytes(source)


def witnessed(plan: SandboxPlan, witness: str, report: str) -> SandboxPlan:
    """The plan with reports of tests written into the host's directory ``report``; ``witness`` was laid out."""
    mounts = (
        Mount(host=report, guest=REPORT_IN_GUEST, writable=True),
        Mount(host=f"{witness}/path", guest=WITNESS_IN_GUEST),
        # Writable, because a check may install packages for its user, as it could without us.
        Mount(host=f"{witness}/user", guest=USER_BASE_IN_GUEST, writable=True),
    )
    env = {
        "THIRDSHIFT_REPORT": REPORT_IN_GUEST,
        "THIRDSHIFT_RUN": "pytest-0",
        "PYTEST_ADDOPTS": _PYTEST_OPTIONS,
        "PYTHONPATH": WITNESS_IN_GUEST,
        "PYTHONUSERBASE": USER_BASE_IN_GUEST,
    }
    return plan.model_copy(update={"mounts": (*plan.mounts, *mounts), "env": {**env, **plan.env}})
