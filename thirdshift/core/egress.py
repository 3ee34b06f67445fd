"""Which hosts a spec's ``setup`` may reach, and which requests and addresses are refused. No name is looked up here."""

from __future__ import annotations

import ipaddress
import re

from thirdshift.core.frozen import Frozen
from thirdshift.core.text import one_line

LONGEST_HEAD = 16 << 10
_SHOWN_CHARACTERS = 120
_HIGHEST_PORT = 65_535
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})+", re.ASCII)
_LONGEST_NAME = 253
# What resolvers read as a number: 127.1, 2130706433, 0x7f000001, 0177.0.0.1. No top-level domain begins with a digit.
_NUMERIC_END = re.compile(r"(^|\.)[0-9][0-9a-z]*$", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_REQUEST = re.compile(r"([A-Z]{1,16}) ([\x21-\x7e]{1,8000}) HTTP/1\.[01]", re.ASCII)
_FIELD = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x20-\x7e\t\x80-\xff]*)")
_ABSOLUTE = re.compile(r"http://([^/?#]*)((?:/[^#]*)?)", re.ASCII)
_HOP_BY_HOP = frozenset(
    ["connection", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade"]
)
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
"""Ranges whose addresses carry an IPv4 address: translators would take a packet where that one leads."""
_KEPT_OUT = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "fec0::/10")))
"""What Python 3.11 takes for public and a cloud, a protocol or an old site does not: the first is Azure's host agent,
in the second is Oracle's, the third leads to 6to4 relays."""


class EgressRefused(Exception):
    """A request for the network that is not on the list, or no proper request. The message is fit to be shown."""


class HostRule(Frozen):
    """One host that may be reached: exactly this name, on exactly this port."""

    name: str
    port: int

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.name}:{self.port}"


class Passage(Frozen):
    """A request that is on the list. ``head`` goes to the host first; a tunnel has none."""

    rule: HostRule
    tunnel: bool
    head: bytes = b""


def parse_host_rule(text: str) -> HostRule:
    """``name:port`` of a list. ValueError says what is wrong."""
    name, _, port = text.lower().rpartition(":")
    if why := _odd_name(name) or _odd_port(port):
        raise ValueError(f'{text!r} is no host of a list: {why}; write it like "pypi.org:443"')
    return HostRule(name=name, port=int(port))


def _odd_name(name: str) -> str:
    if not name:
        return "a port is missing, or a name"
    if _NUMERIC_END.search(name) or name.startswith("["):
        return "an address instead of a name"
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        return "an odd name"
    return ""


def _odd_port(port: str) -> str:
    return "" if _PORT.fullmatch(port) and int(port) <= _HIGHEST_PORT else "an odd port"


def read_request(head: bytes, allowed: frozenset[HostRule]) -> Passage:
    """What a whole request head, its empty line included, asks for. Raises EgressRefused.

    Two kinds are understood: CONNECT, and GET or HEAD of an absolute ``http://`` address, without a body. Everything
    that two readers could read in two ways is refused: bare line ends, folded lines, NUL, a second Host.
    """
    lines = _lines(head)
    asked = _REQUEST.fullmatch(lines[0])
    if asked is None:
        raise EgressRefused(f"no proper request: {one_line(lines[0], _SHOWN_CHARACTERS)}")
    method, target = asked.groups()
    fields = [_field(line) for line in lines[1:]]
    if method == "CONNECT":
        return Passage(rule=_listed(target, allowed), tunnel=True)
    if method not in ("GET", "HEAD"):
        raise EgressRefused(f"the method {method} of {one_line(target, _SHOWN_CHARACTERS)}")
    address = _ABSOLUTE.fullmatch(target)
    if address is None:
        raise EgressRefused(f"no absolute http address: {one_line(target, _SHOWN_CHARACTERS)}")
    authority, path = address.groups()
    rule = _listed(authority if ":" in authority else f"{authority}:80", allowed)
    return Passage(rule=rule, tunnel=False, head=_forwarded(method, path or "/", rule, fields))


def _lines(head: bytes) -> list[str]:
    text = head.decode("latin-1")
    if not text.endswith("\r\n\r\n"):
        raise EgressRefused("a request that does not end")
    lines = text.removesuffix("\r\n\r\n").split("\r\n")
    if any(mark in line for line in lines for mark in "\r\n\0"):
        raise EgressRefused(f"NUL or a bare line end in {one_line(lines[0], _SHOWN_CHARACTERS)}")
    return lines


def _field(line: str) -> tuple[str, str]:
    field = _FIELD.fullmatch(line)
    if field is None:
        raise EgressRefused(f"no proper header field: {one_line(line, _SHOWN_CHARACTERS)}")
    return field[1].lower(), field[2].strip()


def _listed(authority: str, allowed: frozenset[HostRule]) -> HostRule:
    name, _, port = authority.lower().rpartition(":")
    shown = one_line(authority, _SHOWN_CHARACTERS)
    if why := _odd_name(name) or _odd_port(port):
        raise EgressRefused(f"{shown}: {why}")
    rule = HostRule(name=name, port=int(port))
    if rule not in allowed:
        raise EgressRefused(f"{shown}: not in setup_hosts")
    return rule


def _forwarded(method: str, path: str, rule: HostRule, fields: list[tuple[str, str]]) -> bytes:
    names = [name for name, _ in fields]
    if "transfer-encoding" in names or any(name == "content-length" and value != "0" for name, value in fields):
        raise EgressRefused(f"{rule}: a request with a body")
    hosts = [value.lower() for name, value in fields if name == "host"]
    meant = {str(rule), rule.name} if rule.port == 80 else {str(rule)}
    if len(hosts) > 1 or not set(hosts) <= meant:
        raise EgressRefused(f"{rule}: another host in its header, {one_line(', '.join(hosts), _SHOWN_CHARACTERS)}")
    host = rule.name if rule.port == 80 else str(rule)
    kept = [f"{name}: {value}" for name, value in fields if name not in _HOP_BY_HOP and name != "content-length"]
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *kept, "connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def refused_address(text: str) -> str:
    """Why nothing connects to this numeric address, or an empty string where it is a public one."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "no address"
    inner = _embedded(address)
    if inner is not None:
        return refused_address(str(inner)) or "an address inside an address"
    if any(address.version == network.version and address in network for network in _KEPT_OUT):
        return "an address of the cloud or of a protocol"
    if address.is_multicast or address.is_reserved or not address.is_global:
        return "no public address"
    return ""


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _EMBEDDING) and int(address) > 1:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
