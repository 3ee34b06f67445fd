"""A line whose deliveries are played from a plan too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from tests.fakes.line import FakeLine, tree_of
from thirdshift.core.delivery import Delivered, MergePlan, MergeState
from thirdshift.core.spec import Delivery
from thirdshift.core.verdict import VerdictBrief
from thirdshift.delivery_signatures import DeliverTree, LandMerge, MergeJudged, VerifyMerge

BASE = "b" * 40


@dataclass
class DeliveringLine(FakeLine):
    """``moves``: for each round, whether the base has moved, and whether it moves again before the merge lands."""

    moves: Sequence[tuple[bool, bool]] = ((False, False),)
    merge_fails: Sequence[str] = ()
    """Checks that fail on a merged tree."""
    conflict: str = ""
    refusal: str = ""
    """Of every activity that reaches a repository."""
    refusal_type: str = "undelivered"

    def activities(self) -> list[Callable[..., Any]]:
        """Those of the line, and those that deliver."""

        @activity.defn
        async def plan_merge(given: DeliverTree) -> MergePlan:
            await self._note("plan_merge", given)
            if self.conflict:
                return MergePlan(state=MergeState.REFUSED, tip=BASE, why=self.conflict)
            number = len(self.given("plan_merge"))
            moved, _ = self.moves[number - 1]
            tree = tree_of(str(number)) if moved else given.tree
            return MergePlan(state=MergeState.READY, tip=BASE, tree=tree, commit=str(number) * 40, moved=moved)

        @activity.defn
        async def verify_merge(given: VerifyMerge) -> MergeJudged:
            await self._note("verify_merge", given)
            failed = tuple(self.merge_fails)
            verdict = VerdictBrief(id=900 + given.number, tree=given.plan.tree, passed=("lint",), failed=failed)
            return MergeJudged(verdict=verdict, failing_before=failed[:1])

        @activity.defn
        async def land_merge(given: LandMerge) -> bool:
            await self._note("land_merge", given)
            self._refuse()
            _, moves_again = self.moves[len(self.given("land_merge")) - 1]
            return not moves_again

        @activity.defn
        async def push_branch(given: DeliverTree) -> Delivered:
            await self._note("push_branch", given)
            self._refuse()
            return Delivered(done=True, kind=Delivery.PUSH, detail="pushed", branch="b", commit=BASE, onto="main")

        @activity.defn
        async def request_merge(given: DeliverTree) -> Delivered:
            await self._note("request_merge", given)
            self._refuse()
            return Delivered(
                done=True, kind=Delivery.PULL_REQUEST, detail="asked", branch="b", commit=BASE, url="https://forge/1"
            )

        return [*super().activities(), plan_merge, verify_merge, land_merge, push_branch, request_merge]

    def _refuse(self) -> None:
        if self.refusal:
            raise ApplicationError(
                self.refusal, type=self.refusal_type, non_retryable=self.refusal_type == "undelivered"
            )
