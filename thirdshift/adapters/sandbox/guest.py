"""What a sandboxed command sees as its machine: users, names, certificates, environment.

The host's ``/etc`` stays outside; these few files stand in for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

USER_ID = 1000
HOME = "/home/agent"
WORKSPACE = "/workspace"
DEFAULT_PATH = ("/usr/local/bin", "/usr/bin", "/bin")

ROOT_DIRECTORIES = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Where programs and libraries are on systems that have not merged them into /usr."""

_FROM_THE_HOST = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
)

_PASSWD = f"""root:x:0:0:root:/nonexistent:/usr/sbin/nologin
agent:x:{USER_ID}:{USER_ID}:agent:{HOME}:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUP = f"""root:x:0:
agent:x:{USER_ID}:
nogroup:x:65534:
"""
_HOSTS = """127.0.0.1 localhost sandbox
::1 localhost sandbox
"""
_NSSWITCH = """passwd: files
group: files
hosts: files dns
services: files
protocols: files
"""


def etc_files(network: Literal["none", "host"]) -> dict[str, bytes]:
    """Return the files written for the guest, by path. With the host's network they can find names."""
    files = {
        "/etc/passwd": _PASSWD,
        "/etc/group": _GROUP,
        "/etc/hosts": _HOSTS,
        "/etc/nsswitch.conf": _NSSWITCH,
    }
    content = {path: text.encode() for path, text in files.items()}
    resolver = Path("/etc/resolv.conf")
    if network == "host" and resolver.is_file():
        content["/etc/resolv.conf"] = resolver.read_bytes()
    return content


def etc_mounts() -> tuple[str, ...]:
    """Return the host's files and directories beneath /etc that are shown as they are: nothing private is in them."""
    java = tuple(str(path) for path in Path("/etc").glob("java-*-openjdk"))
    return tuple(path for path in (*_FROM_THE_HOST, *java) if Path(path).exists())


def environment(plan_env: dict[str, str], path: tuple[str, ...]) -> dict[str, str]:
    """Return a command's whole environment. ``path`` comes before the default directories."""
    fixed = {
        "HOME": HOME,
        "USER": "agent",
        "LOGNAME": "agent",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "PWD": WORKSPACE,
        "PATH": ":".join(DEFAULT_PATH),
    }
    merged = fixed | plan_env
    merged["PATH"] = ":".join((*path, merged["PATH"]))
    return merged
