"""Typed stubs of the activities that deliver; see ``thirdshift.signatures``."""

from __future__ import annotations

from temporalio import activity

from thirdshift.core.delivery import Delivered, MergePlan
from thirdshift.core.frozen import Frozen
from thirdshift.core.verdict import VerdictBrief


class DeliverTree(Frozen):
    """An accepted tree to deliver."""

    tree: str
    onto: str
    """The base branch."""
    run: str
    """The run of the job, by which a delivery is known again."""
    reviewed_by: tuple[str, ...] = ()
    """People who approved it, and whose identity the server vouched for."""


class VerifyMerge(Frozen):
    """Judge a merged tree by the checks of a packet."""

    packet: str
    number: int
    """Of the round, from 1."""
    plan: MergePlan


class MergeJudged(Frozen):
    """The verdict on a merged tree, and which checks fail on the base branch even without it."""

    verdict: VerdictBrief
    failing_before: tuple[str, ...] = ()


class LandMerge(Frozen):
    """Move the base branch."""

    work: DeliverTree
    plan: MergePlan


@activity.defn
async def plan_merge(given: DeliverTree) -> MergePlan:
    """See ``activities.delivery``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def verify_merge(given: VerifyMerge) -> MergeJudged:
    """See ``activities.delivery``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def land_merge(given: LandMerge) -> bool:
    """See ``activities.delivery``. False where the base branch has moved in the meantime."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def push_branch(given: DeliverTree) -> Delivered:
    """See ``activities.delivery``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def request_merge(given: DeliverTree) -> Delivered:
    """See ``activities.delivery``: push the branch, and ask for its merge at the forge."""
    raise NotImplementedError("a signature, implemented in activities")
