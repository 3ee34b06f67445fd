"""From a history to the trail of one job's work: where it landed, and what later commits did to it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from thirdshift.adapters.hub.git_process import GitProcess
from thirdshift.adapters.repository_history.commits import Commit, History, patch_of
from thirdshift.adapters.repository_history.line_reading import LineReader
from thirdshift.core.delivery_text import JOB_TRAILER
from thirdshift.core.line_fates import WorkLines, alike, fate, missing, work_lines
from thirdshift.core.outcomes import WHOLE, Landing, OutcomePolicy, Stretch, Touch, Trail

LIKE_OURS = 600
"""A commit that holds this much of the work, in thousandths, is the work, even where it does not say so."""


@dataclass(frozen=True)
class Delivered:
    """Work to follow: one commit on its base, and the tip of its branch where that is still there."""

    job: str
    base: str
    commit: str
    branch_tip: str = ""
    merged_as: str = ""
    """The commit that the forge says its request was merged as."""


@dataclass(frozen=True)
class _Landed:
    """Where work landed: the step of the branch, and the commit whose lines it is."""

    step: int
    author: str
    how: str


class Tracer:
    """Follows work in one history."""

    def __init__(self, git: GitProcess, git_dir: str, history: History, policy: OutcomePolicy) -> None:
        self._git = git
        self._git_dir = git_dir
        self._history = history
        self._policy = policy
        self._lines = LineReader(git, git_dir)

    def trail(self, work: Delivered, withdrawn: str, seen_at: datetime) -> Trail:
        """The work's trail. ``withdrawn`` says whether its branch or request is gone."""
        ours = work_lines(self._lines.hunks(work.base, work.commit))
        patch = patch_of(self._git, self._git_dir, work.base, work.commit)
        reverse = patch_of(self._git, self._git_dir, work.commit, work.base)
        stretches: list[Stretch] = []
        landed = self._landed(work, ours, patch)
        while landed is not None:
            stretch, gone_at = self._stretch(landed, work, ours, reverse)
            stretches.append(stretch)
            landed = self._landed_again(patch, gone_at) if gone_at is not None else None
        return Trail(
            job_id=work.job,
            delivered_commit=work.commit,
            stretches=tuple(stretches),
            withdrawn=withdrawn,
            seen_at=seen_at,
        )

    # --- Where it landed ----------------------------------------------------------------------------

    def _landed(self, work: Delivered, ours: WorkLines, patch: str) -> _Landed | None:
        """The landing, by the surest sign that there is."""
        landing = self._history.landing
        if work.commit in landing:
            return _Landed(landing[work.commit], work.commit, "ancestor")
        signs: list[tuple[str, Callable[[Commit], bool]]] = [
            ("request", lambda commit: commit.commit == work.merged_as)
        ]
        if patch:
            signs.append(("patch", lambda commit: commit.patch == patch))
        if squashed := self._squashed(work):
            signs.append(("squash", lambda commit: commit.patch == squashed))
        signs.append(("trailer", lambda commit: work.job in _jobs_named(commit.message)))
        began = landing.get(work.base, -1)  # the same change before that is somebody else's
        for how, sign in signs:
            if found := self._first(_and_may_be(work, sign), began):
                return _Landed(landing[found.commit], found.commit, how)
        return self._similar(work, ours, began)

    def _first(self, sign: Callable[[Commit], bool], after: int) -> Commit | None:
        """The first commit of the branch that has a sign; of equals, the one that is no merge."""
        landing = self._history.landing
        found = [c for c in self._history.commits.values() if landing.get(c.commit, -1) > after and sign(c)]
        return min(found, key=lambda c: (landing[c.commit], len(c.parents) > 1), default=None)

    def _squashed(self, work: Delivered) -> str:
        """The change of the whole branch, where somebody added to it: that is what a squash makes one commit of."""
        if not work.branch_tip or work.branch_tip == work.commit:
            return ""
        return patch_of(self._git, self._git_dir, work.base, work.branch_tip)

    def _similar(self, work: Delivered, ours: WorkLines, began: int) -> _Landed | None:
        paths = self._paths(work.base, work.commit)
        for index, step in enumerate(self._history.mainline[began + 1 :], began + 1):
            touched = self._history.touched.get(step.commit)
            if not step.parents or touched is None or not paths & touched.paths or not _may_be(work, step):
                continue
            theirs = work_lines(self._lines.hunks(step.parents[0], step.commit))
            if alike(ours, theirs) >= LIKE_OURS:
                return _Landed(index, step.commit, "similar")
        return None

    def _landed_again(self, patch: str, gone_at: int) -> _Landed | None:
        """The same change once more after it was taken out, or the reversal reversed."""
        gone = self._history.mainline[gone_at]
        found = self._first(
            lambda commit: bool(patch and commit.patch == patch) or _says_revert(commit.message, {gone.commit}), gone_at
        )
        return _Landed(self._history.landing[found.commit], found.commit, "patch") if found else None

    def _paths(self, old: str, new: str) -> frozenset[str]:
        arguments = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", old, new]
        out = self._git.run(arguments, git_dir=self._git_dir).decode("utf-8", "surrogateescape")
        return frozenset(path for path in out.split("\0") if path)

    # --- What became of it --------------------------------------------------------------------------

    def _stretch(self, landed: _Landed, work: Delivered, ours: WorkLines, reverse: str) -> tuple[Stretch, int | None]:
        """Life from a landing on; the index of the step that took the work out whole, if one did."""
        step = self._history.mainline[landed.step]
        # Work that was already there when the history begins has no commit before it to be compared with.
        before = step.parents[0] if step.parents else work.base
        author = self._history.commits[landed.author]
        own_parent = author.parents[0] if author.parents else work.base
        own = self._own(landed, ours, own_parent, author.commit)
        paths = set(self._paths(own_parent, author.commit))
        reverses = {reverse, patch_of(self._git, self._git_dir, step.commit, before)} - {""}
        names = {work.commit, step.commit, author.commit}
        landing = Landing(commit=step.commit, at=step.at, how=landed.how, changed=self._changed(landed, work, ours))
        touches: list[Touch] = []
        for index in range(landed.step + 1, len(self._history.mainline)):
            later = self._history.mainline[index]
            touch = self._touch(later, own, paths, before, author.commit, later.at - step.at)
            exact = later.patch in reverses
            says = _says_revert(later.message, names)
            if exact or says or touch.undone or touch.edited:
                undone = WHOLE if says and not own.total else touch.undone
                touches.append(touch.model_copy(update={"says_revert": says, "reverses": exact, "undone": undone}))
            if exact or (says and touches[-1].undone >= self._policy.reverted):
                return Stretch(landing=landing, touches=tuple(touches)), index
            self._follow(later, paths)
        return Stretch(landing=landing, touches=tuple(touches)), None

    def _own(self, landed: _Landed, ours: WorkLines, before: str, commit: str) -> WorkLines:
        """The lines to follow: ours, as far as they are in the commit that brought them."""
        if landed.how in ("ancestor", "patch"):
            return ours
        came = work_lines(self._lines.hunks(before, commit))
        both = WorkLines(ours.added & came.added, ours.removed & came.removed)
        return both if both.total else came

    def _changed(self, landed: _Landed, work: Delivered, ours: WorkLines) -> int:
        """How much of our lines is not in what came onto the branch."""
        if landed.how == "patch":
            return 0
        step = self._history.mainline[landed.step]
        if not step.parents:
            return 0
        came = work_lines(self._lines.hunks(step.parents[0], step.commit))
        return missing(ours, came.added)

    def _touch(
        self, later: Commit, own: WorkLines, paths: Collection[str], before: str, author: str, age: timedelta
    ) -> Touch:
        """What a step did to lines of ours, by blame before and after it."""
        plain = Touch(commit=later.commit, at=later.at)
        touched = self._history.touched.get(later.commit)
        if not later.parents or touched is None or not own.total:
            return plain
        mine = set(paths) & touched.paths
        explicit = "This reverts commit" in later.message
        if not mine or (age > timedelta(days=self._policy.undo_days) and not explicit):
            return plain
        after_names = {touched.renamed.get(path, path) for path in mine}
        had = self._lines.written_by({author}, before, later.parents[0], sorted(mine))
        has = self._lines.written_by({author}, before, later.commit, sorted(after_names))
        hunks = self._lines.hunks(later.parents[0], later.commit, mine | after_names)
        everything = work_lines(self._lines.hunks(later.parents[0], later.commit))
        elsewhere = everything.added - work_lines(hunks).added
        undone, edited = fate(own, (had - has) & own.added, hunks, elsewhere)
        return plain.model_copy(update={"undone": undone, "edited": edited})

    def _follow(self, step: Commit, paths: set[str]) -> None:
        """Go on under new names where files of ours were renamed."""
        touched = self._history.touched.get(step.commit)
        for old, new in touched.renamed.items() if touched else ():
            if old in paths:
                paths.discard(old)
                paths.add(new)


def _jobs_named(message: str) -> frozenset[str]:
    """The jobs whose work a commit says to be: more than one where several were squashed."""
    prefix = f"{JOB_TRAILER}: "
    found = (line.strip(" *").removeprefix(prefix) for line in message.splitlines() if prefix in line)
    return frozenset(job.strip() for job in found)


def _and_may_be(work: Delivered, sign: Callable[[Commit], bool]) -> Callable[[Commit], bool]:
    return lambda commit: sign(commit) and _may_be(work, commit)


def _may_be(work: Delivered, commit: Commit) -> bool:
    """Whether a commit may be this work: not where it says to be another job's, however alike the two are."""
    named = _jobs_named(commit.message)
    return not named or work.job in named


def _says_revert(message: str, names: Collection[str]) -> bool:
    """Whether the message reverts one of the commits, in the words that ``git revert`` writes."""
    return any(f"This reverts commit {name}" in message for name in names)
