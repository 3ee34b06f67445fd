"""What a shift leaves behind when it is deleted: jobs that wait for its next window, and specs on its queue."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thirdshift.core.words import counted

if TYPE_CHECKING:
    from thirdshift.cli.invocation import Invocation
    from thirdshift.settings import Settings

_NAMED = 8


@dataclass(frozen=True)
class Orphans:
    """Of one shift. Nothing of it is lost, and nothing of it goes on by itself any more."""

    shift: str
    jobs: tuple[str, ...]
    specs: tuple[str, ...]

    def tell(self, call: Invocation) -> None:
        """Say what waits in vain, and the way on for each."""
        for job_id in self.jobs[:_NAMED]:
            on = call.command(f"resume {job_id}")
            call.remark(f"{job_id} is parked until a window of shift {self.shift} opens, and none will; go on: {on}")
        if len(self.jobs) > _NAMED:
            call.remark(f"and {counted(len(self.jobs) - _NAMED, 'job')} more: {call.command('status')}")
        for path in self.specs[:_NAMED]:
            call.remark(f"{path} waits on the queue of shift {self.shift}; begin it: {call.command(f'submit {path}')}")
        if len(self.specs) > _NAMED:
            call.remark(f"and {counted(len(self.specs) - _NAMED, 'spec')} more")
        if self.jobs or self.specs:
            call.remark(f"a shift of the same name, made again, takes all of them up: shift create {self.shift} ...")


def orphans_of(settings: Settings, shift: str) -> Orphans:
    """What waits for the windows of this shift, as the books have it. Blocking."""
    from thirdshift.bootstrap.books import open_books

    with closing(open_books(settings)) as ledger:
        jobs = tuple(job.job_id for job in ledger.parked_jobs(shift))
        return Orphans(shift, jobs, tuple(spec.spec_path for spec in ledger.queued_specs(shift)))
