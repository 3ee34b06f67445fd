"""What a setup command may ask of the network, as a table."""

from __future__ import annotations

import pytest

from thirdshift.core.egress import EgressRefused, HostRule, parse_host_rule, read_request, refused_address

PYPI = HostRule(name="pypi.org", port=443)
PLAIN = HostRule(name="deb.example.org", port=80)
ODD = HostRule(name="mirror.example.org", port=8080)
ALLOWED = frozenset([PYPI, PLAIN, ODD])


def connect(target: str, fields: str = "") -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")


def get(target: str, fields: str = "", method: str = "GET") -> bytes:
    return f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")


@pytest.mark.parametrize(
    "head", [connect("pypi.org:443"), connect("PyPI.org:443", "Host: pypi.org:443\r\nUser-Agent: pip\r\n")]
)
def test_a_listed_host_gets_a_tunnel(head: bytes) -> None:
    passage = read_request(head, ALLOWED)
    assert (passage.rule, passage.tunnel, passage.head) == (PYPI, True, b"")


def test_a_plain_request_is_rewritten_for_its_host_and_asks_for_one_answer() -> None:
    fields = "Host: deb.example.org\r\nProxy-Authorization: Basic eA==\r\nConnection: keep-alive\r\nAccept: */*\r\n"
    passage = read_request(get("http://deb.example.org/dists/x?y=1", fields), ALLOWED)
    assert (passage.rule, passage.tunnel) == (PLAIN, False)
    assert passage.head == (
        b"GET /dists/x?y=1 HTTP/1.1\r\nhost: deb.example.org\r\naccept: */*\r\nconnection: close\r\n\r\n"
    )


def test_a_plain_request_to_another_port_names_it() -> None:
    passage = read_request(get("http://mirror.example.org:8080", "Host: mirror.example.org:8080\r\n"), ALLOWED)
    assert passage.head.startswith(b"GET / HTTP/1.1\r\nhost: mirror.example.org:8080\r\n")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("evil.example:443", "not in setup_hosts"),
        ("sub.pypi.org:443", "not in setup_hosts"),
        ("pypi.org.evil.example:443", "not in setup_hosts"),
        ("xpypi.org:443", "not in setup_hosts"),
        ("pypi.org:80", "not in setup_hosts"),
        ("pypi.org:22", "not in setup_hosts"),
        ("pypi.org", "port is missing"),
        ("pypi.org:", "odd port"),
        ("pypi.org:0443", "odd port"),
        ("pypi.org:+443", "odd port"),
        ("pypi.org:65979", "odd port"),
        ("pypi.org:443/", "odd port"),
        ("pypi.org.:443", "odd name"),
        ("*.pypi.org:443", "odd name"),
        ("user@pypi.org:443", "odd name"),
        ("pypi.org%00.evil.example:443", "odd name"),
        ("pypi.org#.evil.example:443", "odd name"),
        ("pypi.org\\.evil.example:443", "odd name"),
        ("localhost:443", "odd name"),
        ("127.0.0.1:443", "address"),
        ("2130706433:443", "address"),
        ("0x7f000001:443", "address"),
        ("0177.0.0.1:443", "address"),
        ("127.1:443", "address"),
        ("[::1]:443", "address"),
        ("169.254.169.254:80", "address"),
        ("http://pypi.org:443", "odd name"),
    ],
)
def test_any_other_target_is_refused_by_name(target: str, said: str) -> None:
    with pytest.raises(EgressRefused, match=said):
        read_request(connect(target), ALLOWED)


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"CONNECT pypi.org:443\r\n\r\n",
        b"CONNECT  pypi.org:443 HTTP/1.1\r\n\r\n",
        b"connect pypi.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT pypi.org:443 HTTP/2\r\n\r\n",
        b"CONNECT pypi.org:443 HTTP/1.1\n\r\n\r\n",
        b"CONNECT pypi.org\0.evil.example:443 HTTP/1.1\r\n\r\n",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX: a\0b\r\n\r\n",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX: a\nCONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"CONNECT pypi.org:443 HTTP/1.1\r\nX : a\r\n\r\n",
        "CONNECT pypi\uff0eorg:443 HTTP/1.1\r\n\r\n".encode(),
        b"CONNECT pypi.org:443 HTTP/1.1\r\n",
        get("/relative"),
        get("https://pypi.org/"),
        get("ftp://deb.example.org/"),
        get("http://deb.example.org@evil.example/"),
        get("http://evil.example/?http://deb.example.org/"),
        get("http://deb.example.org/#x"),
        get("http://deb.example.org/", "Host: evil.example\r\n"),
        get("http://deb.example.org/", "Host: deb.example.org\r\nHost: deb.example.org\r\n"),
        get("http://deb.example.org/", "Transfer-Encoding: chunked\r\n"),
        get("http://deb.example.org/", "Content-Length: 5\r\n"),
        get("http://deb.example.org/", "Content-Length: 0\r\nContent-Length: 9\r\n"),
        get("http://deb.example.org/", method="POST"),
        get("*", method="OPTIONS"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(EgressRefused):
        read_request(head, ALLOWED)


def test_a_refusal_shows_no_raw_control_characters() -> None:
    with pytest.raises(EgressRefused) as refusal:
        read_request(b"\x1b]0;title\x07 \x9b31m\r\n\r\n", ALLOWED)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:93.184.216.34",
        "pypi.org",
        "",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refused_address(address)


@pytest.mark.parametrize("address", ["151.101.0.223", "8.8.8.8", "2a04:4e42::223"])
def test_a_public_address_is_let_through(address: str) -> None:
    assert refused_address(address) == ""


@pytest.mark.parametrize(
    "text", ["pypi.org", ":443", "https://pypi.org:443", "*.pypi.org:443", "10.0.0.1:443", "[::1]:443", "pypi.org:0"]
)
def test_a_rule_is_an_exact_name_and_a_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like \"pypi\.org:443\""):
        parse_host_rule(text)


def test_a_rule_is_read_in_small_letters() -> None:
    assert str(parse_host_rule("PyPI.org:443")) == "pypi.org:443"
