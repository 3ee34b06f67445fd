"""What people, and windows, do to work that runs, written down: ``say``, ``raise_budget``, ``rest_job`` ..."""

from __future__ import annotations

from temporalio import activity

from activities.beating import this_workflow, whole
from activities.services import Services
from thirdshift.core.calls import Raise
from thirdshift.core.conversation import said_by_user
from thirdshift.core.steering import spoken
from thirdshift.core.text import one_line, redact
from thirdshift.gate_signatures import RaiseBudget, RestJob, Say, Steered, WakeJob

_DID = {"pause": "paused it", "resume": "let it go on", "steer": "said", "stop": "stopped it", "away": "is away"}
_TOLD_CHARACTERS = 400


class SteeringActivities:
    """Needs the ledger alone. Done twice, each is done once: the ledger sees to that, or the words are the same."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="say")
    async def say(self, given: Say) -> None:
        """Append a person's words to a conversation of the workflow that asks; the next call carries them."""
        services = self._services
        message = said_by_user(spoken(given.words.model_copy(update={"text": redact(given.words.text)})))
        await whole(services.ledger.say, this_workflow(), given.n, message, given.words.who)

    @activity.defn(name="note_steering")
    async def note_steering(self, given: Steered) -> None:
        """Write who did what into the job's journal."""
        services = self._services
        who, text = one_line(given.who), one_line(redact(given.text), _TOLD_CHARACTERS)
        line = f"{who} {_DID.get(given.what, given.what)}" + (f": {text}" if text else "")
        data: dict[str, str | int | float | bool | None] = {"what": given.what, "who": given.who, "identity": "claimed"}
        await whole(services.ledger.note, given.job_id, "steering", line, data, services.clock())

    @activity.defn(name="rest_job")
    async def rest_job(self, given: RestJob) -> None:
        """Note that the job is parked: from now on the next night of its shift finds it."""
        services = self._services
        await whole(services.ledger.park_job, given.job_id, given.why, services.clock())

    @activity.defn(name="wake_job")
    async def wake_job(self, given: WakeJob) -> None:
        """Note that it goes on. Where a person would not wait, it works in no night any more."""
        ledger, services = self._services.ledger, self._services
        if given.outside:
            await whole(ledger.leave_night, given.job_id, given.who, services.clock())
        await whole(ledger.unpark_job, given.job_id, given.who, services.clock())

    @activity.defn(name="raise_budget")
    async def raise_budget(self, given: RaiseBudget) -> None:
        """Raise one cap for good; the ledger writes a raised job into its journal."""
        services = self._services
        by = Raise(
            raise_id=given.raise_id,
            kind=given.kind,
            key=given.key,
            by_nano=given.usd_nano,
            reviewer=given.reviewer,
            at=services.clock(),
        )
        await whole(services.ledger.raise_limit, by)
