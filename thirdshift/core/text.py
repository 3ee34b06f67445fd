"""Hostile text: whatever a model, a command or a repository wrote, made fit to be shown, stored and sent."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

REDACTED = "<redacted>"
SHORTEST_SECRET = 6
"""A known value shorter than this is not looked for: it would tear ordinary words apart."""

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Characters of other categories that draw nothing: fillers and joiners (Unicode's Default_Ignorable_Code_Point).
_INVISIBLE = frozenset([0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2065, 0x3164, 0xFFA0])
_MAYBE_HIDDEN = re.compile(r"[^\x20-\x7e\n\t]")


@lru_cache(maxsize=8192)
def _is_hidden(character: str) -> bool:
    number = ord(character)
    return (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or number in _INVISIBLE
        or number & 0xFFFE == 0xFFFE
        or 0xFDD0 <= number <= 0xFDEF
        or 0xFFF0 <= number <= 0xFFF8
        or 0xE0000 <= number <= 0xE0FFF
        or 0xFE00 <= number <= 0xFE0D
    )


def _named(match: re.Match[str]) -> str:
    character = match.group()
    if character in "\ufe0e\ufe0f":
        # One presentation selector after a character is how emoji are written; more of them carry hidden data.
        before = match.string[match.start() - 1 : match.start()]
        hidden = "\ufe00" <= before <= "\ufe0f"
    else:
        hidden = _is_hidden(character)
    return f"<U+{ord(character):04X}>" if hidden else character


def visible(text: str) -> str:
    """The text with every character that does not show itself written out as ``<U+202E>``.

    That is: controls except newline and tab (so terminal escapes are inert), bidi and zero-width and all other
    format characters, private use, lone surrogates, line and paragraph separators, fillers and non-characters.
    The result is encodable as UTF-8, and making it visible again changes nothing.
    """
    return _MAYBE_HIDDEN.sub(_named, text)


def has_hidden(text: str) -> bool:
    """Whether ``visible`` would change the text."""
    return visible(text) != text


def one_line(text: str, limit: int = 80) -> str:
    """The text as one visible line of at most ``limit`` characters; a cut shows as three dots."""
    line = visible(" ".join(text[: limit * 4].split()))
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: max(0, limit - 3)] + "..."


def _decoded(data: bytes) -> str:
    return visible(data.decode("utf-8", "replace").replace("\r\n", "\n"))


def _head(data: bytes, room: int) -> bytes:
    """The longest start of ``data``, roughly, that takes at most ``room`` bytes when shown."""
    take = min(len(data), room)
    while take > 0:
        while take < len(data) and take > 0 and data[take] & 0xC0 == 0x80:
            take -= 1
        size = len(_decoded(data[:take]).encode())
        if size <= room:
            break
        take = min(take - 1, take * room // size)
    line_end = data.rfind(b"\n", take - take // 4, take) + 1
    return data[: line_end or take]


def _tail(data: bytes, room: int) -> bytes:
    take = min(len(data), room)
    while take > 0:
        while take > 0 and data[len(data) - take] & 0xC0 == 0x80:
            take -= 1
        size = len(_decoded(data[len(data) - take :]).encode())
        if size <= room:
            break
        take = min(take - 1, take * room // size)
    start = len(data) - take
    line_end = data.find(b"\n", start, start + take // 4)
    return data[line_end + 1 if line_end >= 0 else start :]


def head_and_tail(data: bytes, limit: int) -> str:
    """Output as text of at most ``limit`` UTF-8 bytes plus one line that says how much was cut from its middle.

    Bytes that are no UTF-8 become U+FFFD, CRLF becomes a newline, and hidden characters are made visible.
    """
    if len(data) <= limit:
        whole = _decoded(data)
        if len(whole.encode()) <= limit:
            return whole
    head = _head(data, limit // 2)
    tail = _tail(data[len(head) :], limit // 2)
    cut = len(data) - len(head) - len(tail)
    shown_head = _decoded(head)
    gap = "" if not shown_head or shown_head.endswith("\n") else "\n"
    return f"{shown_head}{gap}[... {cut} of {len(data)} bytes cut here ...]\n{_decoded(tail)}"


def fence_for(text: str) -> str:
    """A run of backticks longer than any in the text, at least three."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def fenced(text: str, info: str = "") -> str:
    """The text made visible inside a fence that nothing in it can close."""
    shown = visible(text)
    fence = fence_for(shown)
    end = "" if shown.endswith("\n") or not shown else "\n"
    return f"{fence}{info}\n{shown}{end}{fence}"


