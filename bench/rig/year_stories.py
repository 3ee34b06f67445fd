"""What people do to delivered work, and what each story comes to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bench.rig.year import PARTS, Job, Truth, Year, base_lines

Action = Callable[[Year, Job, datetime], None]
KEPT = Truth(accepted=True, stands="accepted")
EDITED = Truth(accepted=True, edited=True, stands="accepted")
GONE = Truth(accepted=True, reverted=True, stands="reverted")
BACK = Truth(accepted=True, reverted=True, stands="accepted")
DROPPED = Truth(rejected=True, stands="rejected")


# --- Ways to land ------------------------------------------------------------------------------------


def merge(year: Year, job: Job, at: datetime) -> None:
    year.git("merge", "-q", "--no-ff", "-m", f"Merge branch {job.branch}", job.branch, at=at)
    job.landed = year.git("rev-parse", "main")


def squash(year: Year, job: Job, at: datetime) -> None:
    """As a forge does it: the messages of the branch are in the new one."""
    year.git("merge", "-q", "--squash", job.branch, at=at)
    message = year.git("log", "-1", "--format=%B", job.commit)
    job.landed = year.commit(f"Round totals ({job.number})\n\n* {message}", at)


def squash_in_own_words(year: Year, job: Job, at: datetime) -> None:
    year.git("merge", "-q", "--squash", job.branch, at=at)
    job.landed = year.commit(f"Totals of {job.number}, rounded", at)


def pick(year: Year, job: Job, at: datetime) -> None:
    """Rebased onto the branch, with another message."""
    year.git("cherry-pick", "-n", job.commit, at=at)
    job.landed = year.commit(f"Rebased: totals {job.number}", at)


def bundle(year: Year, job: Job, at: datetime) -> None:
    """Cherry-picked into somebody's branch, which is merged with more in it."""
    year.git("switch", "-q", "-c", f"bundle-{job.number}", "main")
    pick(year, job, at)
    picked = job.landed
    year.write(f"app/bundle_{job.number}.py", [f"x{n} = {n}" for n in range(30)])
    year.commit(f"More of {job.number}", at)
    year.git("switch", "-q", "main")
    year.git("merge", "-q", "--no-ff", "-m", f"Merge the bundle {job.number}", f"bundle-{job.number}", at=at)
    job.landed = picked


def edit_on_branch(year: Year, job: Job, at: datetime) -> None:
    """A person improves a line of the work before it is merged, and adds a file of their own."""
    year.git("switch", "-q", job.branch)
    year.replace(job, "reader", f"    half = value / {job.number + 2}", [f"    half = value / {job.number + 9}"])
    year.write(f"app/extra_{job.number}.py", ["extra = 1"])
    year.commit("A better half", at)
    year.git("switch", "-q", "main")


def add_on_branch(year: Year, job: Job, at: datetime) -> None:
    """A person adds a file of their own, and leaves the work as it is."""
    year.git("switch", "-q", job.branch)
    year.write(f"app/extra_{job.number}.py", [f"extra = {job.number}"])
    year.commit("An extra", at)
    year.git("switch", "-q", "main")


# --- What may come after -----------------------------------------------------------------------------


def drop_branch(year: Year, job: Job, at: datetime) -> None:
    year.git("branch", "-q", "-D", job.branch, at=at)


def edit(year: Year, job: Job, at: datetime) -> None:
    year.replace(job, "writer", "        return 0", ["        return -1"])
    year.commit(f"Mind negative totals in {job.number}", at)


def edit_renamed(year: Year, job: Job, at: datetime) -> None:
    path = f"app/m{job.number:03d}/printer.py"
    lines = year.read(path)
    place = lines.index("        return 0")
    year.write(path, [*lines[:place], "        return -1", *lines[place + 1 :]])
    year.commit(f"Mind negative totals in {job.number}", at)


def reindent(year: Year, job: Job, at: datetime) -> None:
    lines = year.read(job.path("writer"))
    year.write(job.path("writer"), [line.replace("    ", "  ") for line in lines])
    year.commit("Reformat", at)


def rename(year: Year, job: Job, at: datetime) -> None:
    year.git("mv", job.path("writer"), f"app/m{job.number:03d}/printer.py")
    year.commit("A better name", at)


