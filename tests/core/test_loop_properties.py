"""What holds for every history that a loop can have, and for those that none should."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.histories import START, ladder
from thirdshift.core.detectors import attempt_should_end
from thirdshift.core.history import (
    Accept,
    Attempt,
    AttemptEnd,
    AttemptRecord,
    Gate,
    LoopHistory,
    LoopPolicy,
    Move,
    Park,
    ReasonCode,
    Stop,
    StopReason,
)
from thirdshift.core.ladder import Ladder, Tier
from thirdshift.core.loop import best_tree, marginal_cost_nano, next_move
from thirdshift.core.outages import STATED_PATIENCE_SECONDS, Patience, attempts_that_count
from thirdshift.core.spec import GateKind
from thirdshift.core.verdict import VerdictBrief

MOST_WAITS = 400
CHECKS = ("lint", "unit", "cents", "slow")
exhaustive = settings(deadline=None, max_examples=200)


@st.composite
def verdicts(draw: st.DrawFn, most: int = len(CHECKS)) -> VerdictBrief:
    """A verdict with at most that many checks passing."""
    passed = draw(st.sets(st.sampled_from(CHECKS), max_size=most))
    return VerdictBrief(
        id=1,
        tree=draw(st.sampled_from("abcde")),
        passed=tuple(sorted(passed)),
        failed=tuple(check for check in CHECKS if check not in passed),
        out_of_scope=draw(st.sampled_from([0] * 9 + [1])),
        tampering=draw(st.sampled_from([0] * 9 + [1])),
        signature=draw(st.sampled_from(["", "s", "t"])),
    )


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    rungs = draw(st.lists(st.sampled_from("esf"), max_size=6))
    shape = ladder("".join(sorted(rungs, key="esf".index)))
    sized = tuple(rung.model_copy(update={"attempts": draw(st.integers(1, 4))}) for rung in shape.rungs)
    return Ladder(rungs=sized)


moments = st.integers(-10, 7200).map(lambda seconds: START + timedelta(seconds=seconds))
policies = st.builds(
    LoopPolicy,
    ladder=ladders(),
    first_tier=st.sampled_from(Tier),
    max_attempts=st.integers(1, 20),
    max_steps=st.integers(1, 200),
    max_wall_seconds=st.floats(1, 7200),
    window_closes_at=st.none() | moments,
    no_progress_attempts=st.integers(2, 12),
    repeated_failures=st.integers(2, 12),
    repeated_calls=st.integers(2, 5),
    oscillation_cycles=st.integers(2, 4),
    gates=st.sampled_from([(), (GateKind.FRONTIER,)]),
)
records = st.builds(
    AttemptRecord,
    number=st.integers(1, 20),
    rung=st.integers(-1, 7),
    reason=st.sampled_from(ReasonCode),
    end=st.sampled_from(AttemptEnd),
    verdict=st.none() | verdicts(),
    steps=st.integers(0, 30),
    cost_nano=st.integers(0, 10**12),
    evidence=st.text(max_size=30),
)
histories = st.builds(
    LoopHistory,
    started_at=st.just(START),
    baseline=st.none() | verdicts(),
    attempts=st.lists(records, max_size=12).map(tuple),
    stop_asked=st.none() | st.text(max_size=10),
    approved=st.sampled_from([(), (GateKind.FRONTIER,)]),
)

# Half of the lives have room: limits far off and ends after which a loop goes on, so that they climb.
roomy = st.builds(
    LoopPolicy,
    ladder=ladders().filter(lambda drawn: len(drawn.rungs) > 1),
    max_attempts=st.integers(6, 20),
    max_steps=st.just(10_000),
    max_wall_seconds=st.just(1e9),
    no_progress_attempts=st.integers(5, 30),
    repeated_failures=st.integers(5, 30),
    oscillation_cycles=st.just(4),
    gates=st.sampled_from([(), (GateKind.FRONTIER,)]),
)
lively_ends = st.sampled_from([AttemptEnd.FINISHED] * 6 + [AttemptEnd.PROVIDER, AttemptEnd.REPEATING])
any_end = st.sampled_from(AttemptEnd)


@dataclass
class Life:
    """A loop as it was lived: each move, and the history that it was made on."""

    policy: LoopPolicy
    moves: list[tuple[LoopHistory, datetime, Move]]

    @property
    def attempts(self) -> list[tuple[LoopHistory, datetime, Attempt]]:
        return [(past, now, move) for past, now, move in self.moves if isinstance(move, Attempt)]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Drive ``next_move`` with arbitrary outcomes until it ends; it has to, within attempts and one gate."""
    has_room = draw(st.booleans())
    policy = draw(roomy if has_room else policies)
    past = LoopHistory(started_at=START, baseline=draw(st.none() | verdicts()))
    now = START
    in_window = draw(st.booleans())
    life = Life(policy, [])
    for _ in range(policy.max_attempts + MOST_WAITS):
        patience = Patience(in_window=in_window, jitter01=draw(st.floats(0, 1)))
        move = next_move(past, policy, now, patience)
        life.moves.append((past, now, move))
        if isinstance(move, Accept | Stop):
            return life
        if isinstance(move, Gate):
            past = past.model_copy(update={"approved": (*past.approved, move.kind)})
            continue
        if isinstance(move, Park):
            waited = (move.until - now).total_seconds()
            assert waited > 0
            past = past.model_copy(
                update={
                    "waited_after": past.attempts[-1].number,
                    "waited_seconds": past.waited_seconds + waited,
                    "provider_waited_seconds": past.provider_waited_seconds + waited,
                }
            )
            now = move.until
            continue
        assert isinstance(move, Attempt)
        now += timedelta(seconds=draw(st.integers(0, 600)))
        record = draw_outcome(draw, move, past, has_room)
        if record.end is AttemptEnd.PROVIDER:
            record = record.model_copy(update=draw_absence(draw, now))
        past = past.model_copy(update={"attempts": (*past.attempts, record)})
    raise AssertionError(f"{policy.max_attempts} attempts allowed and no end after {len(life.moves)} moves")


