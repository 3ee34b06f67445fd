"""What a loop works on, read from the ledger by the workflow's id."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Literal

from activities.services import Services
from thirdshift.adapters.sandbox.setup_cache import SetupRequest, is_setup_input
from thirdshift.core.frozen import Frozen
from thirdshift.core.ledger import JobRow, LoopRow, SpecDoc
from thirdshift.core.ports import SandboxPlan
from thirdshift.core.spec import Check, Spec
from thirdshift.core.spec_text import parse_spec

SETUP_INPUT_BYTES = 8 << 20


class LoopContext(Frozen):
    """A loop, its job and its spec."""

    job: JobRow
    loop: LoopRow
    spec: Spec

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that judge this loop's packet, in the order written."""
        return tuple(check for check in self.spec.checks if check.id in self.loop.checks)

    @property
    def criteria(self) -> tuple[str, ...]:
        """The criteria that those checks, or a reviewer, judge; all of them for a single packet."""
        packet = next((p for p in self.spec.packets if p.id == self.loop.packet), None)
        return packet.covers if packet else tuple(criterion.id for criterion in self.spec.criteria)


@lru_cache(maxsize=256)
def _parsed(text: str, path: str) -> Spec:
    return parse_spec(text, path)


def spec_of(services: Services, job: JobRow) -> Spec:
    """The job's spec, parsed again from the text that was submitted."""
    return _parsed(services.ledger.get_spec(job.spec_id).text, job.spec_path)


def read_context(services: Services, loop_id: str) -> LoopContext:
    """Blocking; KeyError if the ledger does not know the loop."""
    loop = services.ledger.read_loop(loop_id)
    job = services.ledger.read_job(loop.job_id)
    return LoopContext(job=job, loop=loop, spec=spec_of(services, job))


def holdout_of(services: Services, job: JobRow) -> SpecDoc:
    """The held-out files that came with the spec."""
    return services.ledger.get_spec(job.spec_id)


async def sandbox_plan(services: Services, context: LoopContext, directory: str) -> SandboxPlan:
    """A sandbox on ``directory`` with the spec's setup in place. Raises SetupFailed."""
    if context.spec.setup is None:
        return SandboxPlan(workspace=directory)
    tree = context.job.base_tree
    inputs = await asyncio.to_thread(_setup_inputs, services, tree)
    network: Literal["none", "host"] = "host" if services.setup_network == "host" else "none"
    request = SetupRequest(command=context.spec.setup, inputs=inputs, network=network, hosts=services.setup_hosts)
    result = await services.setups.prepare(request, lambda empty: services.hub.export(tree, empty))
    return SandboxPlan(workspace=directory, mounts=result.mounts, env=result.env, path_prefix=result.path_prefix)


def _setup_inputs(services: Services, tree: str) -> dict[str, bytes]:
    found = [path for path in services.hub.list_paths(tree) if is_setup_input(path)]
    return {path: services.hub.read_file(tree, path, SETUP_INPUT_BYTES) or b"" for path in found}
