"""A spec's setup and the hosts of the configuration: from the loop's context to the proxy and the far side."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from activities.context import LoopContext, read_context, sandbox_plan
from activities.services import Services
from tests.activities.bench import JOB, LOOP, PlayedModel, always, answer, open_attempt, services_at
from tests.activities.test_tools import repository
from tests.attacks.test_egress import PUBLIC, World
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.egress import EgressProxy
from thirdshift.adapters.sandbox.setup_cache import SetupCache
from thirdshift.core.egress import HostRule
from thirdshift.core.errors import SetupFailed

ASK = """
import os, socket, sys
way_out = os.environ.get("HTTPS_PROXY", "http://127.0.0.1:3128").rpartition(":")[2]
with socket.create_connection(("127.0.0.1", int(way_out)), timeout=20) as s:
    s.sendall(f"CONNECT {sys.argv[1]} HTTP/1.1\\r\\n\\r\\nhello".encode())
    s.shutdown(socket.SHUT_WR)
    said = s.makefile("rb").read().decode("latin-1")
print(said)
sys.exit(0 if "MARK hello" in said else 9)
"""


def asking(host: str) -> str:
    return f"python3 -I -c {shlex.quote(ASK)} {host}"


class Place:
    """Real services whose setups go out through the real proxy; behind it, names lead to loopback."""

    def __init__(self, root: Path, world: World) -> None:
        self.world = world
        self.root = root
        self.refusals: list[str] = []
        services = services_at(root, PlayedModel(always(answer())))
        setups = SetupCache(Bubblewrap(), root / "cache", self._proxy)
        self.services: Services = replace(services, setups=setups)
        base = self.services.hub.resolve(str(repository(root)), "main")
        imported = self.services.hub.import_base(str(root / "repo"), base.commit, JOB)
        open_attempt(self.services, imported.tree, imported.commit)

    def _proxy(self, allowed: frozenset[HostRule]) -> EgressProxy:
        return EgressProxy(allowed, self.refusals.append, resolve=self.world.resolve, dial=self.world.dial)

    async def set_up(self, command: str, hosts: tuple[str, ...]) -> None:
        context: LoopContext = read_context(self.services, LOOP)
        context = context.model_copy(update={"spec": context.spec.model_copy(update={"setup": command})})
        services = replace(self.services, setup_hosts=hosts)
        (self.root / "w").mkdir(exist_ok=True)
        await sandbox_plan(services, context, str(self.root / "w"))


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    world = World()
    server = await asyncio.start_server(world.answer, "127.0.0.1", 0)
    world.port = server.sockets[0].getsockname()[1]
    yield Place(tmp_path, world)
    server.close()


async def test_a_setup_reaches_the_hosts_that_the_configuration_lists(place: Place) -> None:
    await place.set_up(asking("good.example.org:443"), ("good.example.org:443",))
    assert place.world.reached == [(PUBLIC, 443)]
    assert place.refusals == []


async def test_a_setup_reaches_no_other_host_and_its_error_says_which_was_refused(place: Place) -> None:
    with pytest.raises(SetupFailed, match=r"evil\.example\.org"):
        await place.set_up(asking("evil.example.org:443"), ("good.example.org:443",))
    assert place.world.reached == []
    assert len(place.refusals) == 1


async def test_with_an_empty_list_there_is_no_way_out(place: Place) -> None:
    with pytest.raises(SetupFailed):
        await place.set_up(asking("good.example.org:443"), ())
    assert (place.world.asked, place.world.reached) == ([], [])