def draw_absence(draw: st.DrawFn, now: datetime) -> dict[str, datetime | None]:
    """What a provider that failed says of its return: nothing, a time, or nothing of trouble that passes."""
    match draw(st.sampled_from(["gone", "passing", "stated"])):
        case "passing":
            return {"failed_at": now}
        case "stated":
            return {"failed_at": now, "back_at": now + timedelta(seconds=draw(st.integers(600, 12 * 3600)))}
    return {}


def draw_outcome(draw: st.DrawFn, move: Attempt, past: LoopHistory, has_room: bool) -> AttemptRecord:
    end = draw(lively_ends if has_room else any_end)
    unjudged = end in {AttemptEnd.PROVIDER, AttemptEnd.STOPPED}
    return AttemptRecord(
        number=len(past.attempts) + 1,
        rung=move.rung,
        reason=move.reason,
        end=end,
        verdict=None if unjudged else draw(verdicts(most=3 if has_room else 4)),
        steps=draw(st.integers(0, 12)),
        cost_nano=draw(st.integers(0, 10**9)),
    )


def tier_of(life: Life, rung: int) -> Tier:
    return life.policy.ladder.rungs[rung].tier


@exhaustive
@given(lives())
def test_every_loop_ends_within_its_attempts(life: Life) -> None:
    assert isinstance(life.moves[-1][2], Accept | Stop)
    made = life.moves[-1][0]
    assert attempts_that_count(made) <= life.policy.max_attempts
    outages = sum(a.end is AttemptEnd.PROVIDER for a in made.attempts)
    assert len(life.attempts) <= life.policy.max_attempts + outages


