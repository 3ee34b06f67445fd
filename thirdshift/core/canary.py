"""A test that must fail, put among a check's tests to see whether a failure still makes the check fail.

Code under test shares a process with its tests, so it can end that process with 0, forge a report, or make every test
pass. None of that helps against a failing test that it has not seen before: when a check passes although one is
there, its passes mean nothing. This judges by the exit code, from outside the process. The test tries every usual
assertion first and passes where one of them no longer raises, so that a disabled assertion shows as well.
"""

from __future__ import annotations

import re

_TEST = """

import unittest as _unittest_TOKEN


class CLASS(_unittest_TOKEN.TestCase):
    def test_TOKEN(self):
        ways = (
            (self.assertEqual, 1, 2),
            (self.assertEqual, "TOKEN", "no"),
            (self.assertNotEqual, 1, 1),
            (self.assertTrue, False),
            (self.assertFalse, True),
            (self.assertIs, None, True),
            (self.assertIsNone, 1),
            (self.assertIn, 1, ()),
            (self.assertAlmostEqual, 1.0, 2.0),
            (self.assertGreater, 1, 2),
            (self.assertListEqual, [1], [2]),
            (self.assertDictEqual, {1: 1}, {1: 2}),
            (self.assertRegex, "a", "b"),
            (self.assertRaises, KeyError, int),
        )
        for way, *arguments in ways:
            try:
                way(*arguments)
            except AssertionError:
                continue
            return
        self.fail("TOKEN")


"""
_MAIN = re.compile(r"^if __name__\b", re.MULTILINE)


def with_canary(source: str, token: str) -> str:
    """The source of a Python test file with a failing ``unittest`` test in it, which pytest collects as well.

    ``token`` is made of lower-case letters and digits and marks it in names and output. It stands before a last
    ``if __name__ == ...`` block, else at the end.
    """
    test = _TEST.replace("TOKEN", token).replace("CLASS", f"Test{token.capitalize()}")
    blocks = list(_MAIN.finditer(source))
    at = blocks[-1].start() if blocks else len(source)
    return source[:at] + test + source[at:]
