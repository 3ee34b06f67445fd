from __future__ import annotations

import base64
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from thirdshift.core.text import REDACTED, fence_for, fenced, has_hidden, head_and_tail, one_line, redact, visible

ANY = st.text(alphabet=st.characters(exclude_categories=[]), max_size=200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("grün 日本 👍", "grün 日本 👍"),
        ("a\u202eb", "a<U+202E>b"),
        ("\x1b[31mred", "<U+001B>[31mred"),
        ("\x1b]0;title\x07", "<U+001B>]0;title<U+0007>"),
        ("zero\u200bwidth\ufeff", "zero<U+200B>width<U+FEFF>"),
        ("half \ud800", "half <U+D800>"),
        ("own \ue000", "own <U+E000>"),
        ("tag \U000e0041", "tag <U+E0041>"),
        ("line\u2028end", "line<U+2028>end"),
        ("filler \u3164", "filler <U+3164>"),
        ("cr\r\n", "cr<U+000D>\n"),
        ("c1 \x9b31m", "c1 <U+009B>31m"),
        ("✔\ufe0f", "✔\ufe0f"),
        ("✔\ufe0f\ufe0e", "✔\ufe0f<U+FE0E>"),
        ("a\ufe00", "a<U+FE00>"),
    ],
)
def test_hidden_characters_are_written_out_and_others_stay(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY)
def test_visible_text_is_encodable_stays_as_it_is_and_has_no_control_left(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown
    assert has_hidden(text) is (shown != text)
    assert not {unicodedata.category(c) for c in shown if c not in "\n\t"} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@given(ANY, st.integers(min_value=3, max_value=50))
def test_one_line_is_one_line_of_at_most_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


@given(st.binary(max_size=2000), st.integers(min_value=0, max_value=400))
def test_head_and_tail_is_bounded_and_visible(data: bytes, limit: int) -> None:
    shown = head_and_tail(data, limit)
    assert visible(shown) == shown
    assert len(shown.encode()) <= limit + 80


@given(st.text(alphabet="abcdé\n", min_size=1, max_size=3000), st.integers(min_value=40, max_value=200))
def test_a_cut_says_exactly_how_much_is_missing_and_keeps_both_ends(text: str, limit: int) -> None:
    data = text.encode()
    shown = head_and_tail(data, limit)
    if len(data) <= limit:
        assert shown == text
        return
    head, _, rest = shown.partition("[... ")
    said, _, tail = rest.partition(" bytes cut here ...]\n")
    cut, total = said.split(" of ")
    assert int(total) == len(data)
    assert text.endswith(tail)
    kept_head = len(data) - int(cut) - len(tail.encode())
    assert data[:kept_head].decode() in (head, head.removesuffix("\n"))
    assert kept_head + len(tail.encode()) >= limit // 2


def test_a_cut_falls_on_line_ends_where_there_are_some() -> None:
    data = b"".join(b"line %d\n" % number for number in range(1000))
    head, tail = head_and_tail(data, 200).split(f"[... {1000 * 9 - 110 - 180} of")[0], head_and_tail(data, 200)
    assert all(line.startswith(("line ", "[... ")) for line in tail.splitlines())
    assert head.startswith("line 0\n")


def test_windows_line_ends_of_output_become_plain_and_bad_bytes_are_marked() -> None:
    assert head_and_tail(b"a\r\nb\xff\r\n", 100) == "a\nb\ufffd\n"


def test_output_that_grows_when_shown_stays_within_the_limit() -> None:
    assert len(head_and_tail(b"\x1b" * 5000, 400).encode()) <= 480


@given(st.text(alphabet="`a\n ", max_size=80))
def test_nothing_inside_a_fence_can_close_it(text: str) -> None:
    fence = fence_for(text)
    assert set(fence) == {"`"}
    assert len(fence) >= 3
    assert fence not in text
    first, *inside, last = fenced(text, "python").split("\n")
    assert (first, last) == (f"{fence}python", fence)
    assert "\n".join(inside).rstrip("\n") == text.rstrip("\n")


SECRETS = {
    "an anthropic key": "sk-ant-api03-" + "Ab1_" * 10,
    "an openai key": "sk-proj-" + "Zx9-" * 10,
    "an aws key id": "AKIA" + "ABCDEFGH12345678",
    "a github token": "ghp_" + "a1B2" * 9,
    "a github fine-grained token": "github_pat_" + "a1B2" * 12,
    "a gitlab token": "glpat-" + "a1B2" * 5,
    "a slack token": "xoxb-123456789012-abcdef",
    "a google key": "AIza" + "a1B2c3D" * 5,
    "a hugging face token": "hf_" + "aB3d" * 9,
    "a pypi token": "pypi-" + "AgEI" * 15,
    "a jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE" + "x" * 60 + "\n-----END RSA PRIVATE KEY-----",
    "a private key that was cut": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn" + "x" * 60,
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_what_has_the_shape_of_a_secret_is_redacted(secret: str) -> None:
    assert redact(f"before: {secret}") == f"before: {REDACTED}"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdef0123456789abcdef", f"Authorization: Bearer {REDACTED}"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {REDACTED}"),
        ("x-api-key: 0123456789abcdef0123", f"x-api-key: {REDACTED}"),
        ("https://bob:hunter2@host/x", f"https://bob:{REDACTED}@host/x"),
        ("postgresql+psycopg://u:p%40ss@db/x", f"postgresql+psycopg://u:{REDACTED}@db/x"),
        ("DB_PASSWORD=correct-horse-1\n", f"DB_PASSWORD={REDACTED}\n"),
        ("export SOME_API_KEY='0123456789abcdef'", f"export SOME_API_KEY='{REDACTED}'"),
    ],
)
def test_the_name_before_a_secret_stays(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "token = parse(source)",
        "see https://example.org:8080/path?x=1",
        "git@github.com:owner/name.git",
        "a basic src/module1/thing_of_some_length.py",
        "the task-runner-that-is-quite-long-1234 ran",
        "PASSWORD=$DB_PASSWORD",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


@given(ANY, st.text(alphabet="abcXYZ012+/=&% é", min_size=6, max_size=40), ANY)
def test_known_secrets_are_gone_in_any_usual_spelling(before: str, secret: str, after: str) -> None:
    assume(secret not in REDACTED)
    raw = secret.encode()
    whole_characters = base64.b64encode(raw).decode()[: len(raw) * 8 // 6]
    for spelling in (secret, quote(secret, safe=""), whole_characters):
        left = redact(f"{before} {spelling} {after}", [secret])
        assert spelling not in left or spelling in REDACTED


@pytest.mark.parametrize("around", ["", "a", "ab", "user:", "{'key': '"])
def test_a_known_secret_is_found_in_base64_wherever_it_begins(around: str) -> None:
    secret = "correct horse battery staple"
    encoded = base64.b64encode(f"{around}{secret}, and so on".encode()).decode()
    left = redact(encoded, [secret])
    assert REDACTED in left
    assert len(left.replace(REDACTED, "")) < len(encoded) - len(secret)


@given(ANY, st.lists(st.text(alphabet="abc012", min_size=6, max_size=12), max_size=3))
def test_redacting_again_changes_nothing(text: str, secrets: list[str]) -> None:
    once = redact(text, secrets)
    assert redact(once, secrets) == once


def test_values_too_short_to_be_secrets_do_not_tear_words_apart() -> None:
    assert redact("a cat sat", ["a", "cat", ""]) == "a cat sat"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert redact("x abcdef123456 y", ["abcdef", "abcdef123456"]) == f"x {REDACTED} y"


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----\n" * 20_000,
        "a.b-" * 200_000,
        "eyJ" * 200_000,
        "A_TOKEN" * 100_000,
        "http://" * 100_000,
        "bearer " * 100_000,
        "x://u:" + "p" * 600_000,
    ],
)
@pytest.mark.timeout(30)
def test_no_text_makes_redaction_slow(text: str) -> None:
    assert len(redact(text)) <= len(text)