def move_lines(year: Year, job: Job, at: datetime) -> None:
    """The new function goes to another file, as it is."""
    lines = year.read(job.path("report"))
    start = lines.index(f"def report_{job.number}_half(value):")
    year.write(f"app/halves_{job.number}.py", lines[start : start + 5])
    year.write(job.path("report"), [*lines[:start], *lines[start + 5 :]])
    year.commit("Keep the halves together", at)


def revert(year: Year, job: Job, at: datetime) -> None:
    merged = len(year.git("log", "-1", "--format=%P", job.landed).split()) > 1
    year.git("revert", "--no-edit", *(["-m", "1"] if merged else []), job.landed, at=at)


def revert_the_revert(year: Year, job: Job, at: datetime) -> None:
    found = year.git("log", "-1", "--format=%H", f"--grep=This reverts commit {job.landed}", "main")
    year.git("revert", "--no-edit", found, at=at)


def _undo(year: Year, job: Job, part: str) -> None:
    lines = year.read(job.path(part))
    year.write(job.path(part), [lines[0], *base_lines(job.number, part)[1:]])


def undo_silently(year: Year, job: Job, at: datetime) -> None:
    """The reversed patch and nothing else, under a message that does not say so."""
    for part in PARTS:
        _undo(year, job, part)
    year.commit(f"Simplify module {job.number}", at)


def undo_among_others(year: Year, job: Job, at: datetime) -> None:
    """Everything is taken back in a commit that does more than that."""
    for part in PARTS:
        _undo(year, job, part)
    year.write(f"app/cleanup_{job.number}.py", [f"y{n} = {n}" for n in range(12)])
    year.commit(f"Clean up around {job.number}", at)


def undo_in_part(year: Year, job: Job, at: datetime) -> None:
    """One file of three goes back to what it was."""
    _undo(year, job, "reader")
    year.commit(f"The old reader for {job.number}", at)


def rewrite(year: Year, job: Job, at: datetime) -> None:
    """Somebody replaces one file by something else: an edit, and no reversal."""
    year.write(job.path("reader"), [f"def reader_{job.number}_new_{n}(v): return v + {n}" for n in range(20)])
    year.commit(f"Write the reader of {job.number} anew", at)


def pick_to_release(year: Year, job: Job, at: datetime) -> None:
    year.git("switch", "-q", "-c", f"release-{job.number}", job.base)
    year.git("cherry-pick", "-x", job.commit, at=at)
    year.git("switch", "-q", "main")


def revert_on_release(year: Year, job: Job, at: datetime) -> None:
    year.git("switch", "-q", f"release-{job.number}")
    year.git("revert", "--no-edit", "HEAD", at=at)
    year.git("switch", "-q", "main")


def do_otherwise(year: Year, job: Job, at: datetime) -> None:
    """Somebody solves the same in other words."""
    for part in PARTS:
        year.replace(job, part, f"def {part}_{job.number}_3(value):", [f"def {part}_{job.number}_3(value, places=2):"])
    year.commit(f"Round module {job.number} by hand", at)


def undo_more(year: Year, job: Job, at: datetime) -> None:
    """The second file of three goes back too."""
    _undo(year, job, "writer")
    year.commit(f"The old writer for {job.number}", at)


def edit_beside(year: Year, job: Job, at: datetime) -> None:
    """Somebody changes the lines just above and below the work, and none of it."""
    for part in PARTS:
        year.replace(job, part, f"def {part}_{job.number}_3(value):", [f"def {part}_{job.number}_3(value, *rest):"])
        year.replace(job, part, f"def {part}_{job.number}_6(value):", [f"def {part}_{job.number}_6(value, *rest):"])
    year.commit(f"Take more arguments in {job.number}", at)


def redo_half_by_hand(year: Year, job: Job, at: datetime) -> None:
    """A person takes some of the work, writes the rest anew, and squashes it all under words of their own."""
    year.git("merge", "-q", "--squash", job.branch, at=at)
    for part in PARTS[:2]:
        year.replace(
            job, part, f"    total = round(value * {job.number + 4})", [f"    total = int(value * {job.number})"]
        )
        year.replace(job, part, "    if total < 0:", ["    if total < -1:"])
        year.replace(job, part, "        return 0", ["        return None"])
        year.replace(job, part, f"    half = value / {job.number + 2}", ["    half = value // 2"])
        year.replace(job, part, "    total = half", ["    total = half + half % 2"])
    year.commit(f"My own totals for {job.number}", at)


