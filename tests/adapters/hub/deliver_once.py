"""A delivery as a process of its own, so that it can be killed: ``python -m`` this, with the work as JSON."""

from __future__ import annotations

import sys

from thirdshift.adapters.hub.deliverer import HubDeliverer
from thirdshift.core.delivery import MergeState, Work


def main(kind: str, hub: str, git: str, work_json: str, branch: str) -> None:
    work = Work.model_validate_json(work_json)
    deliverer = HubDeliverer(hub, git=git)
    if kind == "push":
        deliverer.push(work, branch)
        return
    plan = deliverer.plan_merge(work)
    if plan.state is MergeState.READY and not deliverer.land(work, plan):
        raise SystemExit("the base moved")


if __name__ == "__main__":
    main(*sys.argv[1:])
