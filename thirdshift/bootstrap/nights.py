"""How a spec becomes a job of a night: what the shift may deliver by itself, and the terms that the job begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from temporalio.client import Client

from activities.listing import Ready
from activities.services import Services
from thirdshift.adapters.engine.workflow_state import WorkflowState, workflow_state
from thirdshift.adapters.spec_globs import spec_files
from thirdshift.bootstrap.resuming import Room, next_run
from thirdshift.bootstrap.submission import job_input, job_row, prepare
from thirdshift.core.errors import BadInput
from thirdshift.core.shifts import ShiftPlan
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.settings import Settings
from thirdshift.signatures import JobInput

WITHOUT_A_PERSON: Mapping[Delivery, frozenset[Delivery]] = {
    Delivery.BRANCH: frozenset({Delivery.BRANCH}),
    Delivery.PUSH: frozenset({Delivery.BRANCH, Delivery.PUSH}),
    Delivery.PULL_REQUEST: frozenset({Delivery.BRANCH, Delivery.PUSH, Delivery.PULL_REQUEST}),
    Delivery.MERGE: frozenset({Delivery.BRANCH, Delivery.MERGE}),
}
"""What a shift that may deliver so much may deliver by itself.

There is no single order. A push publishes a branch, and a pull request is a push that also asks people for a merge. A
merge publishes nothing, but it moves the branch that others build on, with nobody asked. So neither includes the other.
"""


class SpecDesk:
    """Implements ``activities.listing.NightDesk`` with the same steps as a submission by hand."""

    def __init__(self, settings: Settings, services: Services, client: Client) -> None:
        self._settings = settings
        self._services = services
        self._client = client

    @property
    def requests_per_minute(self) -> Mapping[str, int]:
        """Of each provider that has a configured limit."""
        known = {name: one.requests_per_minute for name, one in self._settings.providers.items()}
        return {name: limit for name, limit in known.items() if limit}

    def paths(self, plan: ShiftPlan) -> Sequence[str]:
        """Files below the plan's directory that a glob names, sorted. Raises BadInput. Blocking."""
        root = Path(plan.root)
        if not root.is_dir():
            raise BadInput(
                f"{root}: no such directory on host {self._services.host}; "
                f"every host that serves shift {plan.name} needs it"
            )
        try:
            return [str(path) for path in spec_files(root, plan.specs)]
        except BadInput as error:
            raise BadInput(f"shift {plan.name}: {error}") from None

    def read(self, plan: ShiftPlan, spec_path: str) -> Ready:
        """Check a spec as a submission would be, changing nothing. Blocking."""
        prepared = prepare(self._settings, self._services, Path(spec_path))
        start, asks = gated(plan, job_input(self._settings, prepared))
        row = job_row(self._settings, self._services, prepared)
        return Ready(
            row=row.model_copy(update={"submitter": plan.submitter, "priority": prepared.spec.priority}),
            doc=prepared.doc,
            start=start,
            priority=prepared.spec.priority,
            asks_a_person=asks,
        )

    def next_run(self, plan: ShiftPlan, job_id: str) -> JobInput:
        """The input of one more run of a job that this Temporal server does not know. Blocking."""
        view = self._services.ledger.job_view(job_id)
        return gated(plan, next_run(self._settings, self._services, view, Room()))[0]

    async def state_of(self, workflow_id: str) -> WorkflowState:
        """How a workflow stands in Temporal."""
        return await workflow_state(self._client, workflow_id)


def gated(plan: ShiftPlan, given: JobInput) -> tuple[JobInput, str]:
    """The input as the shift's, and why a merge gate was added where it asks for more than the shift may deliver."""
    given = given.model_copy(update={"terms": given.terms.model_copy(update={"submitter": plan.submitter})})
    asked = given.delivery.kind
    if asked in WITHOUT_A_PERSON[plan.deliver] or GateKind.MERGE in given.policy.gates:
        return given, ""
    gates = {*given.policy.gates, GateKind.MERGE}
    policy = given.policy.model_copy(update={"gates": tuple(kind for kind in GateKind if kind in gates)})
    why = f"merge gate added: shift {plan.name} delivers `{plan.deliver}` by itself, and the spec asks for `{asked}`"
    return given.model_copy(update={"policy": policy}), why
