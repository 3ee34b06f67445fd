import contextlib
import io
import unittest

from invoices.cli import main


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


class CommandLine(unittest.TestCase):
    def test_total(self):
        code, out, _ = run("total", "examples/coffee.json")
        self.assertEqual(code, 0)
        self.assertEqual(
            [line.split() for line in out.splitlines()],
            [["net", "215.30"], ["tax", "10%", "7.56"], ["tax", "20%", "27.94"], ["gross", "250.80"]],
        )

    def test_export(self):
        code, out, _ = run("export", "examples/coffee.json")
        self.assertEqual((code, len(out.splitlines())), (0, 4))

    def test_a_missing_file_is_named(self):
        code, _, err = run("total", "examples/none.json")
        self.assertEqual(code, 1)
        self.assertIn("none.json", err)
