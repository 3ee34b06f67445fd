"""The signature of a failure: what failed and how, without what differs from run to run."""

from __future__ import annotations

import hashlib
import re

from thirdshift.core.verdict import Verdict, VerdictBrief

_NAME = r"[\w.@%+=~-]"
_DAY_OR_MONTH = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

# In this order: each rule would spoil what an earlier one looks for. Outputs are hostile, so every rule takes time
# linear in their length: whatever may run long starts only at the edge of a token or has a bound.
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        # Colours, raw or already made visible as <U+001B>.
        (r"(?:\x1b|<U\+001B>)\[[0-9;]{0,20}[A-Za-z]", ""),
        # A test runner's row of dots: its order changes with the order of the tests.
        (r"(?m)^(?:\S++ ++)?[.FEsxX]+(?: +\[ *[0-9]+%\])?$", ""),
        # 2031-11-22T04:26:59.123Z, with a space or an offset; a clock by itself; names of days and months.
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?", "<time>"),
        (r"\(?\b\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\b\)?", ""),
        (rf"\b{_DAY_OR_MONTH}\b(?=,? (?: ?\d|<time>|{_DAY_OR_MONTH} ))|(?<=\d ){_DAY_OR_MONTH}\b", "<time>"),
        # URLs and paths: whatever has a slash before or between names; then drive letters.
        (rf"(?<!{_NAME})(?:[a-z]{{2,10}}:/)?{_NAME}*+(?:/{_NAME}++)++(?::\d+(?:/{_NAME}++)++)?/?", "<path>"),
        (r"\b[A-Za-z]:\\[^\s\"':;]*", "<path>"),
        # Identifiers, addresses and hashes. They share the mask of numbers: a short hash may be all digits.
        (r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "#"),
        (r"(?i)\b0x[0-9a-f]++\b", "#"),
        (r"(?i)(?<![0-9a-z])(?:(?=[a-f]*+[0-9])(?=[0-9]*+[a-f])[0-9a-f]{4,}+|[a-f]{8,}+)(?![0-9a-z])", "#"),
        # Durations take their unit along, so that 980 ms and 1.02 s are alike; then every other number.
        (r"(?i)\b\d[\d.,]{0,20}(?:e[+-]?\d{1,3})? ?(?:[nuµm]?s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b", "#"),
        (r"\d++(?:[.,_]\d++)*+(?:e[+-]?\d++)?", "#"),
        # Rulers are padded to the width of the text beside them, and that had numbers in it.
        (r"([=_*~.-])\1{2,}", r"\1\1\1"),
    )
)


def masked(output: str) -> tuple[str, ...]:
    """The different lines of an output, sorted, with times, paths, hexadecimals, durations and numbers masked.

    Sorted and each once, because tests that run in another order, or twice, fail no differently.
    """
    for pattern, mask in _MASKS:
        output = pattern.sub(mask, output)
    lines = {" ".join(line.split()) for line in output.splitlines()}
    return tuple(sorted(lines - {""}))


def failure_signature(verdict: Verdict) -> str:
    """16 hexadecimal digits for what failed and how; empty when the verdict passed.

    Covers the failed checks with their way of ending and masked output, the checks that were not run, what was
    tampered with (masked) and the paths out of scope (as they are: they are the finding, not noise).
    """
    if verdict.passed:
        return ""
    digest = hashlib.sha256()
    for check in verdict.checks:
        if not check.passed:
            _feed(digest, "failed", check.id, check.end, *masked(check.output))
    _feed(digest, "not run", *verdict.not_run)
    _feed(digest, "tampering", *(line for finding in verdict.tampering for line in masked(finding)))
    _feed(digest, "out of scope", *verdict.out_of_scope)
    return digest.hexdigest()[:16]


def brief(verdict: Verdict, verdict_id: int) -> VerdictBrief:
    """The verdict as workflows carry it; ``verdict_id`` is the ledger's number of the whole one."""
    return VerdictBrief(
        id=verdict_id,
        tree=verdict.tree,
        passed=tuple(check.id for check in verdict.checks if check.passed),
        failed=(*(check.id for check in verdict.checks if not check.passed), *verdict.not_run),
        out_of_scope=len(verdict.out_of_scope),
        tampering=len(verdict.tampering),
        signature=failure_signature(verdict),
    )


def _feed(digest: hashlib._Hash, *parts: str) -> None:
    digest.update(len(parts).to_bytes(8, "big"))
    for part in parts:
        # surrogatepass: a check may print half a character, and a signature must come out all the same.
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
