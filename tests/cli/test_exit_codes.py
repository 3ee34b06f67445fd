import pytest

from thirdshift.cli.exit_codes import ExitCode, code_for_stop
from thirdshift.core.history import StopReason
from thirdshift.core.views import JobState, state_after

CODES = {
    JobState.ACCEPTED: {ExitCode.DONE},
    JobState.REJECTED: {ExitCode.FAILED},
    JobState.STOPPED: {ExitCode.LIMIT},
    JobState.FAILED: {ExitCode.FAILED, ExitCode.BAD_INPUT, ExitCode.UNAVAILABLE},
}


@pytest.mark.parametrize("reason", set(StopReason) - {StopReason.STOPPED_BY_PERSON})
def test_the_exit_code_of_every_end_agrees_with_its_state(reason: StopReason) -> None:
    assert code_for_stop(reason) in CODES[state_after(reason)]


def test_a_person_stops_a_job_and_is_no_limit() -> None:
    reason = StopReason.STOPPED_BY_PERSON
    assert (state_after(reason), code_for_stop(reason)) == (JobState.STOPPED, ExitCode.FAILED)


def test_a_ladder_that_runs_out_is_a_limit() -> None:
    reason = StopReason.LADDER_EXHAUSTED
    assert (state_after(reason), code_for_stop(reason)) == (JobState.STOPPED, ExitCode.LIMIT)


def test_what_nobody_foresaw_is_a_failure() -> None:
    assert (state_after(StopReason.FAILED), code_for_stop(StopReason.FAILED)) == (JobState.FAILED, ExitCode.FAILED)