# Shapes are those that vendors document for their keys. Every repetition is bounded, or begins at a place where no
# other match can begin, so that no input makes matching slow.
_SHAPES = tuple(
    (hints, re.compile(shape))
    for hints, shape in (
        (
            ("PRIVATE KEY",),
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        ),
        (("sk-",), r"(?<![\w-])sk-[A-Za-z0-9_-]{16,}"),
        (("AKIA", "ASIA"), r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{30,}"),
        (("github_pat_",), r"(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{30,}"),
        (("glpat-",), r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{16,}"),
        (("xox",), r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,}"),
        (("AIza",), r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{30,}"),
        (("hf_", "npm_"), r"(?<![A-Za-z0-9])(?:hf|npm)_[A-Za-z0-9]{30,}"),
        (("pypi-",), r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{40,}"),
        (("eyJ",), r"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
        (("hooks.slack.com/",), r"(?<=hooks\.slack\.com/)services/[A-Za-z0-9/_-]{10,200}"),
    )
)
"""Each with what its text cannot do without: looking for that is a hundred times as fast as matching."""
_AFTER_A_NAME = tuple(
    (hints, re.compile(shape))
    for hints, shape in (
        (("bearer",), r"(?i:(\bbearer {1,4}))(?=[\w.~+/=-]{0,400}\d)[\w.~+/=-]{16,}"),
        (("authorization",), r"(?i:(\bauthorization['\"]? {0,4}[:=] {0,4}['\"]?(?:basic|token) {1,4}))[\w.~+/=-]{6,}"),
        (("x-api-key",), r"(?i:(\bx-api-key['\"]? {0,4}[:=] {0,4}['\"]?))[\w.~+/=-]{16,}"),
        (("://",), r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s/:@<>]{0,200}:)[^\s/@<>]{1,500}(?=@)"),
        (
            ("key", "secret", "token", "passw"),
            r"(\b[A-Z0-9_]{0,60}(?:API_KEY|APIKEY|ACCESS_KEY|SECRET|TOKEN|PASSWORD|PASSWD)(?:_[A-Z0-9_]{0,40})?=['\"]?)"
            r"(?=[\w./+=-]{0,400}\d)[\w./+=-]{12,}",
        ),
    )
)


def _spellings(secret: str) -> set[str]:
    """The value itself, percent-encoded, and in base64 at each of the three places where it can begin in one."""
    raw = secret.encode("utf-8", "surrogatepass")
    found = {secret, quote(raw, safe="")}
    for before in range(3):
        # Only the characters that depend on the secret alone: those shared with its neighbours are left out.
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        shown = base64.b64encode(b"\0" * before + raw).decode()[first:last]
        found |= {shown, shown.replace("+", "-").replace("/", "_")}
    return {spelling for spelling in found if len(spelling) >= SHORTEST_SECRET and spelling not in REDACTED}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with secrets replaced by ``<redacted>``.

    ``secrets`` are known values, found also percent-encoded and in base64. Beyond those, what has the shape of a
    vendor's key, a bearer token, a JWT, a private key (cut off or not), a password in a URL or in an upper-case
    ``NAME_TOKEN=value`` is replaced; the name before it stays.
    """
    return _redactor(frozenset(secrets))(text)


class Redactor:
    """``redact`` for secrets that are known once and for all; 1 MB of ordinary text takes a tenth of a second."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {
            spelling for secret in secrets if len(secret) >= SHORTEST_SECRET for spelling in _spellings(secret)
        }
        ordered = sorted(spellings, key=lambda s: (-len(s), s))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """The text without known values and without anything that has the shape of a secret."""
        text = self.values_and_keys(text)
        lowered = text.lower()
        for hints, shape in _AFTER_A_NAME:
            if any(hint in lowered for hint in hints):
                text = shape.sub(lambda match: match.group(1) + REDACTED, text)
        return text

    def values_and_keys(self, text: str) -> str:
        """The text without known values and without what only a vendor's key, a token or a private key looks like."""
        text = self.values(text)
        for hints, shape in _SHAPES:
            if any(hint in text for hint in hints):
                text = shape.sub(REDACTED, text)
        return text

    def values(self, text: str) -> str:
        """The text without known values."""
        return self._known.sub(REDACTED, text) if self._known else text


@lru_cache(maxsize=16)
def _redactor(secrets: frozenset[str]) -> Redactor:
    return Redactor(secrets)


_HARMLESS = re.compile(r"[\w .,:;?'()+%-]*")


def without_markup(text: str, limit: int = 200) -> str:
    """One visible line that a reader of Markdown or HTML takes as it is written: plain words, else a code span."""
    line = one_line(text, limit)
    if _HARMLESS.fullmatch(line) and "_" not in line and not line.startswith(("+", "-")):
        return line
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}"
