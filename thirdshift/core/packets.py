"""The order in which packets are done."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.history import LoopPolicy, StopReason
from thirdshift.core.spec import Packet


def packets_in_order(packets: Sequence[Packet]) -> tuple[Packet, ...]:
    """Every packet after those that it needs, otherwise as written.

    The spec was checked: needs name packets that are there, and do not go round in a cycle (ValueError if they do).
    """
    done: list[Packet] = []
    waiting = list(packets)
    while waiting:
        ids = {packet.id for packet in done}
        ready = next((packet for packet in waiting if set(packet.needs) <= ids), None)
        if ready is None:
            raise ValueError(f"packets need each other: {', '.join(packet.id for packet in waiting)}")
        done.append(ready)
        waiting.remove(ready)
    return tuple(done)


def policy_for_the_rest(policy: LoopPolicy, attempts: int, steps: int, seconds: float) -> LoopPolicy | StopReason:
    """The job's limits less what its earlier packets used, since each is a total over the job; or the one reached."""
    if attempts >= policy.max_attempts:
        return StopReason.MAX_ATTEMPTS
    if steps >= policy.max_steps:
        return StopReason.MAX_STEPS
    if seconds >= policy.max_wall_seconds:
        return StopReason.WALL_CLOCK
    left = {
        "max_attempts": policy.max_attempts - attempts,
        "max_steps": policy.max_steps - steps,
        "max_wall_seconds": policy.max_wall_seconds - seconds,
    }
    return policy.model_copy(update=left)