@exhaustive
@given(lives())
def test_a_loop_never_goes_up_unless_a_rung_below_was_used_up_in_failed_verdicts(life: Life) -> None:
    for past, _, move in life.attempts:
        if not past.attempts:
            continue
        before = tier_of(life, past.attempts[-1].rung)
        if tier_of(life, move.rung).height > before.height:
            assert move.reason is ReasonCode.VERIFICATION_FAILED
            assert any(
                sum(a.rung == i and a.verdict is not None and not a.verdict.ok for a in past.attempts)
                >= life.policy.ladder.rungs[i].attempts
                for i in life.policy.ladder.of(before)
            )


@exhaustive
@given(lives())
def test_a_climb_leaves_no_sibling_untried_that_still_answers(life: Life) -> None:
    for past, _, move in life.attempts:
        if not past.attempts or move.reason is not ReasonCode.VERIFICATION_FAILED:
            continue
        before = tier_of(life, past.attempts[-1].rung)
        if tier_of(life, move.rung) is before:
            continue
        for i in life.policy.ladder.of(before):
            on_rung = [a for a in past.attempts if a.rung == i]
            is_down = bool(on_rung) and on_rung[-1].end is AttemptEnd.PROVIDER
            assert is_down or sum(a.verdict is not None for a in on_rung) >= life.policy.ladder.rungs[i].attempts


@exhaustive
@given(lives())
def test_a_loop_never_goes_down_and_back_to_a_provider_that_failed_only_when_that_is_due(life: Life) -> None:
    for past, now, move in life.attempts:
        for earlier in past.attempts:
            assert tier_of(life, move.rung).height >= tier_of(life, earlier.rung).height
        before = [a for a in past.attempts if a.rung == move.rung][-1:]
        if before and before[0].end is AttemptEnd.PROVIDER:
            assert move.reason is ReasonCode.PROVIDER_BACK
            assert before[0].failed_at is not None
            assert now >= (before[0].back_at or before[0].failed_at + timedelta(seconds=60))


@exhaustive
@given(lives())
def test_a_wait_for_a_provider_is_bounded_and_ends_in_an_attempt_on_the_same_tier(life: Life) -> None:
    for (past, now, move), (_, _, following) in zip(life.moves, life.moves[1:], strict=False):
        if not isinstance(move, Park):
            continue
        wait = (move.until - now).total_seconds()
        assert past.provider_waited_seconds + wait <= max(STATED_PATIENCE_SECONDS, life.policy.max_wall_seconds) + 300
        if isinstance(following, Attempt):
            assert following.reason is ReasonCode.PROVIDER_BACK
            assert tier_of(life, following.rung) is tier_of(life, past.attempts[-1].rung)
        else:
            assert isinstance(following, Stop | Gate), "a wait is not followed by another one"


@exhaustive
@given(lives())
def test_sideways_never_changes_the_tier(life: Life) -> None:
    for past, _, move in life.attempts:
        if move.reason is ReasonCode.SIDEWAYS_PROVIDER:
            assert tier_of(life, move.rung) is tier_of(life, past.attempts[-1].rung)


@exhaustive
@given(lives())
def test_a_rung_is_never_given_more_failed_verdicts_than_it_is_allowed(life: Life) -> None:
    for past, _, move in life.attempts:
        failed = sum(a.rung == move.rung and a.verdict is not None for a in past.attempts)
        assert failed < life.policy.ladder.rungs[move.rung].attempts


@exhaustive
@given(lives())
def test_only_the_first_attempt_is_called_the_first(life: Life) -> None:
    for past, _, move in life.attempts:
        assert (move.reason is ReasonCode.FIRST) is (not past.attempts)


@exhaustive
@given(lives())
def test_no_frontier_attempt_is_made_before_its_gate_is_approved(life: Life) -> None:
    for past, _, move in life.attempts:
        if tier_of(life, move.rung) is Tier.FRONTIER and GateKind.FRONTIER in life.policy.gates:
            assert GateKind.FRONTIER in past.approved


