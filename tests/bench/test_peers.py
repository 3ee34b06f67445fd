from __future__ import annotations

from bench.rig.peers import cache_key


def test_an_environment_is_known_by_its_requirements_and_its_interpreter() -> None:
    key = cache_key("peer", ["a==1", "b==2"], python="3.11")
    assert key.startswith("peer-")
    assert key == cache_key("peer", ["b==2", "a==1"], python="3.11")
    assert key != cache_key("peer", ["a==1", "b==3"], python="3.11")
    assert key != cache_key("peer", ["a==1", "b==2"], python="3.12")
