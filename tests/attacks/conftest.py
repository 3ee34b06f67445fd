"""A host with something to steal: a secret in every place where secrets are kept."""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_REMOVE = 0
_MADE_ANEW = 0o1000 | 0o2000 | 0o666
_HOME_FILES = (".ssh/id_ed25519", ".netrc", ".git-credentials", ".aws/credentials", ".config/gh/hosts.yml")


@pytest.fixture
def prey(tmp_path: Path) -> Iterator[dict[str, object]]:
    """What the host keeps, as facts for an attack: it knows where to look."""
    secret = f"sk-pretend-{secrets.token_hex(8)}"
    word = f"bystander-{secrets.token_hex(8)}"
    place = tmp_path / "host"
    for name in _HOME_FILES:
        (place / "home" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "home" / name).write_text(secret)
    (place / "canary").write_text(secret)
    (place / "setup").mkdir()
    (place / "setup" / "tool").write_text("untouched")
    bystander = subprocess.Popen(
        [sys.executable, "-S", "-c", "import sys; sys.stdin.read()", word],
        stdin=subprocess.PIPE,
        env={"API_KEY": secret, "PATH": "/usr/bin:/bin"},
    )
    memory = ctypes.CDLL(None)
    key = secrets.randbelow(2**30) + 1
    segment = memory.shmget(key, 4096, _MADE_ANEW)
    shared = Path("/dev/shm", f"thirdshift-{secrets.token_hex(8)}")
    shared.write_text(secret)
    with socket.socket() as loopback, socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as agent:
        loopback.bind(("127.0.0.1", 0))
        loopback.listen()
        name = f"thirdshift-{secrets.token_hex(8)}"
        abstract.bind("\0" + name)
        abstract.listen()
        directory = os.open(place, os.O_PATH)
        agent.bind(f"/proc/self/fd/{directory}/agent")
        os.close(directory)
        agent.listen()
        yield {
            "secret": secret,
            "bystander": bystander.pid,
            "bystander_word": word,
            "canary": str(place / "canary"),
            "home": str(place / "home"),
            "setup": str(place / "setup"),
            "agent": str(place / "agent"),
            "abstract": name,
            "port": loopback.getsockname()[1],
            "shm_key": key,
            "shm_name": shared.name,
        }
    shared.unlink()
    memory.shmctl(segment, _REMOVE, None)
    bystander.kill()
    bystander.communicate()
