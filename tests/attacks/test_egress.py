"""Setup commands that try to leave by the way out which they were given, and to reach what is not on its list."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.egress import EgressProxy, Streams
from thirdshift.adapters.sandbox.setup_cache import SetupCache, SetupRequest
from thirdshift.core.egress import HostRule
from thirdshift.core.errors import SetupFailed

PUBLIC = "151.101.0.223"
HOSTS = ("good.example.org:443", "plain.example.org:80", "moved.example.org:443", "mixed.example.org:443")
ADDRESSES = {
    "good.example.org": [PUBLIC],
    "plain.example.org": [PUBLIC],
    "moved.example.org": ["169.254.169.254"],
    "mixed.example.org": [PUBLIC, "127.0.0.1"],
    "evil.example.org": [PUBLIC],
}
RAW = """
import socket, sys
def ask(data, port=3128):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        got = b""
        while piece := s.recv(65536):
            got += piece
    return got.decode("latin-1")
"""


class World:
    """A far side that answers every connection with ``MARK`` and what it was sent, and notes where it was reached."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reached: list[tuple[str, int]] = []
        self.received: list[bytes] = []
        self.port = 0

    async def resolve(self, name: str, port: int) -> Sequence[str]:
        self.asked.append(name)
        return ADDRESSES[name]

    async def dial(self, address: str, port: int) -> Streams:
        self.reached.append((address, port))
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            got = await reader.read(65536)
            self.received.append(got)
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nMARK " + got)
            await writer.drain()
            writer.close()


class Setting:
    """A cache whose setups go out through a proxy to the world."""

    def __init__(self, directory: Path, world: World) -> None:
        self.world = world
        self.refusals: list[str] = []
        self._cache = SetupCache(Bubblewrap(), directory, self._proxy)

    def _proxy(self, allowed: frozenset[HostRule]) -> EgressProxy:
        return EgressProxy(allowed, self.refusals.append, resolve=self.world.resolve, dial=self.world.dial)

    async def run(self, python: str, hosts: tuple[str, ...] = HOSTS) -> str:
        """What a setup command in Python prints."""
        command = f"cat > /tmp/s.py <<'END'\n{RAW}{python}\nEND\npython3 -I /tmp/s.py; exit 9"
        with pytest.raises(SetupFailed) as ended:
            await self._cache.prepare(SetupRequest(command=command, hosts=hosts, timeout_seconds=60), lambda _: None)
        return str(ended.value).partition("Its output ends with:\n")[2]


@pytest_asyncio.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    world = World()
    server = await asyncio.start_server(world.answer, "127.0.0.1", 0)
    world.port = server.sockets[0].getsockname()[1]
    yield Setting(tmp_path / ("deep-" * 20) / "cache", world)
    server.close()


async def test_a_listed_host_is_reached_by_the_address_that_was_looked_up_here(setting: Setting) -> None:
    said = await setting.run(
        "import os\nprint(os.environ['HTTPS_PROXY'], os.environ['all_proxy'])\n"
        r"print(ask(b'CONNECT good.example.org:443 HTTP/1.1\r\n\r\nhello'))"
    )
    assert "http://127.0.0.1:3128 http://127.0.0.1:3128" in said
    assert "200 Connection established" in said
    assert "MARK hello" in said
    assert setting.world.reached == [(PUBLIC, 443)]
    assert setting.refusals == []


async def test_ordinary_programs_find_the_way_out_by_themselves(setting: Setting) -> None:
    said = await setting.run(
        "import urllib.request\nprint(urllib.request.urlopen('http://plain.example.org/x').read().decode())"
    )
    assert "MARK GET /x HTTP/1.1" in said
    assert "host: plain.example.org" in said


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (r"CONNECT evil.example.org:443 HTTP/1.1\r\n\r\nx", "not in setup_hosts"),
        (r"CONNECT good.example.org:22 HTTP/1.1\r\n\r\nx", "not in setup_hosts"),
        (r"CONNECT 169.254.169.254:443 HTTP/1.1\r\n\r\nx", "address instead of a name"),
        (r"CONNECT [::1]:443 HTTP/1.1\r\n\r\nx", "address instead of a name"),
        (r"CONNECT 2130706433:443 HTTP/1.1\r\n\r\nx", "address instead of a name"),
        (r"CONNECT moved.example.org:443 HTTP/1.1\r\n\r\nx", "169.254.169.254, no public address"),
        (r"CONNECT mixed.example.org:443 HTTP/1.1\r\n\r\nx", "127.0.0.1, no public address"),
        (r"CONNECT good.example.org\0.evil.example.org:443 HTTP/1.1\r\n\r\nx", "NUL"),
        (r"CONNECT good.example.org:443@evil.example.org:443 HTTP/1.1\r\n\r\nx", "odd name"),
        (r"GET http://evil.example.org/ HTTP/1.1\r\nHost: plain.example.org\r\n\r\n", "not in setup_hosts"),
        (r"GET http://plain.example.org/ HTTP/1.1\r\nHost: evil.example.org\r\n\r\n", "another host"),
        (r"POST http://plain.example.org/ HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "method POST"),
        (r"GET http://plain.example.org/ HTTP/1.1\r\nX: a\nHost: evil.example.org\r\n\r\n", "bare line end"),
        (r"GET http://plain.example.org/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "body"),
        ("X' + b'y' * 20000 + b'", "too long"),
        ("CONNECT good.example.org:443 HTTP/1.1", "does not end"),
    ],
)
async def test_a_request_off_the_list_reaches_nobody_and_is_told(setting: Setting, request_: str, refusal: str) -> None:
    said = await setting.run(f"print(ask(b'{request_}'))")
    assert "403 Forbidden" in said
    assert "MARK" not in said
    assert setting.world.reached == []
    assert [line for line in setting.refusals if refusal in line], setting.refusals