@exhaustive
@given(histories, policies, moments)
def test_no_attempt_and_no_gate_is_ever_past_a_limit(past: LoopHistory, policy: LoopPolicy, now: datetime) -> None:
    if isinstance(next_move(past, policy, now), Attempt | Gate):
        assert len(past.attempts) < policy.max_attempts
        assert past.steps < policy.max_steps
        assert (now - past.started_at).total_seconds() < policy.max_wall_seconds
        assert policy.window_closes_at is None or now < policy.window_closes_at
        assert past.stop_asked is None


@exhaustive
@given(histories, policies, moments, verdicts())
def test_success_is_never_masked(past: LoopHistory, policy: LoopPolicy, now: datetime, verdict: VerdictBrief) -> None:
    won = verdict.model_copy(update={"passed": CHECKS, "failed": (), "out_of_scope": 0, "tampering": 0})
    last = AttemptRecord(
        number=99, rung=0, reason=ReasonCode.FIRST, end=AttemptEnd.BUDGET, verdict=won, steps=999, cost_nano=0
    )
    past = past.model_copy(update={"attempts": (*past.attempts, last)})
    assert next_move(past, policy, now) == Accept(attempt=99, tree=won.tree)


@exhaustive
@given(histories, policies, moments)
def test_nothing_is_accepted_that_did_not_pass(past: LoopHistory, policy: LoopPolicy, now: datetime) -> None:
    move = next_move(past, policy, now)
    passed = [(a.number, a.verdict.tree) for a in past.attempts if a.verdict is not None and a.verdict.ok]
    if isinstance(move, Accept):
        assert (move.attempt, move.tree) in passed
    else:
        assert not passed


@exhaustive
@given(histories, policies, moments)
def test_no_attempt_starts_from_a_tree_whose_verdict_was_tampered_or_out_of_scope(
    past: LoopHistory, policy: LoopPolicy, now: datetime
) -> None:
    move = next_move(past, policy, now)
    start = move.start_tree if isinstance(move, Attempt) else best_tree(past)
    if start is not None:
        honest = [
            a.verdict
            for a in past.attempts
            if a.verdict is not None and not a.verdict.tampering and not a.verdict.out_of_scope
        ]
        most = max(len(verdict.passed) for verdict in honest)
        assert start in {verdict.tree for verdict in honest if len(verdict.passed) == most}
        assert past.baseline is None or most > len(past.baseline.passed)


@exhaustive
@given(histories, policies, moments)
def test_the_policy_is_total_and_deterministic(past: LoopHistory, policy: LoopPolicy, now: datetime) -> None:
    move = next_move(past, policy, now)
    again = LoopHistory.model_validate_json(past.model_dump_json())
    assert next_move(again, LoopPolicy.model_validate_json(policy.model_dump_json()), now) == move


@exhaustive
@given(histories, policies, moments)
def test_every_stop_comes_with_evidence_in_figures(past: LoopHistory, policy: LoopPolicy, now: datetime) -> None:
    move = next_move(past, policy, now)
    if isinstance(move, Stop):
        assert move.reason is not StopReason.ACCEPTED
        assert any(character.isdigit() for character in move.evidence)
        assert len(move.evidence) < 1000


@exhaustive
@given(histories)
def test_the_marginal_cost_is_never_more_than_the_cost(past: LoopHistory) -> None:
    assert 0 <= marginal_cost_nano(past) <= past.cost_nano


@exhaustive
@given(st.text("ab", max_size=30), st.text("xyz", max_size=30), policies)
def test_circles_in_an_attempt_are_seen_whatever_came_before_them(steps: str, trees: str, policy: LoopPolicy) -> None:
    circling = steps + "cd" * policy.repeated_calls
    assert attempt_should_end(list(circling), list(trees), policy) is AttemptEnd.REPEATING
    assert attempt_should_end([], list(trees + "pq" * policy.oscillation_cycles), policy) is AttemptEnd.OSCILLATING
    assert attempt_should_end([], ["x"] * len(trees), policy) is None
