"""A test that must fail, put among a check's tests to see whether a failure still makes the check fail.

Code under test shares a process with its tests, so it can end that process with 0, forge a report, or make every test
pass. None of that helps against a failing test that it has not seen before: when a check passes although one is
there, its passes mean nothing. This judges by the exit code, from outside the process.
"""

from __future__ import annotations

import re

_MAIN = re.compile(r"^if __name__\b", re.MULTILINE)


def with_canary(source: str, token: str) -> str:
    """The source of a Python test file with a failing ``unittest`` test in it, which pytest collects as well.

    ``token`` is made of lower-case letters and digits and marks it in names and output. It stands before a last
    ``if __name__ == ...`` block, else at the end.
    """
    test = (
        f"\n\nimport unittest as _unittest_{token}\n\n\n"
        f"class Test{token.capitalize()}(_unittest_{token}.TestCase):\n"
        f"    def test_{token}(self):\n"
        f'        self.fail("{token}")\n\n\n'
    )
    blocks = list(_MAIN.finditer(source))
    at = blocks[-1].start() if blocks else len(source)
    return source[:at] + test + source[at:]