async def test_a_second_request_behind_a_first_one_is_read_by_nobody(setting: Setting) -> None:
    first = r"GET http://plain.example.org/ HTTP/1.1\r\nHost: plain.example.org\r\n\r\n"
    second = r"CONNECT evil.example.org:443 HTTP/1.1\r\n\r\nGET http://evil.example.org/ HTTP/1.1\r\n\r\n"
    said = await setting.run(f"print(ask(b'{first}{second}'))")
    assert said.count("MARK") == 1
    assert setting.world.asked == ["plain.example.org"]
    assert b"evil" not in b"".join(setting.world.received)


async def test_the_bridge_replaced_and_the_socket_used_directly_the_list_still_holds(setting: Setting) -> None:
    said = await setting.run(
        "s = socket.socket(socket.AF_UNIX); s.connect('/run/egress/proxy.sock')\n"
        r"s.sendall(b'CONNECT evil.example.org:443 HTTP/1.1\r\n\r\n'); print(s.recv(9999).decode())"
        "\nimport os\n"
        "for path in ('/run/egress/proxy.sock', '/run/egress/bridge.py'):\n"
        "    try: os.unlink(path); print('GONE')\n"
        "    except OSError as error: print(error.strerror)\n"
    )
    assert "403 Forbidden" in said
    assert "GONE" not in said
    assert setting.world.reached == []


async def test_there_is_no_way_round_the_proxy(setting: Setting) -> None:
    said = await setting.run(
        "for address in (('8.8.8.8', 53), ('169.254.169.254', 80), ('127.0.0.1', " + str(setting.world.port) + ")):\n"
        "    try: socket.create_connection(address, timeout=3); print('MARK')\n"
        "    except OSError as error: print('no')\n"
        "try: print('MARK', socket.gethostbyname('good.example.org'))\n"
        "except OSError: print('no')"
    )
    assert said.split() == ["no"] * 4


async def test_an_empty_list_means_no_way_out(setting: Setting) -> None:
    said = await setting.run(
        "import os\nprint(os.path.exists('/run/egress'), os.environ.get('HTTPS_PROXY'))\n"
        "try: socket.create_connection(('127.0.0.1', 3128), timeout=3); print('MARK')\n"
        "except OSError: print('no')",
        hosts=(),
    )
    assert said.split() == ["False", "None", "no"]


async def test_a_flood_of_refusals_is_counted_and_told_in_bounds(setting: Setting) -> None:
    said = await setting.run(
        r"for n in range(600): ask(b'CONNECT h%d.example.org:443 HTTP/1.1\r\n\r\n' % (n % 300))" "\nprint('done')"
    )
    assert said == "done\n"
    assert len(setting.refusals) < 450
    assert "not in setup_hosts (2 times in all)" in setting.refusals[-2]
    assert setting.refusals[-1].startswith("others (")


async def test_hanging_connections_end_with_the_setup(setting: Setting) -> None:
    await setting.run(
        "import os\nopen_ = [socket.create_connection(('127.0.0.1', 3128)) for _ in range(200)]\n"
        r"[s.sendall(b'CONNECT good.example.org:443 HTTP/1.1\r\n') for s in open_]"
        "\nos._exit(0)"
    )
    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    assert not [name for name in names if "EgressProxy" in name]


async def test_what_was_set_up_has_no_way_out_later_and_keeps_no_trace_of_it(tmp_path: Path) -> None:
    cache = SetupCache(Bubblewrap(), tmp_path / "cache")
    request = SetupRequest(command="mkdir vendor", hosts=("good.example.org:443",))
    result = await cache.prepare(request, lambda _: None)
    assert not [mount for mount in result.mounts if "egress" in mount.guest + mount.host]
    assert not [name for name in result.env if "proxy" in name.lower()]
    assert list((tmp_path / "cache").rglob("*.sock")) == []


async def test_a_refusal_is_in_the_log_and_in_the_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = SetupCache(Bubblewrap(), tmp_path / "cache")
    command = "curl -sS http://evil.example.org/ || python3 -c 'import urllib.request as u; " + (
        'u.urlopen("http://evil.example.org/")\'; exit 3'
    )
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(SetupFailed, match=r"evil\.example\.org:80: not in setup_hosts"),
    ):
        await cache.prepare(SetupRequest(command=command, hosts=("good.example.org:443",)), lambda _: None)
    assert "evil.example.org:80: not in setup_hosts" in caplog.text