def done_by_another_job(year: Year, job: Job, at: datetime) -> None:
    """The spec was submitted again, and that job's work, the same to the letter, was merged instead."""
    year.git("cherry-pick", "-n", job.commit, at=at)
    year.commit(f"Round totals\n\nThirdshift-Job: job-twin-{job.number}\nRun-Id: other", at)


def back_from_release(year: Year, job: Job, at: datetime) -> None:
    """The release branch, onto which the work was picked, is merged back."""
    year.git("merge", "-q", "--no-ff", "-m", "Merge the release", f"release-{job.number}", at=at)
    job.landed = year.git("rev-parse", "main")


STORIES: dict[str, tuple[Truth, tuple[tuple[float, Action], ...]]] = {
    # name: what it comes to, and what happens how many days after the delivery
    "merged": (KEPT, ((1, merge),)),
    "merged, branch gone": (KEPT, ((1, merge), (2, drop_branch))),
    "squashed by the forge": (KEPT, ((1, squash), (1.1, drop_branch))),
    "squashed in own words": (KEPT, ((2, squash_in_own_words), (2.1, drop_branch))),
    "rebased": (KEPT, ((1, pick), (1.1, drop_branch))),
    "in a bundle": (KEPT, ((3, bundle), (3.1, drop_branch))),
    "added to, merged": (KEPT, ((1, add_on_branch), (2, merge))),
    "added to, squashed in own words": (KEPT, ((1, add_on_branch), (2, squash_in_own_words))),
    "edited, merged": (EDITED, ((1, edit_on_branch), (2, merge))),
    "edited, squashed, gone": (EDITED, ((1, edit_on_branch), (2, squash_in_own_words), (3, drop_branch))),
    "edited soon after": (EDITED, ((1, merge), (6, edit))),
    "changed months later": (KEPT, ((1, merge), (45, edit))),
    "reindented": (KEPT, ((1, merge), (5, reindent))),
    "renamed, then edited": (EDITED, ((1, squash), (3, rename), (8, edit_renamed))),
    "renamed": (KEPT, ((1, squash), (3, rename))),
    "lines moved": (KEPT, ((1, merge), (4, move_lines))),
    "rewritten soon": (EDITED, ((1, merge), (7, rewrite))),
    "reverted merge": (GONE, ((1, merge), (5, revert))),
    "reverted squash": (GONE, ((1, squash), (30, revert))),
    "reverted after a year's half": (GONE, ((1, pick), (150, revert))),
    "reverted and put back": (BACK, ((1, merge), (5, revert), (9, revert_the_revert))),
    "undone silently": (GONE, ((1, squash_in_own_words), (20, undo_silently))),
    "undone silently, late": (GONE, ((1, pick), (120, undo_silently))),
    "undone among others": (GONE, ((1, merge), (25, undo_among_others))),
    "undone in part": (BACK, ((1, merge), (18, undo_in_part))),
    "edited, then undone": (
        Truth(accepted=True, edited=True, reverted=True, stands="reverted"),
        ((1, merge), (4, edit), (30, undo_among_others)),
    ),
    "undone in two goes": (GONE, ((1, merge), (18, undo_in_part), (29, undo_more))),
    "rewritten late": (KEPT, ((1, merge), (40, rewrite))),
    "changed beside it": (KEPT, ((1, merge), (5, edit_beside))),
    "half redone by hand": (EDITED, ((2, redo_half_by_hand), (3, drop_branch))),
    "done by another job": (DROPPED, ((4, done_by_another_job), (5, drop_branch))),
    "dropped": (DROPPED, ((9, drop_branch),)),
    "dropped, done otherwise": (DROPPED, ((3, do_otherwise), (9, drop_branch))),
    "still waiting": (Truth(), ()),
    "on a release only": (Truth(), ((2, pick_to_release),)),
    "to a release and back from it": (KEPT, ((2, pick_to_release), (20, back_from_release), (21, drop_branch))),
    "merged, reverted on a release only": (KEPT, ((1, merge), (2, pick_to_release), (4, revert_on_release))),
}


def tell(year: Year, job: Job, at: datetime) -> None:
    """Let a job be delivered, and its story happen."""

    def bound(action: Action) -> Callable[[datetime], None]:
        return lambda when: action(year, job, when)

    year.later(at, lambda when: year.deliver(job, when))
    for days, action in STORIES[job.story][1]:
        year.later(at + timedelta(days=days), bound(action))
