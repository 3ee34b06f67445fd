"""Deliveries that move a branch of somebody else: merges onto a base branch, and pushes to a remote.

Everything is made in the hub first. What then happens outside is one compare-and-swap of one ref, so that a process
may die before it, after it or in it, and the next one finds either nothing done or all of it.
"""

from __future__ import annotations

from pathlib import Path

from thirdshift.adapters.hub.delivery import Delivery, check_branch, make_delivery_commit
from thirdshift.adapters.hub.destinations import Destinations, shown
from thirdshift.adapters.hub.git_process import GitProcess, Transport
from thirdshift.adapters.hub.layout import HubLayout
from thirdshift.adapters.hub.local_hub import LocalHub
from thirdshift.adapters.hub.local_source import LocalSource, resolve_local
from thirdshift.adapters.hub.merging import HubMerger
from thirdshift.adapters.hub.remote_repository import RemoteAccess
from thirdshift.core.delivery import MergePlan, MergeState, Work
from thirdshift.core.delivery_text import names
from thirdshift.core.errors import DeliveryRefused, RepositoryRefused


class HubDeliverer:
    """Implements ``core.delivery.Deliverer`` for the hub at ``path``. ``transport`` may hold git credentials."""

    def __init__(self, path: str, *, git: str = "git", transport: Transport | None = None) -> None:
        self._git = GitProcess(git)
        self._layout = HubLayout(Path(path).absolute())
        self._transport = transport or Transport()
        self._places = Destinations(self._git, self._layout, self._transport)
        self._hub = LocalHub(path, git=git, transport=self._transport)

    def branch_named(self, repository: str, base: str) -> str:
        """See the port. ``HEAD`` is the branch that is checked out, or the remote's default branch."""
        place = self._places.repository(repository)
        if isinstance(place, RemoteAccess):
            return place.default_branch() if base == "HEAD" else (base if place.branch_tip(base) else "")
        if base == "HEAD":
            out = self._git.run(["symbolic-ref", "--quiet", "HEAD"], git_dir=str(place.git_dir), may_fail=True)
            return out.decode("utf-8", "surrogateescape").strip().removeprefix("refs/heads/")
        ref = f"refs/heads/{base}"
        found = self._git.run(["for-each-ref", "--format=%(refname)", ref], git_dir=str(place.common))
        return base if ref in found.decode("utf-8", "surrogateescape").split("\n") else ""

    def checked_out_in(self, repository: str, branch: str) -> str:
        """See the port."""
        place = self._places.repository(repository)
        if isinstance(place, RemoteAccess):
            return ""
        return Delivery(self._git, self._layout, "", "", branch).checked_out_in(place)

    def remote_url(self, repository: str, branch: str) -> str:
        """See the port."""
        return shown(self._places.remote(repository, branch))

    def plan_merge(self, work: Work) -> MergePlan:
        """See the port."""
        check_branch(work.onto)
        git_dir = self._layout.ensure(self._git)
        merger = HubMerger(self._git, git_dir)
        tip = self._tip(self._places.repository(work.repository), work)
        # A name of its own, since the job's base is pinned under the job's.
        self._hub.import_base(work.repository, tip, f"{work.job}-onto")
        if not merger.is_ancestor(work.base_commit, tip):
            return _refused(
                work,
                tip,
                f"the branch was rewritten: it no longer holds {work.base_commit[:12]}, where the job began, and a "
                "merge would bring back what was taken out of it",
            )
        commit = self._commit(work)
        plan = MergePlan(state=MergeState.READY, tip=tip, commit=commit, work=commit, tree=work.tree)
        if landed := merger.landed(work.run, work.base_commit, tip):
            return plan.model_copy(update={"state": MergeState.LANDED, "commit": landed})
        plan = plan.model_copy(update={"tip_tree": merger.tree_of(tip)})
        if tip != work.base_commit:
            merged = merger.merge(tip, commit)
            if merged.conflicts:
                return _refused(work, tip, f"it has moved, and both sides changed {names(merged.conflicts)}")
            joined = merger.merge_commit(merged.tree, tip, commit, work.merge_message or work.message)
            plan = plan.model_copy(update={"moved": True, "commit": joined, "tree": merged.tree})
        if plan.tree == plan.tip_tree:
            return plan.model_copy(update={"state": MergeState.LANDED, "commit": tip})
        return plan

    def land(self, work: Work, plan: MergePlan) -> bool:
        """See the port. A branch that is checked out somewhere is not moved: its files would stay behind."""
        place = self._places.repository(work.repository)
        delivery = Delivery(self._git, self._layout, plan.commit, plan.tip, work.onto)
        if isinstance(place, RemoteAccess):
            return delivery.moved_remote(place, plan.tip)
        if where := delivery.checked_out_in(place):
            raise DeliveryRefused(
                f"{work.onto} is checked out in {where}, and a branch is not moved under a person's feet. "
                f"Merge it there: git -C {where} merge thirdshift/{work.job}"
            )
        self._must_be_a_branch_of_its_own(place, work.onto)
        return delivery.moved_local(place, plan.tip)

    def push(self, work: Work, branch: str) -> str:
        """See the port."""
        check_branch(branch)
        place = self._places.remote(work.repository, work.onto)
        commit = self._commit(work)
        delivery = Delivery(self._git, self._layout, commit, work.base_commit, branch)
        if isinstance(place, RemoteAccess):
            delivery.to_remote(place)
        else:
            delivery.to_local(place)
        return commit

    def _must_be_a_branch_of_its_own(self, place: LocalSource, branch: str) -> None:
        arguments = ["symbolic-ref", "--quiet", f"refs/heads/{branch}"]
        target = self._git.run(arguments, git_dir=str(place.common), may_fail=True).decode("utf-8", "replace").strip()
        if target:
            name = target.removeprefix("refs/heads/")
            raise DeliveryRefused(f"{branch} of {place.top} is another name for {name}. Write `base: {name}`.")

    def _commit(self, work: Work) -> str:
        git_dir = self._layout.ensure(self._git)
        return make_delivery_commit(self._git, git_dir, work.tree, work.base_commit, work.message)

    def _tip(self, place: LocalSource | RemoteAccess, work: Work) -> str:
        if isinstance(place, RemoteAccess):
            tip = place.branch_tip(work.onto)
        else:
            try:
                tip = resolve_local(self._git, place, f"refs/heads/{work.onto}").commit
            except RepositoryRefused:
                tip = None
        if tip is None:
            raise DeliveryRefused(f"The branch {work.onto} of {shown(place)} is not there any more. Make it again.")
        return tip


def _refused(work: Work, tip: str, why: str) -> MergePlan:
    return MergePlan(state=MergeState.REFUSED, tip=tip, why=f"{work.onto} cannot be merged onto: {why}.")
