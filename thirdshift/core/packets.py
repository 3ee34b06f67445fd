"""The order in which packets are done."""

from __future__ import annotations

from collections.abc import Sequence

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
