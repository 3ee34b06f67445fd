"""A repository with a scripted year: work is delivered every few days, and people do to it what people do.

Every story says what became of its job, so that what is found can be held against it. Stories overlap in time, and
others change the same files meanwhile, elsewhere in them.
"""

from __future__ import annotations

import heapq
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2025, 1, 6, 3, 0, tzinfo=UTC)
PARTS = ("reader", "writer", "report")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Una",
    "GIT_AUTHOR_EMAIL": "una@example.org",
    "GIT_COMMITTER_NAME": "Una",
    "GIT_COMMITTER_EMAIL": "una@example.org",
}


@dataclass(frozen=True)
class Truth:
    """What became of a job: the kinds of events that a person who knows the story would name."""

    accepted: bool = False
    edited: bool = False
    rejected: bool = False
    reverted: bool = False
    """In whole or in a part that counts."""
    stands: str = "pending"
    """Where it stands in the end."""


@dataclass
class Job:
    """One delivered piece of work and its story."""

    number: int
    story: str
    truth: Truth
    base: str = ""
    commit: str = ""
    landed: str = ""
    at: datetime = START

    @property
    def id(self) -> str:
        """Its workflow id."""
        return f"job-year-{self.number:03d}"

    @property
    def branch(self) -> str:
        """The branch that it was delivered to."""
        return f"thirdshift/{self.id}"

    def path(self, part: str) -> str:
        """A file of its module."""
        return f"app/m{self.number:03d}/{part}.py"


def base_lines(number: int, part: str) -> list[str]:
    """A file as it was: lines of its own, and lines that every file has."""
    lines = [f'"""Part {part} of module {number}."""', ""]
    for at in range(8):
        lines += [f"def {part}_{number}_{at}(value):", f"    total = value * {at + 1}", "    return total", ""]
    return lines


def work_on(lines: Sequence[str], number: int, part: str) -> list[str]:
    """The work: three lines replaced, and a function added, half of it in words that others use too."""
    done = list(lines)
    at = done.index(f"def {part}_{number}_3(value):")
    done[at + 1 : at + 3] = [
        f"    total = round(value * {number + 4})",
        "    if total < 0:",
        "        return 0",
        "    return total",
    ]
    end = done.index(f"def {part}_{number}_6(value):")
    new = [
        f"def {part}_{number}_half(value):",
        f"    half = value / {number + 2}",
        "    total = half",
        "    return total",
        "",
    ]
    return done[:end] + new + done[end:]


@dataclass
class Year:
    """The repository, and what is still going to happen in it."""

    root: Path
    jobs: list[Job] = field(default_factory=list)
    _due: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    _count: int = 0

    def git(self, *arguments: str, at: datetime | None = None) -> str:
        """Run git in the repository, at a time of its own."""
        stamp = f"{int((at or START).timestamp())} +0000"
        environment = {**_ENVIRONMENT, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
        command = ["git", "-C", str(self.root), "-c", "init.defaultBranch=main", "-c", "gc.auto=0", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
        return done.stdout.strip()

    def later(self, when: datetime, action: Callable[[datetime], None]) -> None:
        """Let something happen."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, action))

    def pass_by(self) -> datetime:
        """Let everything happen, in order; when the last of it did."""
        now = START
        while self._due:
            now, _, action = heapq.heappop(self._due)
            action(now)
        return now

    def read(self, path: str) -> list[str]:
        """The lines of a file of the checkout."""
        return (self.root / path).read_text().split("\n")

    def write(self, path: str, lines: Sequence[str]) -> None:
        """Make a file of the checkout hold these lines."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text("\n".join(lines))

    def commit(self, message: str, at: datetime) -> str:
        """Commit everything on the branch that is checked out."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")

    def deliver(self, job: Job, at: datetime) -> None:
        """What Thirdshift does: one commit on a branch of its own."""
        job.base, job.at = self.git("rev-parse", "main"), at
        self.git("switch", "-q", "-c", job.branch, "main")
        for part in PARTS:
            self.write(job.path(part), work_on(self.read(job.path(part)), job.number, part))
        job.commit = self.commit(f"Round totals in module {job.number}\n\nThirdshift-Job: {job.id}\nRun-Id: run", at)
        self.git("switch", "-q", "main")

    def replace(self, job: Job, part: str, old: str, new: Sequence[str]) -> None:
        """Replace one line of a file."""
        lines = self.read(job.path(part))
        at = lines.index(old)
        self.write(job.path(part), [*lines[:at], *new, *lines[at + 1 :]])


def begin(root: Path, count: int) -> Year:
    """A repository with a module for each job."""
    year = Year(root)
    root.mkdir(parents=True)
    year.git("init", "-q")
    for number in range(count):
        for part in PARTS:
            year.write(f"app/m{number:03d}/{part}.py", base_lines(number, part))
    year.write("CHANGES", ["start"])
    year.commit("start", START - timedelta(days=1))
    return year


def noise(year: Year, count: int, days: int) -> None:
    """What others do: every other day a line of some file, away from anybody's work."""

    def change(number: int, day: int) -> Callable[[datetime], None]:
        def happen(at: datetime) -> None:
            path = f"app/m{number:03d}/{PARTS[day % 3]}.py"
            if (year.root / path).exists():
                year.write(path, [f'"""Changed on day {day}."""', *year.read(path)[1:]])
                year.commit(f"Say more about module {number}", at)

        return happen

    for day in range(1, days, 2):
        year.later(START + timedelta(days=day, hours=9), change(day * 7 % count, day))
