"""The routing ledger: for each run, what was asked, who worked on it at which tier and why, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from thirdshift.core.history import StopReason
from thirdshift.core.outcomes import OutcomeState
from thirdshift.core.questions import AttemptFact, Facts, JobFact, Line, Review, Use


class Output(StrEnum):
    """What came of a run."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    """Accepted, and changed by somebody before the merge or soon after."""
    REJECTED = "rejected"
    REVERTED = "reverted"
    NONE = "none"
    """It ended without an output: a limit, a person or a failure stopped it."""
    UNDER_WAY = "under_way"

    @property
    def counts(self) -> bool:
        """Whether it counts as an accepted outcome: accepted, and not reverted."""
        return self in (Output.ACCEPTED, Output.EDITED)


@dataclass(slots=True)
class Run:
    """A job as the routing ledger has it. Paths are in the order in which they were tried, neighbours once.

    ``use`` is what its calls within the period used; ``attempts`` and the rest are of its whole life.
    """

    job: JobFact
    models: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    attempts: int = 0
    tool_calls: int = 0
    tool_milliseconds: int = 0
    output: Output = Output.UNDER_WAY
    use: Use = field(default_factory=Use)

    counts: bool = False
    """Whether it counts as an accepted outcome."""

    @property
    def job_id(self) -> str:
        """Its workflow's id."""
        return self.job.job_id

    @property
    def tier_path(self) -> str:
        """``economy > specialist``; ``none`` where no model was called."""
        return " > ".join(self.tiers) or "none"

    @property
    def wall_seconds(self) -> float | None:
        """From submission to its end; None while it has none."""
        ended = self.job.closed_at
        return None if ended is None else (ended - self.job.submitted_at).total_seconds()

    @property
    def landed(self) -> bool:
        """Whether git showed the work on its base branch."""
        return self.job.outcome in (OutcomeState.ACCEPTED, OutcomeState.REVERTED)

    @property
    def stopped_by(self) -> str:
        """The stop reason, where it was not accepted."""
        return "" if self.job.stop_reason == StopReason.ACCEPTED.value else self.job.stop_reason

    @property
    def review(self) -> Review | None:
        """What a person last said at a gate."""
        return self.job.review

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""
        return self.job.closed_at


def runs_of(facts: Facts, by_job: Mapping[str, Use]) -> list[Run]:
    """One run for each job, the newest first."""
    tried: dict[str, list[AttemptFact]] = defaultdict(list)
    for fact in facts.attempts:
        tried[fact.job_id].append(fact)
    runs = [_run(job, tried.get(job.job_id, ()), by_job.get(job.job_id)) for job in facts.jobs]
    return sorted(runs, key=lambda run: (run.job.submitted_at, run.job_id), reverse=True)


def use_by_job(lines: Iterable[Line]) -> dict[str, Use]:
    """The lines summed by job."""
    found: dict[str, Use] = {}
    for line in lines:
        use = found.get(line.job_id)
        if use is None:
            use = found[line.job_id] = Use()
        use.add(line)
    return found


def _run(job: JobFact, facts: Sequence[AttemptFact], use: Use | None) -> Run:
    coding = [fact for fact in facts if fact.role != "plan"]
    shown = coding or facts
    output = output_of(job)
    return Run(
        job=job,
        models=_path([fact.model for fact in shown]),
        tiers=_path([fact.tier for fact in shown]),
        reasons=_path([fact.reason for fact in shown]),
        attempts=len(coding),
        tool_calls=sum(fact.tool_calls for fact in facts),
        tool_milliseconds=sum(fact.tool_milliseconds for fact in facts),
        output=output,
        counts=output.counts,
        use=use or Use(),
    )


def _path(steps: Sequence[str]) -> tuple[str, ...]:
    return tuple(step for step, _ in groupby(steps))


_BY_OUTCOME = {
    OutcomeState.ACCEPTED: Output.ACCEPTED,
    OutcomeState.REJECTED: Output.REJECTED,
    OutcomeState.REVERTED: Output.REVERTED,
}


def output_of(job: JobFact) -> Output:
    """What git shows of the work; where it shows nothing yet, how the job ended."""
    found = None if job.outcome is None else _BY_OUTCOME.get(job.outcome)
    if found is None:
        match job.stop_reason:
            case "":
                return Output.UNDER_WAY
            case StopReason.ACCEPTED.value:
                found = Output.ACCEPTED
            case StopReason.REJECTED.value:
                found = Output.REJECTED
            case _:
                return Output.NONE
    return Output.EDITED if found is Output.ACCEPTED and job.edited else found
